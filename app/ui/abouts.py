"""What a step is about (事由): what was asked or said that this person now answers."""

from collections.abc import Callable

from app.approvals import lower_returns
from app.approvals import queries as approvals
from app.approvals.models import OPEN
from app.callbacks import queries as callbacks
from app.callbacks.models import Callback
from app.engine.models import UserTask
from app.matters import queries as matters
from app.matters.rules import KINDS, REASONS, TASKS
from app.organisations import queries as organisations
from app.security.principal import Principal
from app.tickets import codes, disclosure, merge, queries
from app.tickets.models import Ticket
from app.tickets.rules import STATES
from app.ui.matters import HIDDEN, said
from app.ui.present import may_know, shown
from app.ui.reports import facts_of, outcome

Lines = list[tuple[str, str]]

_KIND_OF = {task: kind for kind, task in TASKS.items()}
_KIND_OF["national_confirms_withdrawal"] = "withdraw"
"""Task of `matters` → the kind of matter it answers."""
BESIDE = frozenset(
    {*_KIND_OF, "city_opinion", "province_opinion", "leader_decides", "national_decides"}
)
"""Tasks beside the flow: who has one of them and one of the flow is first offered the latter."""


def about(principal: Principal, ticket: Ticket, row: UserTask) -> Lines:
    """(label, text) of what this step answers; nothing for a step that begins of itself."""
    if row.element_id in _KIND_OF:
        return _matter(principal, ticket, row)
    if (row.form or "").startswith("ticket.investigate."):
        return _once_more(principal, ticket)
    tell = _TELL.get(row.element_id)
    return [] if tell is None else tell(principal, ticket)


def _matter(principal: Principal, ticket: Ticket, row: UserTask) -> Lines:
    kind = _KIND_OF[row.element_id]
    lines: Lines = []
    for matter in matters.of_ticket(ticket.id):
        if matter.kind != kind or matter.state != OPEN or matter.unit_id not in {None, row.unit_id}:
            continue
        who = "12345" if matter.partner_id is not None else matter.raised_by_name
        lines.append((KINDS[kind], said(principal, ticket, matter)))
        lines.append(("提出", f"{who} · {shown(matter.raised_at)}"))
        if matter.number:
            lines.append(("编号", matter.number))
        if kind in REASONS:
            lines.append(("原因", REASONS[kind].label(matter.reason_code)))
        if matter.due_at is not None:
            label = "挂起至" if kind == "suspend" else "答复期限"
            lines.append((label, shown(matter.due_at)))
    return lines


def _extension(principal: Principal, ticket: Ticket) -> Lines:
    request = approvals.latest_extension(ticket.id)
    if request is None or request.state != OPEN:
        return []
    unit = organisations.unit(request.unit_id or 0)
    return [
        ("延期理由", request.reason),
        ("延期时间", f"{request.days} 天，延至 {shown(request.proposed_due_at)}"),
        ("现时限", shown(request.due_before)),
        ("告知诉求人", request.informed_note),
        ("申请", f"{unit.name if unit else ''} {request.requested_by_name}".strip()),
    ]


def _lower_return(principal: Principal, ticket: Ticket) -> Lines:
    request = lower_returns.open_of(ticket.id)
    if request is None:
        return []
    unit = organisations.unit(request.from_unit_id)
    return [
        ("退回理由", request.reason),
        ("退回单位", unit.name if unit else ""),
        ("退回", f"{request.asked_by_name} · {shown(request.asked_at)}"),
    ]


def _transfer(principal: Principal, ticket: Ticket) -> Lines:
    transfer = approvals.latest_transfer(ticket.id)
    if transfer is None:
        return []
    return [
        ("移送单位", transfer.organisation),
        ("移送理由", transfer.reason),
        ("申请", f"{transfer.requested_by_name} · {shown(transfer.requested_at)}"),
    ]


def _conclusion(principal: Principal, ticket: Ticket) -> Lines:
    """How the nation's ticket ends without a result of its own."""
    if ticket.merged_into_id is None:
        return _transfer(principal, ticket)
    survivor = merge.survivor_of(ticket)
    return [("并入工单", f"{survivor.acceptance_no}（{STATES[survivor.status]}）")]


def _national_return(principal: Principal, ticket: Ticket) -> Lines:
    request = approvals.latest_return(ticket.id)
    if request is None:
        return []
    return [
        ("退单原因", codes.RETURN_REASON.label(request.reason_code)),
        ("退单理由", request.reason),
    ]


def _callback(principal: Principal, ticket: Ticket) -> Lines:
    callback = callbacks.last_of_round(ticket.id, ticket.round)
    return [] if callback is None else _said_of_result(principal, ticket, callback)


def _said_of_result(principal: Principal, ticket: Ticket, callback: Callback) -> Lines:
    text = callback.text if may_know(principal, ticket) else HIDDEN
    lines = [("满意度", codes.SATISFACTION.label(callback.satisfaction))]
    return [*lines, ("来电人意见", text or "—"), ("回访", shown(callback.called_at))]


def _once_more(principal: Principal, ticket: Ticket) -> Lines:
    """Why a unit handles it again: an audit rejected its report, or the caller was not content."""
    report = queries.latest_report(ticket)
    if report is None:
        return []
    rejection = queries.rejection_of(report, queries.opinions(ticket.id))
    if rejection is not None:
        return [
            ("驳回意见", rejection.text or "—"),
            ("审核", f"{rejection.author_name} · {shown(rejection.at)}"),
            ("修改", f"已带入第 {report.version} 版内容，附件须重新上传"),
        ]
    callback = callbacks.last_of_round(ticket.id, ticket.round - 1)
    if callback is None or callback.called_at < report.submitted_at:
        return []
    return _said_of_result(principal, ticket, callback)


def _result(principal: Principal, ticket: Ticket) -> Lines:
    """What was found and done: who calls the petitioner back has to know it."""
    report = queries.latest_report(ticket)
    if report is None or not disclosure.hears(principal, ticket, report.unit_id):
        return []
    unit = organisations.unit(report.unit_id or 0)
    return [
        ("办理结果", outcome(report)),
        *((label, text) for label, text in facts_of(report) if label in _FOR_CALLER and text),
        ("承办", f"{unit.name if unit else ''} {report.author_name}".strip()),
    ]


_FOR_CALLER = frozenset({"处理意见", "结果说明", "答复内容", "告知诉求人", "反馈信访人情况"})
"""Labels of a report that matter to the petitioner."""
_TELL: dict[str, Callable[[Principal, Ticket], Lines]] = {
    "city_opinion": _extension,
    "province_opinion": _extension,
    "leader_decides": _extension,
    "national_decides": _extension,
    "review_return": _lower_return,
    "approve_transfer": _transfer,
    "national_decides_return": _national_return,
    "national_informed": _conclusion,
    "decide_rework": _callback,
    "own_callback": _result,
}
