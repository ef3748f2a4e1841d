"""Decisions about a ticket as plain functions: identity numbers, phones, anonymity, states."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core.errors import FieldError

STATES = {
    "draft": "暂存",
    "submitted": "待签收",
    "reviewing": "待初审",
    "supplement_pending": "待补充",
    "return_pending": "退单待批复",
    "dispatching": "待分派",
    "delegated": "已转办待签收",
    "handling": "办理中",
    "auditing": "待审核",
    "result_pending": "待反馈",
    "completed": "已办结",
    "callback_pending": "待回访",
    "reworking": "重办中",
    "suspended": "已挂起",
    "archived": "已归档",
    "returned": "已退单",
    "withdrawn": "已撤回",
    "merged": "已并单",
    "transferred_out": "已移送",
    "answered": "即时答复",
    "wrong_transfer": "误转",
    "dropped": "中断未回",
}
"""The one vocabulary of states (REQUIREMENTS 1.7)."""

CLOSED = frozenset(
    {
        "archived",
        "returned",
        "withdrawn",
        "merged",
        "transferred_out",
        "answered",
        "wrong_transfer",
        "dropped",
    }
)
"""Where a ticket ends: no action is possible any more (EX-17)."""

BEFORE_HANDLING = frozenset(
    {"draft", "submitted", "reviewing", "supplement_pending", "return_pending"}
)
IN_HANDLING = frozenset({"dispatching", "delegated", "handling", "auditing", "reworking"})
WAITING = frozenset(STATES) - CLOSED
"""What an element may mean while it waits; where a flowchart ends it means one of `CLOSED`."""

ANONYMITY_MODES = {
    "named_requires_caller": "实名须填姓名和联系电话，匿名不要求",
    "named_requires_group": "实名须填姓名、电话、住址、身份证号（拒绝提供的可注明），匿名不要求",
    "seed_literal": "匿名须填姓名、电话、住址、身份证号，实名不要求",
    "lenient": "均不强制，缺少的在初审时提示",
}
"""ANON-01: configured per partner, default `named_requires_caller`."""

CALLER_FIELDS = {
    "caller_name": "姓名",
    "contact_phone": "联系电话",
    "caller_address": "住址",
    "id_card_no": "身份证号",
}

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}(-\d{1,6})?", re.ASCII)

_CALLER = "(?:来电人|来电者|来电群众|来电市民|市民|群众|诉求人|当事人|信访人)"
_LEAD_IN = re.compile(
    rf"{_CALLER}(?:表示)?(?:不愿|不想)(?:透露|公开)(?:其)?(?:身份|姓名|个人信息)[。，；：:,;\s]*"
    rf"|{_CALLER}?(?:来电|致电)?(?:反映|反应)(?!的|了|过|强烈)(?:称|到)?[。，；：:,;\s]*"
    rf"|{_CALLER}(?:来电|致电)?(?:称|表示|投诉|举报|咨询)(?![呼为的])[。，；：:,;\s]*"
)
_CLOCK_SKEW = timedelta(minutes=5)
_TITLE_LEAST = 4
"""So many characters must be left for a title after its lead-in."""


@dataclass(frozen=True)
class Warning:
    """Something the sender should know although the ticket was accepted."""

    code: str
    field: str
    message: str


def id_card_problem(number: str, today: date) -> tuple[str, str] | None:
    """(rule, message) of what is wrong with an ID card number (GB 11643-1999), or None.

    The area prefix is not judged: historic codes are valid for life.
    """
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "format", "身份证号应为18位，末位可为X"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "birth_date", "身份证号中的出生日期不存在"
    if born > today or born.year < 1850:
        return "birth_date", "身份证号中的出生日期不合理"
    total = sum(int(d) * w for d, w in zip(number, _ID_WEIGHTS, strict=False))
    if _ID_CHECKS[total % 11] != number[17]:
        return "checksum", "身份证号校验位错误"
    return None


def is_phone(number: str) -> bool:
    """Whether it is a Chinese mobile or landline number with area code."""
    return bool(_MOBILE.fullmatch(number) or _LANDLINE.fullmatch(number))


def caller_problems(
    mode: str, values: Mapping[str, Any], declined: list[str]
) -> tuple[list[FieldError], list[Warning]]:
    """Which caller fields are missing under the anonymity rule (ANON-01)."""
    anonymous = values.get("is_anonymous")
    if anonymous is None:
        return [], []
    missing = [name for name in CALLER_FIELDS if not values.get(name)]
    required: list[str] = []
    if mode == "named_requires_caller" and not anonymous:
        required = ["caller_name", "contact_phone"]
    elif mode == "named_requires_group" and not anonymous:
        required = [name for name in CALLER_FIELDS if name not in declined]
    elif mode == "seed_literal" and anonymous:
        required = list(CALLER_FIELDS)
    kind = "匿名" if anonymous else "实名"
    errors = [
        FieldError(name, "required", f"{kind}投诉须填写{CALLER_FIELDS[name]}")
        for name in required
        if name in missing
    ]
    if mode == "lenient" and not anonymous and missing:
        names = "、".join(CALLER_FIELDS[name] for name in missing)
        return [], [Warning("CALLER_INFO_INCOMPLETE", missing[0], f"来电人信息不完整：{names}")]
    return errors, []


def future_problems(
    field: str, label: str, moment: datetime | None, now: datetime
) -> list[FieldError]:
    """What is wrong with the time of something that has happened; clocks may differ a little."""
    if moment is None or moment <= now + _CLOCK_SKEW:
        return []
    return [FieldError(field, "future", f"{label}不能晚于当前时间")]


def call_time_problems(
    called_at: datetime, now: datetime
) -> tuple[list[FieldError], list[Warning]]:
    """A call from the future is an error, one older than thirty days a hint."""
    if wrong := future_problems("called_at", "来电时间", called_at, now):
        return wrong, []
    if called_at < now - timedelta(days=30):
        return [], [Warning("BACKFILL", "called_at", "来电时间早于30天前，按补录处理")]
    return [], []


def state_of(standing: Sequence[str], before: str, *, reworked: bool) -> str:
    """The state of a ticket whose diagram stands at elements that mean these, the newest last.

    A suspension waits beside the step that it interrupts and outranks it; otherwise the newest
    decides. Where no waiting element means anything, it stays as it was.
    """
    state = "suspended" if "suspended" in standing else [before, *standing][-1]
    return "reworking" if reworked and state == "handling" else state


def is_sealed(is_anonymous: bool, is_confidential: bool) -> bool:
    """Whether the caller's identity is hidden from the lower levels (ANON-02)."""
    return is_anonymous or is_confidential


def title_of(content: str) -> str:
    """A line for lists: what the citizen said, without “来电人反映：” and the like, from the start.

    Titles that all begin alike cannot be told apart at a glance; of the lead-in nothing is lost,
    the page shows the content as it came.
    """
    line = " ".join(content.split())
    while (found := _LEAD_IN.match(line)) and len(line) - found.end() >= _TITLE_LEAST:
        line = line[found.end() :]
    return line if len(line) <= 40 else f"{line[:39]}…"


def may_audit(author_id: int | None, auditor_id: int | None, *, relaxed: bool) -> bool:
    """Four eyes (FLW-04): the auditor is not the author, unless the unit has one operator only."""
    return relaxed or author_id is None or author_id != auditor_id
