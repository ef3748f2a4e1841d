"""Links (关联): tickets about the same matter, and a complaint that asks for a review (EX-16).

Nothing is merged and no clock changes: each ticket's history names the other.
"""

from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

from marshmallow import Schema

from app.core.errors import FieldError, Invalid
from app.security.principal import Principal
from app.tickets import queries, services
from app.tickets.actions import Request, action
from app.tickets.fields import CleanText
from app.tickets.form_fields import choice, opinion
from app.tickets.models import Ticket
from app.tickets.rules import STATES

REVIEW_WITHIN = timedelta(days=30)
"""信访工作条例 35, 36: to apply for a review (复查) or second review (复核)."""
_REVIEWABLE = frozenset({"completed", "archived"})
RELATIONS = {"same": "同一诉求", "review": "申请复查", "second_review": "申请复核"}


class LinkForm(Schema):
    """关联工单: which other ticket, and how it relates to this one."""

    other_no = CleanText(
        most=24, required=True, metadata={"label": "关联的工单", "help": "受理编号"}
    )
    relation = choice("关系", **RELATIONS)
    note = opinion("说明")


def _owns(principal: Principal, ticket: Ticket) -> bool:
    return principal.unit_id in {ticket.province_unit_id, ticket.registered_unit_id}


@action(
    "link",
    "关联工单",
    LinkForm,
    permission="ticket.register",
    states=frozenset(STATES),
    offered=_owns,
    icon="link-45deg",
    help="互相注明，不合并办理，时限不变。本工单是对另一件投诉的复查、复核申请的，选择相应关系。",
)
def link(request: Request) -> None:
    """关联 (DUP-02), 申请复查 (EX-16)."""
    ticket, relation = request.ticket, request.values["relation"]
    other = queries.find_ticket(request.principal, request.values["other_no"].upper())
    if other is None or other.id == ticket.id:
        raise Invalid([FieldError("other_no", "unknown", "没有这张工单，或不在您的单位")])
    if relation != "same":
        _may_be_reviewed(ticket, other)
    said = request.values.get("note")
    for here, there, of in (
        (ticket, other, request.id),
        (other, ticket, uuid5(NAMESPACE_OID, f"link:{request.id}")),
    ):
        words = f"{RELATIONS[relation]}：{there.acceptance_no}"
        text = f"{words}\n{said}" if said else words
        services.remark(here, "link", "linked", text, by=request.actor, at=request.now, of=of)


def _may_be_reviewed(ticket: Ticket, other: Ticket) -> None:
    """Only a concluded complaint, and within thirty days of its end."""
    if other.ticket_type != "complaint" or other.status not in _REVIEWABLE:
        told = "只有已办结、已归档的投诉可以申请复查、复核"
        raise Invalid([FieldError("other_no", "state", told)])
    ended = other.archived_at or ticket.submitted_at
    if ticket.submitted_at > ended + REVIEW_WITHIN:
        raise Invalid([FieldError("other_no", "late", "已超过办结后30日的申请期限")])
