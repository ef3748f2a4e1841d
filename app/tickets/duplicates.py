"""Duplicates (重复件): tickets that may be about the same matter. A person decides, never we.

What was decided of a pair is kept: 新诉求 is not offered again, 并单 of an agent is a hint to the
operator who checks the call.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.engine.registry import Actor
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.merge import MERGEABLE
from app.tickets.models import DuplicateDecision, Ticket
from app.tickets.queries import visible_to
from app.tickets.rules import CLOSED, is_sealed
from app.tickets.types import TICKET_TYPES

WITHIN = timedelta(days=90)
ALIKE = 0.6
"""DUP-02."""
MERGE, LINK, NEW = "merge", "link", "new"
DECISIONS = {MERGE: "并单", LINK: "关联", NEW: "新诉求"}
_VILLAGE = "000"
"""A division code that ends so names a township or more, which is no sign of one matter."""
_COMPARED = 400
_LOOKED_AT = 40
_SHOWN = 6


@dataclass(frozen=True)
class Said:
    """What is known of a matter: that of the ticket, or what an agent has typed of it so far."""

    content: str
    division_code: str | None
    problem_category: int | None


@dataclass(frozen=True)
class Candidate:
    """A ticket that may be about the same, and why it is listed."""

    ticket: Ticket
    reasons: tuple[str, ...]
    alike: int
    """How much of the words agree, in per cent."""
    can_merge: bool
    decision: DuplicateDecision | None = None
    """What somebody has decided of it: 并单 or 关联."""

    @property
    def is_open(self) -> bool:
        """Whether its result is still to come."""
        return self.ticket.status not in CLOSED


def candidates(ticket: Ticket, principal: Principal, said: Said | None = None) -> list[Candidate]:
    """Earlier tickets of the province by the same caller, or of the same village and category.

    A call that is being recorded has no words to compare, or few: all of its number are listed,
    running ones first. A match with or of a sealed caller is listed only for those who may see
    one: the hit alone would tell who spoke (DUP-04).
    """
    if not may(principal, "ticket.view"):
        return []
    said = said or Said(ticket.content, ticket.division_code, ticket.problem_category)
    signs = [*_same_caller(ticket), *_same_place(said)]
    if not signs:
        return []
    decided = decisions(ticket)
    rows = session().scalars(
        select(Ticket)
        .where(
            visible_to(principal),
            Ticket.id != ticket.id,
            Ticket.province_unit_id == ticket.province_unit_id,
            Ticket.submitted_at > ticket.submitted_at - WITHIN,
            Ticket.submitted_at <= ticket.submitted_at,
            Ticket.content != "",
            Ticket.id.not_in([other for other, made in decided.items() if made.decision == NEW]),
            or_(*signs),
        )
        .order_by(Ticket.id.desc())
        .limit(_LOOKED_AT)
    )
    found = _compared(ticket, said, rows, decided, may_see=may(principal, "ticket.view_sealed"))
    calling = not ticket.content
    found.sort(key=lambda each: (calling and not each.is_open, -each.alike))
    return found[:_SHOWN]


def decisions(ticket: Ticket) -> dict[int, DuplicateDecision]:
    """What has been decided of the ticket's candidates, by their ids."""
    made = select(DuplicateDecision).where(DuplicateDecision.ticket_id == ticket.id)
    return {row.other_id: row for row in session().scalars(made)}


def decide(ticket: Ticket, other: Ticket, decision: str, *, by: Actor, at: datetime) -> None:
    """Remember what a person decided of a candidate; a later decision takes the place."""
    values = {"decision": decision, "actor_id": by.id, "actor_name": by.name, "at": at}
    session().execute(
        insert(DuplicateDecision)
        .values(ticket_id=ticket.id, other_id=other.id, **values)
        .on_conflict_do_update(
            index_elements=[DuplicateDecision.ticket_id, DuplicateDecision.other_id], set_=values
        )
    )


def _same_caller(ticket: Ticket) -> list[ColumnElement[bool]]:
    numbers = [n for n in (ticket.caller_number_hash, ticket.contact_phone_hash) if n is not None]
    signs: list[ColumnElement[bool]] = []
    if numbers:
        signs += [Ticket.caller_number_hash.in_(numbers), Ticket.contact_phone_hash.in_(numbers)]
    if ticket.id_card_hash is not None:
        signs.append(Ticket.id_card_hash == ticket.id_card_hash)
    return signs


def _same_place(said: Said) -> list[ColumnElement[bool]]:
    code = said.division_code
    if not code or code.endswith(_VILLAGE) or said.problem_category is None:
        return []
    category = Ticket.problem_category == said.problem_category
    return [and_(Ticket.division_code == code, category)]


def _compared(
    ticket: Ticket,
    said: Said,
    others: Iterable[Ticket],
    decided: dict[int, DuplicateDecision],
    *,
    may_see: bool,
) -> list[Candidate]:
    found = []
    for other in others:
        caller = (
            _caller_reasons(ticket, other) if may_see or not _either_sealed(ticket, other) else []
        )
        place = _same_place(said) and other.division_code == said.division_code
        here = place and other.problem_category == said.problem_category
        reasons = (*caller, *(["同村同类问题"] if here else []))
        alike = similarity(said.content, other.content) if reasons else 0.0
        if alike >= ALIKE or (caller and not ticket.content):
            can_merge = _can_merge(ticket, other)
            made = decided.get(other.id)
            found.append(Candidate(other, reasons, round(alike * 100), can_merge, made))
    return found


def _caller_reasons(ticket: Ticket, other: Ticket) -> list[str]:
    reasons = []
    numbers = {ticket.caller_number_hash, ticket.contact_phone_hash} - {None}
    if not numbers.isdisjoint({other.caller_number_hash, other.contact_phone_hash}):
        reasons.append("同一来电号码")
    if ticket.id_card_hash is not None and ticket.id_card_hash == other.id_card_hash:
        reasons.append("同一身份证号")
    return reasons


def _can_merge(ticket: Ticket, other: Ticket) -> bool:
    """Whether the merge would be taken; of a call nobody knows the type before it is recorded."""
    ours, theirs = TICKET_TYPES[ticket.ticket_type], TICKET_TYPES[other.ticket_type]
    alike = not ticket.content or ours.result == theirs.result
    return alike and other.status in MERGEABLE and other.merged_into_id is None


def similarity(one: str, other: str) -> float:
    """How alike two texts are by their first characters, from 0 to 1."""
    match = SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False)
    if match.real_quick_ratio() < ALIKE or match.quick_ratio() < ALIKE:
        return 0.0
    return match.ratio()


def _either_sealed(*tickets: Ticket) -> bool:
    return any(is_sealed(each.is_anonymous, each.is_confidential) for each in tickets)
