"""What the 12317 platform promises who asks and follows up (I5–I18), clause by clause."""

import hashlib
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes

from app.core import clock
from app.simulator.certify import submissions
from app.simulator.certify.clauses import Broken, Clause, NotObserved, Trial, require
from app.simulator.certify.line import Reply
from app.simulator.certify.submissions import ROOT, answered, submitted

UNKNOWN = "TS0000002000010100001X"
MOST_TRIES = 300
"""More than a profile of the usual size lets through at once."""
_C = ("11.1",)


def _known(trial: Trial) -> str:
    return str(trial.kept["complaint"])


def _got(trial: Trial, path: str, query: Mapping[str, str] | None = None) -> Reply:
    reply = trial.line.get(f"{ROOT}/{path}", urlencode(query or {}))
    answered(reply, 200, "0")
    return reply


def _status(trial: Trial) -> None:
    reply = _got(trial, f"tickets/{_known(trial)}")
    named = reply.data.get("acceptance_no") == _known(trial) and reply.data.get("status")
    require(named, "应返回受理编号和状态", reply)


def _unknown(trial: Trial) -> None:
    for path in (f"tickets/{UNKNOWN}", f"tickets/{UNKNOWN}/events"):
        answered(trial.line.get(f"{ROOT}/{path}"), 404, "TICKET_NOT_FOUND")


def _events(trial: Trial) -> None:
    reply = _got(trial, f"tickets/{_known(trial)}/events")
    events = reply.data.get("events")
    steps = isinstance(events, list) and [event.get("seq") for event in events]
    require(steps and steps == sorted(steps), "应按先后列出环节", reply)


def _divisions(trial: Trial) -> None:
    reply = _got(trial, "divisions")
    provinces = reply.data.get("divisions") or ()
    code = trial.province.ljust(12, "0")
    listed = [row.get("division_code") for row in provinces]
    require(code in listed, "省级列表应含本省", reply)
    below = _got(trial, "divisions", {"parent_code": code})
    rows = below.data.get("divisions") or ()
    right = rows and all(row.get("parent_code") == code for row in rows)
    require(right, "应返回本省的下级区划", below)


def _codes(trial: Trial) -> None:
    answered(trial.line.get(f"{ROOT}/code-tables/no_such_table"), 404, "CODE_TABLE_NOT_FOUND")
    reply = _got(trial, "code-tables/problem_category")
    rows = reply.data.get("codes") or ()
    require(rows and all(row.get("label") for row in rows), "应返回代码和名称", reply)


def _not_asked(trial: Trial) -> None:
    said = {"approved": 1, "opinion": "同意。"}
    for what in ("return-decision", "extension-decision"):
        reply = trial.line.post(f"{ROOT}/tickets/{_known(trial)}/{what}", said)
        answered(reply, 409, "REQUEST_NOT_OPEN")


def _taken_once(trial: Trial, what: str, sent: Mapping[str, Any]) -> None:
    path, key = f"{ROOT}/tickets/{_known(trial)}/{what}", secrets.token_hex(16)
    answered(trial.line.post(path, sent, key=key), 201, "0")
    again = trial.line.post(path, sent, key=key)
    answered(again, 200, "0")
    require(again.data.get("duplicate") is True, "重复提交应返回duplicate", again)
    other = {name: f"{value}（更正）" for name, value in sent.items()}
    answered(trial.line.post(path, other, key=key), 409, "IDEMPOTENCY_CONFLICT")


def _supplemented(trial: Trial) -> None:
    _taken_once(trial, "supplements", {"content": "来电人补充：名单已公示。"})


def _urged(trial: Trial) -> None:
    _taken_once(trial, "urges", {"content": "来电人再次来电询问进展。"})


def _too_early(trial: Trial) -> None:
    for what, sent in (
        ("callbacks", {"satisfaction": 1}),
        ("rework-requests", {"reason": "来电人要求重办。"}),
    ):
        reply = trial.line.post(f"{ROOT}/tickets/{_known(trial)}/{what}", sent)
        answered(reply, 409, "STATE_CONFLICT")


def _withdrawn(trial: Trial) -> None:
    number = submitted(trial)
    path = f"{ROOT}/tickets/{number}/withdrawals"
    answered(trial.line.post(path, {"reason": "来电人不再需要。"}), 201, "0")
    answered(trial.line.post(path, {"reason": "来电人不再需要。"}), 200, "0")


def _page(trial: Trial) -> None:
    sent = submissions.body(trial)
    names = ("operator_no", "caller_number", "called_at", "external_ticket_no")
    wanted = {**{name: sent[name] for name in names}, "ticket_type": "complaint"}
    reply = trial.line.post(f"{ROOT}/page-sessions", wanted)
    answered(reply, 201, "0")
    url = str(reply.data.get("url"))
    require(urlsplit(url).query and reply.data.get("expires_at"), "应返回url和expires_at", reply)
    require(sent["caller_number"] not in url, "地址中不应有来电号码", reply)
    wrong = trial.line.post(f"{ROOT}/page-sessions", {**wanted, "ticket_type": "other"})
    answered(wrong, 422, "VALIDATION_FAILED")


def _outbox(trial: Trial) -> None:
    reply = _got(trial, "outbox", {"limit": "1"})
    require(isinstance(reply.data.get("messages"), list), "应返回messages列表", reply)
    receipts = [{"event_id": "00000000-0000-4000-8000-000000000000", "receipt_no": "CERT"}]
    unknown = trial.line.post(f"{ROOT}/outbox/ack", {"receipts": receipts})
    require("MESSAGE_NOT_FOUND" in str(unknown.body), "未知的消息应回MESSAGE_NOT_FOUND", unknown)


def _day(trial: Trial) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The summary and the tickets of today, over all pages."""
    wanted = {"date": clock.now().astimezone(clock.BEIJING).date().isoformat(), "limit": "500"}
    reply = _got(trial, "reconciliation", wanted)
    summary, rows = reply.data.get("summary"), list(reply.data.get("tickets") or ())
    require(isinstance(summary, Mapping), "首页应含summary", reply)
    while after := reply.data.get("next"):
        reply = _got(trial, "reconciliation", {**wanted, "after": str(after)})
        rows += reply.data.get("tickets") or ()
    return dict(summary or {}), rows


def _digests(trial: Trial) -> None:
    summary, rows = _day(trial)
    if summary.get("total") != len(rows):
        raise Broken(f"total为{summary.get('total')}，逐页共{len(rows)}条")
    if _known(trial) not in {row.get("acceptance_no") for row in rows}:
        raise Broken("当日清单中应有本次提交的工单")
    for name, columns in (
        ("numbers", ("acceptance_no", "external_ticket_no")),
        ("outcomes", ("acceptance_no", "external_ticket_no", "outcome")),
    ):
        lines = [",".join(str(row.get(each) or "") for each in columns) for row in rows]
        text = "".join(f"{line}\n" for line in sorted(lines)).encode()
        told = (summary.get("digests") or {}).get(name) or {}
        own = {"sha256": hashlib.sha256(text).hexdigest(), "sm3": _sm3(text)}
        if own != {kind: told.get(kind) for kind in own}:
            raise Broken(f"摘要{name}应与自行计算的一致")


def _listed(trial: Trial) -> None:
    _, rows = _day(trial)
    names = ("acceptance_no", "external_ticket_no", "outcome")
    tickets = [{name: row.get(name) for name in names} for row in rows[:5000]]
    today = clock.now().astimezone(clock.BEIJING).date().isoformat()
    sent = {"date": today, "list_id": f"CERT-{secrets.token_hex(8)}", "page": 1, "pages": 1}
    reply = trial.line.post(f"{ROOT}/reconciliation", {**sent, "tickets": tickets})
    answered(reply, 201, "0")
    require(reply.data.get("state"), "应返回对账状态", reply)
    found = _got(trial, "reconciliation/differences", {"date": today})
    require(found.data.get("state"), "应能查询差异", found)


def _sm3(text: bytes) -> str:
    digest = hashes.Hash(hashes.SM3())
    digest.update(text)
    return digest.finalize().hex()


def _limited(trial: Trial) -> None:
    path = f"{ROOT}/tickets/{_known(trial)}"
    found: Reply | None = None
    with ThreadPoolExecutor(8) as pool:
        for _ in range(0, MOST_TRIES, 20):
            replies = pool.map(lambda _: trial.line.get(path), range(20))
            found = next((reply for reply in replies if reply.status == 429), None)
            if found is not None:
                break
    if found is None:
        raise NotObserved(f"连续{MOST_TRIES}次请求未触发限流")
    answered(found, 429, "RATE_LIMITED")
    wait = found.headers.get("retry-after", "")
    require(wait.isascii() and wait.isdecimal() and int(wait) > 0, "应带整秒的Retry-After头", found)
    told = (found.body or {}).get("retry_after")
    require(str(told) == wait, "retry_after应与Retry-After头一致", found)


CLAUSES: tuple[Clause, ...] = (
    *submissions.CLAUSES,
    Clause("14.1", "查询工单状态", "I7", _status, _C),
    Clause("14.2", "不存在的工单返回404", "API-SEC-05", _unknown),
    Clause("14.3", "查询办理进度", "I8", _events, _C),
    Clause("14.4", "逐级查询行政区划", "I5", _divisions),
    Clause("14.5", "查询代码表", "I6", _codes),
    Clause("15.1", "没有申请时批复退单、延期返回409", "I9、I10", _not_asked, _C),
    Clause("15.2", "补充材料，重复只收一次", "I11", _supplemented, _C),
    Clause("15.3", "催单，重复只收一次", "I12", _urged, _C),
    Clause("15.4", "撤回，重复只办一次", "I13", _withdrawn, _C),
    Clause("15.5", "未办结时回访、重办返回409", "I14、I15", _too_early, _C),
    Clause("16.1", "申请页面地址，地址不含号码", "I16", _page),
    Clause("17.1", "拉取消息，未知的回执逐条说明", "I17", _outbox),
    Clause("17.2", "每日对账的摘要可自行算出", "I18", _digests, _C),
    Clause("17.3", "提交对账清单并查询差异", "I18", _listed, _C),
    Clause("18.1", "限流返回429和Retry-After", "4.4 RATE_LIMITED", _limited, _C),
)
