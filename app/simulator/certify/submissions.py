"""What the 12317 platform promises who submits tickets (I1–I4), clause by clause."""

import base64
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from app.core import clock
from app.simulator import samples
from app.simulator.certify.clauses import Clause, Trial, require
from app.simulator.certify.line import Call, Reply

ROOT = "openapi/v1"
TABLES = {
    "complaint": f"{ROOT}/complaints",
    "declaration": f"{ROOT}/declarations",
    "consultation": f"{ROOT}/consultations",
}
COMPLAINTS = TABLES["complaint"]
_RECEIPT = ("acceptance_no", "external_ticket_no", "received_at", "due_at", "query_code")
_DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
"""A picture of one grey dot."""
_IDEM, _SEC = "API-IDEM-01", "API-SEC-01、API-SEC-02"


def body(trial: Trial, kind: str = "complaint", **changed: Any) -> dict[str, Any]:
    """A submission of an invented matter, under a new number."""
    found = [s for s in samples.of_province(trial.province) if s.kind == kind]
    sample = (found or [s for s in samples.SAMPLES if s.kind == kind])[0]
    now = clock.now().astimezone(clock.BEIJING)
    return {**samples.submission(sample, trial.number(), now), **changed}


def answered(reply: Reply, status: int, code: str) -> None:
    """Broken unless HTTP status and code are these."""
    require((reply.status, reply.code) == (status, code), f"应返回HTTP {status}、{code}", reply)


def submitted(trial: Trial, kind: str = "complaint", **changed: Any) -> str:
    """Submit a ticket that must be accepted; its number."""
    return str(
        _created(trial.line.post(TABLES[kind], body(trial, kind, **changed)))["acceptance_no"]
    )


def _created(reply: Reply) -> Mapping[str, Any]:
    answered(reply, 201, "0")
    require(all(reply.data.get(name) for name in _RECEIPT), f"回执应含{'、'.join(_RECEIPT)}", reply)
    return reply.data


def _accepted(trial: Trial, kind: str) -> None:
    trial.kept[kind] = submitted(trial, kind)


def _warned(trial: Trial, warning: str, **changed: Any) -> None:
    reply = trial.line.post(COMPLAINTS, body(trial, **changed))
    warnings = _created(reply).get("warnings") or ()
    codes = [each.get("code") for each in warnings if isinstance(each, Mapping)]
    require(warning in codes, f"应受理并提示{warning}", reply)


def _all_errors(trial: Trial) -> None:
    wrong = {"id_card_no": "520328199001010030", "poverty_risk": [77]}
    reply = trial.line.post(TABLES["declaration"], body(trial, "declaration", **wrong))
    answered(reply, 422, "VALIDATION_FAILED")
    errors = (reply.body or {}).get("errors") or ()
    fields = {str(each.get("field")).partition(".")[0] for each in errors}
    require(fields >= set(wrong), "应一次列出全部错误字段", reply)


def _malformed(trial: Trial) -> None:
    answered(trial.line.send(Call("POST", COMPLAINTS, b'{"content": ')), 400, "MALFORMED")


def _refused(trial: Trial, code: str, **spoilt: Any) -> None:
    answered(trial.line.post(COMPLAINTS, body(trial), **spoilt), 401, code)


def _altered(trial: Trial) -> None:
    spoilt = trial.line.post(COMPLAINTS, body(trial), body_sent=b'{"content": "x"}')
    answered(spoilt, 401, "SIGNATURE_INVALID")


def _stale(trial: Trial) -> None:
    for shift in (-600, 600):
        _refused(trial, "TIMESTAMP_SKEW", shift=shift)


def _replayed(trial: Trial) -> None:
    nonce, sent = secrets.token_hex(16), body(trial)
    _created(trial.line.post(COMPLAINTS, sent, nonce=nonce))
    answered(trial.line.post(COMPLAINTS, sent, nonce=nonce), 401, "NONCE_REPLAY")


def _repeated(trial: Trial) -> None:
    sent = body(trial)
    first = _created(trial.line.post(COMPLAINTS, sent))
    again = trial.line.post(COMPLAINTS, sent)
    answered(again, 200, "0")
    same = again.data.get("acceptance_no") == first["acceptance_no"]
    require(same and again.data.get("duplicate") is True, "应返回首次回执和duplicate", again)


def _conflicting(trial: Trial, path: str, **changed: Any) -> None:
    sent = body(trial)
    _created(trial.line.post(COMPLAINTS, sent))
    answered(trial.line.post(path, {**sent, **changed}), 409, "IDEMPOTENCY_CONFLICT")


def _elsewhere(trial: Trial) -> None:
    own = body(trial)
    _created(trial.line.post(COMPLAINTS, own))
    other = body(trial, "consultation", external_ticket_no=own["external_ticket_no"])
    answered(trial.line.post(TABLES["consultation"], other), 409, "IDEMPOTENCY_CONFLICT")


def _at_once(trial: Trial) -> None:
    sent = body(trial)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: trial.line.post(COMPLAINTS, sent), range(4)))
    last = trial.line.post(COMPLAINTS, sent)
    numbers = {reply.data.get("acceptance_no") for reply in [*replies, last] if reply.delivered}
    require(last.delivered and len(numbers) == 1, "同时提交四次应只有一个受理编号", last)


def _with_file(trial: Trial) -> None:
    files = {"file": ("现场照片.png", base64.b64decode(_DOT), "image/png")}
    form = httpx.Request("POST", "http://form.invalid", files=files)
    kind = form.headers["Content-Type"]
    stored = trial.line.send(Call("POST", f"{ROOT}/attachments", form.read(), content_type=kind))
    answered(stored, 201, "0")
    whole = all(stored.data.get(name) for name in ("attachment_id", "size", "sha256", "sm3"))
    require(whole, "应返回attachment_id、size、sha256、sm3", stored)
    submitted(trial, attachments=[stored.data["attachment_id"]])


CLAUSES: tuple[Clause, ...] = (
    Clause("11.1", "受理投诉举报，返回完整回执", "I1", partial(_accepted, kind="complaint")),
    Clause("11.2", "受理自主申报，返回完整回执", "I2", partial(_accepted, kind="declaration")),
    Clause("11.3", "受理咨询，返回完整回执", "I3", partial(_accepted, kind="consultation")),
    Clause("11.4", "上传附件并随工单提交", "I4", _with_file, ("11.1",)),
    Clause(
        "11.5",
        "未知字段只提示，照样受理",
        "4.4",
        partial(_warned, warning="UNKNOWN_FIELD", later_added="新增字段"),
        ("11.1",),
    ),
    Clause(
        "11.6",
        "认不出的地点只提示，照样受理",
        "4.4",
        partial(
            _warned, warning="DIVISION_UNRESOLVED", division_code=None, division_text="某某某村"
        ),
        ("11.1",),
    ),
    Clause("11.7", "身份证校验位等错误一次全部列出", "4.4 VALIDATION_FAILED", _all_errors),
    Clause("11.8", "不完整的JSON返回400 MALFORMED", "4.4", _malformed),
    Clause(
        "12.1",
        "错误的签名返回401",
        _SEC,
        partial(_refused, code="SIGNATURE_INVALID", headers={"X-Signature": "0" * 64}),
    ),
    Clause("12.2", "签名后被改动的报文返回401", _SEC, _altered),
    Clause(
        "12.3",
        "不认识的应用标识返回401",
        _SEC,
        partial(_refused, code="SIGNATURE_INVALID", app_id="certify-nobody"),
    ),
    Clause("12.4", "超出五分钟的时间戳返回401", _SEC, _stale),
    Clause("12.5", "用过的随机数返回401", _SEC, _replayed, ("11.1",)),
    Clause("13.1", "相同内容重复提交返回首次回执", _IDEM, _repeated, ("11.1",)),
    Clause(
        "13.2",
        "同一编号不同内容返回409",
        _IDEM,
        partial(_conflicting, path=COMPLAINTS, content="另一件事。"),
        ("11.1",),
    ),
    Clause("13.3", "同一编号提交到另一张表返回409", _IDEM, _elsewhere, ("11.1",)),
    Clause("13.4", "同一工单同时提交只受理一次", _IDEM, _at_once, ("11.1", "13.1")),
)
