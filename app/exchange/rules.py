"""Decisions of the exchange as plain functions: what an answer means, what may be shown of it."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

OPERATIONS = {
    "return-requests": "退单申请",
    "extension-requests": "延期申请",
    "results/complaints": "投诉办理结果",
    "results/declarations": "申报办理结果",
    "results/consultations": "咨询答复",
    "ticket-copies": "页面工单副本",
    "supplement-requests": "补充材料申请",
    "request-cancellations": "申请撤销",
    "status-events": "状态通知",
}
"""What we send (O1–O8); the key is also the path below the partner's callback address."""

YIELDING = frozenset({"status-events", "request-cancellations"})
"""They only tell: one that is given up holds nothing up. What a later message rests on does."""

PUSH, PULL = "push", "pull"
DELIVERIES = {PUSH: "推送至回调地址", PULL: "由平台自行拉取"}
"""How a platform gets its messages."""

SKEW = timedelta(seconds=300)
NONCE_MEMORY = timedelta(minutes=15)
"""Longer than a message can be acceptable: a clock 5 min ahead plus 5 min, and some."""

RETRIED_4XX = frozenset({408, 409, 425, 429})
_OUR_CREDENTIALS = frozenset({401, 403, 407})

_VISIBLE = frozenset(
    "acceptance_no external_ticket_no request_no event_id event_seq event code receipt_no duplicate"
    " request_id requested_at occurred_at completed_at extension_days reason_code current_due_at"
    " proposed_due_at verification_result outcome".split()
)


@dataclass(frozen=True)
class Answer:
    """What came back from a platform: an HTTP status and a JSON object, or the kind of error."""

    ms: int
    status: int | None = None
    body: Mapping[str, Any] | None = None
    error: str | None = None
    retry_after: timedelta = field(default=timedelta(0))


@dataclass(frozen=True)
class Verdict:
    """Delivered, or why not; `final` means trying again is useless.

    `destination_trouble` is a fault of the platform as a whole, not of this one message.
    """

    delivered: bool
    reason: str = ""
    final: bool = False
    destination_trouble: bool = False


def judge(answer: Answer) -> Verdict:
    """Only HTTP 2xx with `code` "0" is delivery (API-ACK-01)."""
    status = answer.status
    if status is None:
        return Verdict(False, answer.error or "NO_ANSWER", destination_trouble=True)
    if 200 <= status < 300:
        return _judge_envelope(answer)
    reason = f"HTTP_{status}"
    if 400 <= status < 500 and status not in RETRIED_4XX:
        return Verdict(False, reason, final=True, destination_trouble=status in _OUR_CREDENTIALS)
    return Verdict(False, reason, destination_trouble=status != 409)


def _judge_envelope(answer: Answer) -> Verdict:
    if answer.error or answer.body is None:
        return Verdict(False, answer.error or "NOT_JSON", destination_trouble=True)
    code = answer.body.get("code")
    if code in ("0", 0) and not isinstance(code, bool):
        return Verdict(True)
    return Verdict(False, "CODE_NOT_ZERO")


def receipt_no(body: Mapping[str, Any] | None) -> str | None:
    """The platform's receipt number, at the top or inside `data`, at most 128 characters."""
    if body is None:
        return None
    data = body.get("data")
    found = body.get("receipt_no") or (
        data.get("receipt_no") if isinstance(data, Mapping) else None
    )
    return str(found)[:128] if found else None


def masked(value: Any, name: str = "") -> Any:
    """The same structure with every value hidden that is not known to be harmless."""
    if isinstance(value, Mapping):
        return {str(k)[:64]: masked(v, str(k)) for k, v in list(value.items())[:64]}
    if isinstance(value, list | tuple):
        return [masked(each, name) for each in value[:20]]
    if value is None or isinstance(value, bool):
        return value
    if name in _VISIBLE:
        return value if isinstance(value, int) else str(value)[:128]
    return "***"


def outgoing(
    body: Mapping[str, Any], field_names: Mapping[str, str], boolean_mapping: Mapping[str, Any]
) -> dict[str, Any]:
    """The body in the platform's own words: its field names, and its words for yes and no."""
    words = {bool(truth): word for word, truth in reversed(list(boolean_mapping.items()))}
    return {
        field_names.get(name, name): _in_words(value, field_names, words)
        for name, value in body.items()
    }


def _in_words(value: Any, names: Mapping[str, str], words: Mapping[bool, str]) -> Any:
    if isinstance(value, bool):
        return words.get(value, value)
    if isinstance(value, Mapping):
        return {names.get(k, k): _in_words(v, names, words) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_in_words(each, names, words) for each in value]
    return value


def is_fresh(timestamp: str, now: datetime) -> bool:
    """Whether a millisecond timestamp is within ±300 s of `now`."""
    if not timestamp.isdecimal() or len(timestamp) > 16:
        return False
    return abs(int(timestamp) / 1000 - now.timestamp()) <= SKEW.total_seconds()


def is_nonce(text: str) -> bool:
    """16–64 characters of letters, digits, `-` and `_`."""
    plain = text.replace("-", "").replace("_", "")
    return 16 <= len(text) <= 64 and plain.isascii() and plain.isalnum()


def in_networks(address: str, networks: Sequence[str]) -> bool:
    """Whether the address lies in one of the networks (`10.1.0.0/16`, or a single address)."""
    try:
        ip = _plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)


def caller_key(address: str) -> str:
    """The name under which a stranger's failures count; a whole network of IPv6 has one."""
    try:
        ip = _plain(ipaddress.ip_address(address))
    except ValueError:
        return "ip:-"
    if isinstance(ip, ipaddress.IPv6Address):
        return f"ip:{ipaddress.ip_network((ip, 64), strict=False).network_address}"
    return f"ip:{ip}"


def are_networks(value: Any) -> bool:
    """Whether this is a list of networks or single addresses."""
    try:
        return isinstance(value, list) and all(
            isinstance(each, str) and ipaddress.ip_network(each, strict=False) for each in value
        )
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether the address is on the open internet, also when IPv4 hides inside IPv6."""
    ip = _plain(ipaddress.ip_address(address))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _plain(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip.sixtofour:
            return ip.sixtofour
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
