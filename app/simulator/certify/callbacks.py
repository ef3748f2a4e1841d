"""What a 12345 platform promises about the messages it receives (O1–O9), clause by clause."""

import secrets
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import orjson

from app.core import clock
from app.exchange import rules
from app.exchange.post import LARGEST_ANSWER
from app.simulator.certify.clauses import Broken, Clause, NotObserved, Trial, require
from app.simulator.certify.line import Call, Reply
from app.simulator.certify.messages import message

TOLD = "status-events"
"""Harmless: it only tells, so most clauses are tried with it."""

_ACK, _SEC, _IDEM = "API-ACK-01", "API-SEC-02、API-SEC-04", "API-IDEM-01"


def _body(trial: Trial, operation: str = TOLD, **more: Any) -> dict[str, Any]:
    now = clock.now().astimezone(clock.BEIJING)
    return {**message(operation, trial.number(), now), **more}


def _key() -> str:
    return f"certify:{uuid.uuid4().hex}"


def _post(trial: Trial, operation: str, body: Mapping[str, Any], **more: Any) -> Reply:
    """Post it where, and in the words in which, the platform would deliver it."""
    spoken = trial.dialect
    return trial.line.post(spoken.path(operation), spoken.words(body), **more)


def _deliver(trial: Trial, operation: str = TOLD, **more: Any) -> Reply:
    reply = _post(trial, operation, _body(trial, operation, **more), key=_key())
    require(reply.delivered, "应返回HTTP 2xx且code为“0”", reply)
    return reply


def _accepted(trial: Trial, operation: str = TOLD, **more: Any) -> None:
    _deliver(trial, operation, **more)


def _code_is_text(trial: Trial) -> None:
    reply = _deliver(trial)
    require(reply.code == "0", "code应为文本“0”，不是数字", reply)


def _has_receipt(trial: Trial) -> None:
    reply = _deliver(trial)
    found = reply.data.get("receipt_no")
    require(
        isinstance(found, str) and 0 < len(found) <= 128,
        "data.receipt_no应为1–128个字符的文本",
        reply,
    )


def _is_json(trial: Trial) -> None:
    reply = _deliver(trial)
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    require(kind == "application/json", "Content-Type应为application/json", reply)


def _in_time(trial: Trial) -> None:
    seconds, line = trial.patience, trial.line
    _deliver(trial)
    if line.slowest > seconds * 1000:
        raise Broken(f"每次应答应在{seconds:g}秒内开始；最慢的一次用了{line.slowest / 1000:.1f}秒")


def _is_small(trial: Trial) -> None:
    _deliver(trial)
    if trial.line.largest > LARGEST_ANSWER:
        raise Broken(f"应答不应超过64KB；最大的一次为{trial.line.largest}字节")


def _refused(trial: Trial, **spoilt: Any) -> None:
    reply = _post(trial, TOLD, _body(trial), key=_key(), **spoilt)
    require(reply.status is not None and not reply.delivered, "应当拒绝，不得受理", reply)


def _altered(trial: Trial) -> None:
    body = _body(trial)
    other = orjson.dumps(trial.dialect.words({**body, "event": "merged"}))
    reply = _post(trial, TOLD, body, key=_key(), body_sent=other)
    require(reply.status is not None and not reply.delivered, "签名后改动的报文应当拒绝", reply)


def _stale(trial: Trial) -> None:
    for shift in (-600, 600):
        _refused(trial, shift=shift)


def _replayed(trial: Trial) -> None:
    nonce, key, body = secrets.token_hex(16), _key(), _body(trial)
    first = _post(trial, TOLD, body, key=key, nonce=nonce)
    require(first.delivered, "第一次使用的随机数应当受理", first)
    again = _post(trial, TOLD, body, key=key, nonce=nonce)
    require(again.status is not None and not again.delivered, "用过的随机数应当拒绝", again)


def _unsigned(trial: Trial) -> None:
    _refused(trial, headers={"X-Signature": None})


def _malformed(trial: Trial) -> Reply:
    raw = b'{"acceptance_no": "CERT", "event_seq": '
    return trial.line.send(Call("POST", trial.dialect.path(TOLD), raw, key=_key()))


def _unreadable(trial: Trial) -> None:
    reply = _malformed(trial)
    require(reply.status is not None and not reply.delivered, "不完整的JSON应当拒绝", reply)


def _status_of_refusals(trial: Trial) -> None:
    stranger = _post(trial, TOLD, _body(trial), key=_key(), app_id="certify-nobody")
    require(stranger.status in (401, 403), "身份不符应返回HTTP 401或403", stranger)
    malformed = _malformed(trial)
    if malformed.delivered:
        raise NotObserved("没有拒绝的应答可看")
    status = malformed.status or 0
    require(
        400 <= status < 500 and status not in rules.RETRIED_4XX,
        "报文有误应返回不要求重试的HTTP 4xx",
        malformed,
    )


def _envelope_of_refusals(trial: Trial) -> None:
    reply = _post(trial, TOLD, _body(trial), key=_key(), app_id="certify-nobody")
    if reply.delivered:
        raise NotObserved("没有拒绝的应答可看")
    texts = reply.body is not None and all(
        isinstance(reply.body.get(name), str) and reply.body[name] for name in ("code", "message")
    )
    require(texts, "拒绝时也应返回JSON，含文本code和message", reply)


def _receipt(reply: Reply) -> str:
    return str(rules.receipt_no(reply.body))


def _repeated(trial: Trial) -> None:
    key, body = _key(), _body(trial)
    first = _post(trial, TOLD, body, key=key)
    require(first.delivered, "第一次应当受理", first)
    again = _post(trial, TOLD, body, key=key)
    require(again.delivered, "重复送达应当同样应答成功", again)
    require(_receipt(again) == _receipt(first), "重复送达应返回第一次的回执编号", again)


def _at_once(trial: Trial) -> None:
    key, body = _key(), _body(trial)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: _post(trial, TOLD, body, key=key), range(4)))
    # One that was told to come again later is a repeat like any other.
    done = [reply for reply in replies if reply.delivered]
    later = _post(trial, TOLD, body, key=key)
    require(later.delivered, "同时送达之后再次送达应当成功", later)
    for reply in done:
        require(_receipt(reply) == _receipt(later), "同时送达的重复件应得到同一回执编号", reply)


def _told_apart(trial: Trial) -> None:
    first, second = _deliver(trial), _deliver(trial)
    require(_receipt(first) != _receipt(second), "不同的消息应有不同的回执编号", second)


def _late(trial: Trial) -> None:
    number, now = trial.number(), clock.now().astimezone(clock.BEIJING)
    for seq, event in ((2, "extended"), (1, "extension_reminded")):
        body = {**message(TOLD, number, now, seq), "event": event}
        reply = _post(trial, TOLD, body, key=_key())
        require(reply.delivered, "先到序号2、后补序号1的状态通知都应受理", reply)


def _long(trial: Trial) -> None:
    text = "经核实，补助资金已按标准足额发放到户。" * 200
    _deliver(trial, "results/consultations", answer=text)


def _many(trial: Trial) -> None:
    persons = [
        {"name": f"人员{n}", "position": "业务员", "phone": "13800001299"} for n in range(50)
    ]
    _deliver(trial, "results/complaints", investigators=persons, auditors=persons)


def _operation(no: int, operation: str, title: str, code: str) -> Clause:
    return Clause(
        f"1.{no}", f"受理{title}（{operation}）", code, partial(_accepted, operation=operation)
    )


_CODES: Mapping[str, str] = {
    "return-requests": "O1",
    "extension-requests": "O2",
    "results/complaints": "O3、O9",
    "results/declarations": "O4",
    "results/consultations": "O5",
    "ticket-copies": "O6",
    "supplement-requests": "O7",
    "request-cancellations": "O7",
    "status-events": "O8",
}

_TELLS = "1.9"
_R = (_TELLS,)

CLAUSES: tuple[Clause, ...] = (
    *(
        _operation(no, operation, rules.OPERATIONS[operation], code)
        for no, (operation, code) in enumerate(_CODES.items(), 1)
    ),
    Clause("2.1", "成功时code为文本“0”", _ACK, _code_is_text, _R),
    Clause("2.2", "成功时返回data.receipt_no", _ACK, _has_receipt, _R),
    Clause("2.3", "应答的Content-Type为application/json", "4.4", _is_json, _R),
    Clause("3.1", "拒绝错误的签名", _SEC, partial(_refused, headers={"X-Signature": "0" * 64})),
    Clause("3.2", "拒绝签名后被改动的报文", _SEC, _altered),
    Clause("3.3", "拒绝不认识的应用标识", _SEC, partial(_refused, app_id="certify-nobody")),
    Clause("3.4", "拒绝超出五分钟的时间戳（过早、过晚）", _SEC, _stale),
    Clause("3.5", "拒绝用过的随机数", _SEC, _replayed, _R),
    Clause("3.6", "拒绝没有签名的请求", _SEC, _unsigned),
    Clause("4.1", "拒绝不完整的JSON", "4.4 MALFORMED", _unreadable),
    Clause("4.2", "拒绝时返回HTTP 4xx，身份不符为401或403", "4.4", _status_of_refusals, ("3.3",)),
    Clause("4.3", "拒绝时返回JSON，含code和message", "4.4", _envelope_of_refusals, ("3.3",)),
    Clause("5.1", "同一幂等键重复送达得到同一回执", _IDEM, _repeated, (_TELLS, "2.2")),
    Clause("5.2", "同一幂等键同时送达只办一次", _IDEM, _at_once, (_TELLS, "2.2", "5.1")),
    Clause("5.3", "不同的消息得到不同的回执", _IDEM, _told_apart, (_TELLS, "2.2")),
    Clause("5.4", "受理迟到的状态通知（序号较小）", "API-ACK-01 event_seq", _late, _R),
    Clause(
        "6.1",
        "受理含有未知字段的报文",
        "4.2",
        partial(_accepted, later_added={"level": 1, "note": "新增字段"}),
        _R,
    ),
    Clause(
        "6.2",
        "受理生僻字、换行和引号",
        "4 UTF-8",
        partial(
            _accepted,
            operation="results/consultations",
            answer="𠮷林省𬱖镇“一组”\n第二行\t'引号' \"\\\"",
        ),
        ("1.5",),
    ),
    Clause("6.3", "受理四千字的答复", "3.3", _long, ("1.5",)),
    Clause("6.4", "受理有五十名人员的结果", "3.3", _many, ("1.3",)),
    Clause("7.1", "每次应答在时限内开始", "4.2", _in_time, _R),
    Clause("7.2", "应答不超过64KB", "4.2", _is_small, _R),
)
