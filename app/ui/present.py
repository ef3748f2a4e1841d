"""How a ticket looks to a person: masked facts, timeline, diagram. Reports are in `reports`."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from app.approvals.models import AGREED, Extension, ReturnRequest
from app.core.clock import BEIJING
from app.deadlines.policy import TITLES
from app.divisions import queries as divisions
from app.engine.models import ProcessEvent, UserTask
from app.engine.registry import OVERDUE
from app.files.models import Attachment
from app.organisations import queries as organisations
from app.security.masking import mask_address, mask_id_card, mask_name, mask_phone
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import codes, disclosure, sources
from app.tickets.actions import ACTIONS
from app.tickets.models import Opinion, Report, Ticket
from app.tickets.rules import is_sealed
from app.tickets.types import TICKET_TYPES
from app.ui.matters import MatterLines
from app.ui.requests import Hears, extension_line

SOURCES = {code: source.title for code, source in sources.SOURCES.items()}
DECISIONS = {
    "linked": "关联",
    "signed_in": "签收",
    "call_record": "受理，记录工单",
    "call_answered": "当场答复",
    "call_wrong_transfer": "误转",
    "call_dropped": "通话中断",
    "call_reached": "已接通",
    "call_missed": "未接通",
    "back_to_agent": "退回坐席",
    "accept": "受理",
    "province": "省级办理",
    "city": "市级自行办理",
    "to_city": "转办市级",
    "to_county": "转办县级",
    "return": "申请退单",
    "transfer": "申请移送",
    "agree": "同意",
    "back": "退回上级",
    "p12345": "同意，退回来源",
    "permit": "审批人准予",
    "received": "已接收",
    "answer": "直接答复",
    "supplement": "请12345补充",
    "merge": "并单",
    "refuse": "不同意",
    "approve": "同意",
    "reject": "驳回",
    "read": "已阅",
    "answered": "已答复",
    "supervision_issued": "发督办单",
    "supervision_declined": "不发督办单",
    "withdrawal_confirmed": "同意撤回",
    "withdrawal_refused": "继续办理",
    "suspension_agreed": "同意挂起",
    "suspension_refused": "不同意挂起",
    "called_back": "已回访",
    "rework_again": "退回原承办单位重办",
    "rework_dispatch": "重新分派",
    "rework_close": "解释并归档",
}
ANONYMOUS = "匿名（身份已密封）"
_CALLER: dict[str, tuple[str, Callable[[str | None], str]]] = {
    "caller_name": ("诉求人", mask_name),
    "contact_phone": ("联系电话", mask_phone),
    "caller_number": ("来电号码", mask_phone),
    "id_card_no": ("身份证号", mask_id_card),
    "caller_address": ("住址", mask_address),
    "household_head": ("户主", mask_name),
}
"""The personal fields of a ticket: label and mask."""


def _risks(ticket: Ticket) -> str:
    names = [codes.POVERTY_RISK.label(code) for code in ticket.poverty_risk or []]
    return "、".join(names) + (
        f"（{ticket.poverty_risk_note}）" if ticket.poverty_risk_note else ""
    )


def _targets(ticket: Ticket) -> str:
    named = [
        " ".join(filter(None, (one.get("organisation"), one.get("position"), one.get("name"))))
        for one in ticket.targets or []
    ]
    units = organisations.names(ticket.accused_unit_ids).values()
    return "；".join(dict.fromkeys([*filter(None, named), *units]))


_MATTER: dict[str, tuple[str, Callable[[Ticket], str]]] = {
    "relation": ("与户主关系", lambda ticket: ticket.relation or ""),
    "poverty_risk": ("返（致）贫风险", _risks),
    "caller_category": (
        "来电人员类别",
        lambda ticket: codes.CALLER_CATEGORY.label(ticket.caller_category),
    ),
    "target_info": ("投诉对象", lambda ticket: ticket.target_info or ""),
    "targets": ("被反映对象", _targets),
}
"""What only some types of ticket have: label and text."""

_ACCUSED = frozenset({"target_info", "targets"})
"""Left out where a summary takes the place of what was said (FLW-07)."""

_DELIVERY_ERRORS = {
    "CONNECT_TIMEOUT": "连接超时",
    "TIMEOUT": "应答超时",
    "CONNECT_FAILED": "无法连接",
    "CONNECTION_BROKEN": "连接中断",
    "HTTP_ERROR": "通信错误",
    "NO_ANSWER": "没有应答",
    "NOT_JSON": "应答格式不正确",
    "ANSWER_TOO_LARGE": "应答过长",
    "CODE_NOT_ZERO": "对方未确认接收",
    "CALLBACK_HOST_UNKNOWN": "回调域名无法解析",
    "CALLBACK_HOST_PRIVATE": "回调地址不在许可网段",
    "CALLBACK_NOT_HTTPS": "回调地址不是 HTTPS",
}


def shown(moment: datetime | None) -> str:
    """A moment as people read it, in Beijing time."""
    return "" if moment is None else moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def may_know(principal: Principal, ticket: Ticket) -> bool:
    """Whether this person may know anything of the caller; few may of a sealed one (ANON-02)."""
    hidden = is_sealed(ticket.is_anonymous, ticket.is_confidential)
    return not hidden or may(principal, "ticket.view_sealed")


def _address(principal: Principal, ticket: Ticket) -> str:
    """Where it is, unless that could tell who spoke."""
    return (ticket.detail_address or "") if may_know(principal, ticket) else ANONYMOUS


def may_see_files(principal: Principal, ticket: Ticket) -> bool:
    """Whether this person may have the files that came with the ticket itself."""
    return may_know(principal, ticket) and disclosure.reads_original(principal, ticket)


def may_reveal(principal: Principal, ticket: Ticket) -> bool:
    """Whether this person may ask for the caller's fields unmasked."""
    return may(principal, "ticket.reveal") and may_know(principal, ticket)


def revealable(ticket: Ticket) -> list[tuple[str, str]]:
    """(field, label) of what is known of the caller."""
    return [
        (name, label)
        for name, (label, _) in _CALLER.items()
        if getattr(ticket, name) and not (name == "caller_number" and ticket.caller_number_unknown)
    ]


def facts(
    principal: Principal, ticket: Ticket, revealed: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """The caller and the matter, personal data masked but for the `revealed` fields.

    Only what the ticket's type asks for is listed.
    """
    asked = TICKET_TYPES[ticket.ticket_type].columns
    reads = disclosure.reads_original(principal, ticket)
    if may_know(principal, ticket):
        known = {name for name, _ in revealable(ticket)}
        caller = [
            (label, _caller_text(ticket, name, known, name in revealed))
            for name, (label, _) in _CALLER.items()
            if name in asked
        ]
    else:
        caller = [("诉求人", ANONYMOUS)]
    place = divisions.full_name(ticket.division_code) if ticket.division_code else ""
    if ticket.division_unresolved:
        place = f"{ticket.division_text or ''}（待确认）"
    return [
        *caller,
        ("行政区划", place),
        ("详细地址", _address(principal, ticket)),
        *(
            (label, text(ticket))
            for name, (label, text) in _MATTER.items()
            if name in asked and (name not in _ACCUSED or (reads and text(ticket)))
        ),
        ("来源 / 受理", f"{SOURCES[ticket.source]} · {shown(ticket.submitted_at)}"),
        ("来电时间 / 工号", f"{shown(ticket.called_at)} · {ticket.operator_no}"),
    ]


def _caller_text(ticket: Ticket, name: str, known: set[str], open_: bool) -> str:
    if name not in known:
        if name == "caller_name" and ticket.is_anonymous:
            return "匿名"
        unknown = name == "caller_number" and ticket.caller_number_unknown
        return "未知号码" if unknown else ""
    value = str(getattr(ticket, name))
    return value if open_ else _CALLER[name][1](value)


_MESSAGES = {
    "confirm.result": "12345 已确认收到结果",
    "decide.return": "12345 批复退单申请",
    "supply.supplement": "12345 已补充材料",
    "report.callback": "12345 反馈回访结果",
    "resume.ticket": "恢复办理",
}
"""What the arrival of a message means to a person."""


_TOLD_BY_ACTION = frozenset({"return.up"})
"""Events whose line is that of the action that raised them."""


_FOR_BELOW = frozenset(
    {"dispatch", "city_decide", "review_return", "audit_by_city", "audit_by_province"}
)
"""Steps whose words are written for the units below."""


def _answer_text(request: ReturnRequest | None, hears: Hears) -> str:
    if request is None:
        return ""
    by = f"（{request.decided_by}）" if request.decided_by else ""
    why = f" · {request.opinion}" if hears(None) else ""
    return f"{'同意' if request.state == AGREED else '不同意'}{by}{why}"


def _words(opinion: Opinion, hears: Hears) -> str:
    """What somebody wrote, where the reader may have it (ANON-02, FLW-07)."""
    may_read = opinion.step in _FOR_BELOW or hears(opinion.unit_id)
    return (opinion.text or "") if may_read else ""


def timeline(
    events: Sequence[ProcessEvent],
    opinions: Sequence[Opinion],
    reports: Sequence[Report],
    waiting: Sequence[UserTask],
    returns: Sequence[ReturnRequest] = (),
    extensions: Sequence[Extension] = (),
    matters: MatterLines | None = None,
    *,
    hears: Hears,
) -> list[dict[str, Any]]:
    """Who did what and when, then who holds it now.

    `returns`, `extensions` and `matters` explain what was asked and answered; of words that the
    reader does not hear only the decision is told.
    """
    answers = iter([r for r in returns if r.decided_at is not None])
    said = {opinion.task_id: opinion for opinion in opinions}
    versions = {report.task_id: report for report in reports}
    spoken = [o for o in opinions if o.step in ACTIONS]
    units = _unit_names(
        [e.unit_id for e in events] + [t.unit_id for t in waiting] + [o.unit_id for o in spoken]
    )
    moments: list[datetime] = []
    lines: list[dict[str, Any]] = []
    for event in events:
        if event.kind not in {"user", "service", "message", "cancelled"}:
            continue
        if event.element_name in _TOLD_BY_ACTION:
            continue
        opinion = said.get(event.task_id) if event.task_id else None
        report = versions.get(event.task_id) if event.task_id else None
        decision = DECISIONS.get(opinion.decision, "") if opinion else ""
        if decision in event.element_name:  # “签收：签收” says nothing twice
            decision = ""
        text = " · ".join(x for x in (decision, _words(opinion, hears) if opinion else "") if x)
        if event.kind == "message" and event.element_name == "decide.return":
            text = _answer_text(next(answers, None), hears)
        if report is not None:
            text = f"提交第 {report.version} 版{report.noun}"
        title = _MESSAGES.get(event.element_name, event.element_name)
        if event.element_name.startswith(OVERDUE):
            title = f"{TITLES[event.element_name.removeprefix(OVERDUE)]}超时"
        title, text = extension_line(event, extensions, hears) or (title, text)
        title, text = (matters and matters.line(event)) or (title, text)
        by_somebody = event.kind == "user" or (event.kind == "message" and event.actor_id)
        moments.append(event.at)
        lines.append(
            {
                "kind": "returned" if opinion and opinion.decision == "reject" else "done",
                "title": title,
                "who": event.actor_name if by_somebody else "系统自动",
                "unit": units.get(event.unit_id or 0, ""),
                "at": shown(event.at),
                "text": text,
                "files": [],
                "duration": _duration(event.duration_s) if event.kind == "user" else "",
            }
        )
    for opinion in spoken:
        place = bisect_right(moments, opinion.at)
        moments.insert(place, opinion.at)
        lines.insert(place, _spoken(opinion, units, hears))
    for task in waiting:
        lines.append(
            {
                "kind": "current",
                "title": task.name,
                "who": task.assignee_name or "待认领",
                "unit": units.get(task.unit_id or 0, ""),
                "at": shown(task.opened_at),
                "text": "",
                "files": [],
                "duration": "办理中",
            }
        )
    return lines


def _spoken(opinion: Opinion, units: Mapping[int, str], hears: Hears) -> dict[str, Any]:
    """What somebody did outside the steps of the flow, and why."""
    return {
        "kind": "returned" if opinion.decision == "back" else "done",
        "title": ACTIONS[opinion.step].title,
        "who": opinion.author_name,
        "unit": units.get(opinion.unit_id or 0, ""),
        "at": shown(opinion.at),
        "text": _words(opinion, hears),
        "files": [],
        "duration": "",
    }


def file_view(file: Attachment) -> dict[str, Any]:
    """A file as lists show it."""
    return {
        "id": file.id,
        "name": file.name,
        "size": file_size(file.size),
        "url": url_for("files.download", attachment_id=file.id),
        "field": None,
    }


def file_size(size: int) -> str:
    """1.5 MB, 12 KB."""
    megabyte = 1024 * 1024
    return f"{size / megabyte:.1f} MB" if size >= megabyte else f"{max(1, round(size / 1024))} KB"


def delivery_error(code: str | None) -> str:
    """A code of the exchange as people read it, with the code where it helps to look it up."""
    if not code:
        return ""
    known = _DELIVERY_ERRORS.get(code)
    if known is None and code.startswith("HTTP_"):
        known = f"对方返回 HTTP {code.removeprefix('HTTP_')}"
    return known or f"发送前出错（{code}）"


def _unit_names(ids: Sequence[int | None]) -> dict[int, str]:
    names = {}
    for unit_id in {i for i in ids if i}:
        unit = organisations.unit(unit_id)
        if unit is not None:
            names[unit_id] = unit.name
    return names


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    minutes = seconds // 60
    if minutes < 60:
        return f"用时 {max(1, minutes)} 分钟"
    hours, rest = divmod(minutes, 60)
    return f"用时 {hours} 小时 {rest} 分" if hours < 48 else f"用时 {hours // 24} 天"
