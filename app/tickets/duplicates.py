"""Duplicates (重复件): tickets that may be about the same matter. A person decides, never we."""

from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher

from sqlalchemy import ColumnElement, and_, or_, select

from app.core.db import session
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.merge import MERGEABLE
from app.tickets.models import Ticket
from app.tickets.rules import is_sealed

WITHIN = timedelta(days=90)
ALIKE = 0.6
"""DUP-02."""
_VILLAGE = "000"
"""A division code that ends so names a township or more, which is no sign of one matter."""
_COMPARED = 400
_LOOKED_AT = 40
_SHOWN = 8


@dataclass(frozen=True)
class Candidate:
    """A ticket that may be about the same, and why it is listed."""

    ticket: Ticket
    reasons: tuple[str, ...]
    alike: int
    """How much of the words agree, in per cent."""
    can_merge: bool


def candidates(ticket: Ticket, principal: Principal) -> list[Candidate]:
    """Earlier tickets of the province by the same caller, or of the same village and category.

    A match with or of a sealed caller is listed only for those who may see one: the hit alone would
    tell who spoke (DUP-04).
    """
    if not may(principal, "ticket.view"):
        return []
    signs = [*_same_caller(ticket), *_same_place(ticket)]
    if not signs:
        return []
    rows = session().scalars(
        select(Ticket)
        .where(
            Ticket.id != ticket.id,
            Ticket.province_unit_id == ticket.province_unit_id,
            Ticket.submitted_at > ticket.submitted_at - WITHIN,
            Ticket.submitted_at <= ticket.submitted_at,
            or_(*signs),
        )
        .order_by(Ticket.id.desc())
        .limit(_LOOKED_AT)
    )
    may_see = may(principal, "ticket.view_sealed")
    found = [candidate for row in rows if (candidate := _compare(ticket, row, may_see=may_see))]
    return sorted(found, key=lambda each: -each.alike)[:_SHOWN]


def _same_caller(ticket: Ticket) -> list[ColumnElement[bool]]:
    numbers = [n for n in (ticket.caller_number_hash, ticket.contact_phone_hash) if n is not None]
    signs: list[ColumnElement[bool]] = []
    if numbers:
        signs += [Ticket.caller_number_hash.in_(numbers), Ticket.contact_phone_hash.in_(numbers)]
    if ticket.id_card_hash is not None:
        signs.append(Ticket.id_card_hash == ticket.id_card_hash)
    return signs


def _same_place(ticket: Ticket) -> list[ColumnElement[bool]]:
    code = ticket.division_code
    if not code or code.endswith(_VILLAGE) or ticket.problem_category is None:
        return []
    category = Ticket.problem_category == ticket.problem_category
    return [and_(Ticket.division_code == code, category)]


def _compare(ticket: Ticket, other: Ticket, *, may_see: bool) -> Candidate | None:
    reasons = []
    if may_see or not (_sealed(ticket) or _sealed(other)):
        numbers = {ticket.caller_number_hash, ticket.contact_phone_hash} - {None}
        if not numbers.isdisjoint({other.caller_number_hash, other.contact_phone_hash}):
            reasons.append("同一来电号码")
        if ticket.id_card_hash is not None and ticket.id_card_hash == other.id_card_hash:
            reasons.append("同一身份证号")
    same_place = _same_place(ticket) and other.division_code == ticket.division_code
    if same_place and other.problem_category == ticket.problem_category:
        reasons.append("同村同类问题")
    alike = similarity(ticket.content, other.content) if reasons else 0.0
    if alike < ALIKE:
        return None
    can_merge = other.status in MERGEABLE and other.merged_into_id is None
    return Candidate(other, tuple(reasons), round(alike * 100), can_merge)


def similarity(one: str, other: str) -> float:
    """How alike two texts are by their first characters, from 0 to 1."""
    match = SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False)
    if match.real_quick_ratio() < ALIKE or match.quick_ratio() < ALIKE:
        return 0.0
    return match.ratio()


def _sealed(ticket: Ticket) -> bool:
    return is_sealed(ticket.is_anonymous, ticket.is_confidential)
