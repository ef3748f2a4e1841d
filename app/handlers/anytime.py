"""What people do beside the flow (随时操作): 催办, 督办, 补充, 撤回, 挂起, 恢复."""

from app.core.errors import FieldError, Invalid
from app.files import services as files
from app.matters import queries, rules
from app.matters import services as matters
from app.matters.forms import (
    ResumeForm,
    SuperviseForm,
    SupplementForm,
    SuspendForm,
    UrgeForm,
    WithdrawForm,
)
from app.security.principal import Principal
from app.tickets.actions import Request, action
from app.tickets.models import Ticket


def _may_urge(principal: Principal, ticket: Ticket) -> bool:
    holder = queries.holder(ticket)
    same = holder.id == principal.unit_id
    return rules.may_urge(principal.level, principal.roles, holder.level, same_unit=same)


def _is_above_holder(principal: Principal, ticket: Ticket) -> bool:
    return rules.is_above(principal.level, queries.holder(ticket).level)


def _holds(principal: Principal, ticket: Ticket) -> bool:
    return queries.holder(ticket).id == principal.unit_id


def _may_resume(principal: Principal, ticket: Ticket) -> bool:
    return principal.unit_id == ticket.province_unit_id or _holds(principal, ticket)


@action(
    "urge",
    "催办",
    UrgeForm,
    permission="ticket.urge",
    states=rules.RUNNING,
    offered=_may_urge,
    icon="bell",
    help="承办单位须在1个工作日内答复，办理时限不变。",
)
def urge(request: Request) -> None:
    """催办 (EX-05)."""
    by = matters.Raiser.person(request.actor)
    matter = matters.urge(request.ticket, request.values["text"], by=by, now=request.now)
    request.tell(matters.RAISE, matters.event_of(matter))


@action(
    "supervise",
    "督办",
    SuperviseForm,
    permission="ticket.supervise",
    states=rules.RUNNING,
    offered=_is_above_holder,
    icon="flag",
    help="发出编号的督办单，承办单位须在3个工作日内答复。",
)
def supervise(request: Request) -> None:
    """督办 (EX-06)."""
    by = matters.Raiser.person(request.actor)
    values = request.values
    matter = matters.supervise(
        request.ticket, values["text"], reason_code=values["reason_code"], by=by, now=request.now
    )
    request.tell(matters.RAISE, matters.event_of(matter))


@action(
    "supplement",
    "补充材料",
    SupplementForm,
    permission="ticket.supplement",
    states=rules.SUPPLEMENTABLE,
    icon="paperclip",
    help="各级承办单位均可见，承办单位会收到查看提醒。",
)
def supplement(request: Request) -> None:
    """补充 (EX-10)."""
    ids = request.values["attachments"]
    owner = files.Owner.of(request.principal)
    files.attach(ids, request.ticket.id, owner, request.now)
    matter = matters.supplement(
        request.ticket,
        request.values.get("text") or rules.FILES_ONLY,
        by=matters.Raiser.person(request.actor),
        now=request.now,
        attachments=ids,
    )
    request.tell(matters.RAISE, matters.event_of(matter))


@action(
    "withdraw",
    "撤回",
    WithdrawForm,
    permission="ticket.withdraw",
    states=rules.WITHDRAWABLE,
    icon="arrow-return-left",
    help="诉求人要求撤回时使用，须由省级确认。",
)
def withdraw(request: Request) -> None:
    """撤回 (EX-07)."""
    by = matters.Raiser.person(request.actor)
    matter = matters.withdraw(request.ticket, request.values["reason"], by=by, now=request.now)
    request.tell(matters.RAISE, matters.event_of(matter))


@action(
    "suspend",
    "挂起",
    SuspendForm,
    permission="ticket.suspend",
    states=rules.SUSPENDABLE,
    offered=_holds,
    icon="pause-circle",
    help="等待鉴定、诉讼或诉求人举证时申请，经省级审批人批准后暂停办理，到期自动恢复。",
)
def suspend(request: Request) -> None:
    """挂起 (EX-11)."""
    values = request.values
    until, problem = rules.suspension_ends(values["until"], request.now)
    if problem is not None:
        raise Invalid([FieldError("until", "range", problem)])
    matter = matters.suspend(
        request.ticket,
        values["reason"],
        reason_code=values["reason_code"],
        until=until,
        by=matters.Raiser.person(request.actor),
        now=request.now,
    )
    request.tell(matters.RAISE, matters.event_of(matter))


@action(
    "resume",
    "恢复办理",
    ResumeForm,
    permission="ticket.suspend",
    states=frozenset({"suspended"}),
    offered=_may_resume,
    icon="arrow-repeat",
)
def resume(request: Request) -> None:
    """恢复: before the suspension's time is over."""
    request.tell("resume.ticket", {})
