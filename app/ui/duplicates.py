"""Likely duplicates (重复件) beside a form: this ticket on the left, a candidate on the right.

Drawn at the review (T04), the record of a call (C05) and its check (C07); there a person decides
并单, 关联 or 新诉求 (DUP-02). Whose identity is sealed is told only to those who may know (DUP-04).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import url_for

from app.core.db import session
from app.divisions import queries as divisions
from app.engine import runner
from app.engine.errors import TaskAlreadyDone, TaskClaimed
from app.engine.models import UserTask
from app.security.masking import mask_name, mask_phone
from app.security.principal import Principal
from app.tickets import codes, disclosure, duplicates, overdue, queries, types
from app.tickets.access import actor_of
from app.tickets.actions import ACTIONS, Request, perform
from app.tickets.duplicates import LINK, MERGE, Candidate, Said
from app.tickets.errors import TicketNotFound
from app.tickets.merge import FIELD
from app.tickets.models import Ticket
from app.tickets.overdue import Place
from app.tickets.rules import STATES
from app.ui.compare import Row, compared
from app.ui.present import ANONYMOUS, SOURCES, may_know, shown
from app.ui.reports import outcome

STEPS = frozenset({"review", "check_ticket", "record_ticket"})
_AT_THE_SEAT = "record_ticket"
_TIME, _CONTENT = "时间", "内容"
Values = Mapping[str, Any]
Facts = list[tuple[str, str]]


def panel(
    principal: Principal, ticket: Ticket, row: UserTask, values: Values
) -> list[dict[str, Any]]:
    """The candidates as `ticket/_duplicates.html` draws them; empty for other steps.

    `values` is what stands in the form: a call is compared by what has been typed so far.
    """
    if row.element_id not in STEPS:
        return []
    said = _said(row, ticket, values)
    found = duplicates.candidates(ticket, principal, said)
    places = overdue.places([each.ticket.acceptance_no for each in found])
    names = divisions.full_names(
        code for code in (said.division_code, *(c.ticket.division_code for c in found)) if code
    )
    here = _facts(principal, ticket, said, names)
    return [_candidate(principal, row, each, here, names, places) for each in found]


def decide(
    principal: Principal,
    row: UserTask,
    acceptance_no: str,
    decision: str,
    values: Values,
    now: datetime,
) -> dict[str, Any]:
    """Take a decision of the panel; returns what the form holds from now on.

    并单 fills in the exit of the form, which is still to be handed in; at the seat, where there is
    none, it is kept for the operator. 关联 is noted in both histories at once. TicketNotFound
    unless the other is one of the candidates.
    """
    runner.hold(row.business_key)
    session().refresh(row)
    if row.state != "open":
        raise TaskAlreadyDone(row)
    if row.assignee_id not in {None, principal.user_id}:
        raise TaskClaimed(row.assignee_name)
    ticket = queries.ticket_for(principal, row.business_key)
    found = duplicates.candidates(ticket, principal, _said(row, ticket, values))
    listed = {each.ticket.acceptance_no: each for each in found}
    if row.element_id not in STEPS or acceptance_no not in listed:
        raise TicketNotFound
    other, made = listed[acceptance_no].ticket, listed[acceptance_no].decision
    if decision == LINK and (made is None or made.decision != LINK):
        wanted = {"other_no": acceptance_no, "relation": "same"}
        perform(ACTIONS["link"], Request(ticket, wanted, principal, now))
    duplicates.decide(ticket, other, decision, by=actor_of(principal), at=now)
    merges = decision == MERGE and row.element_id != _AT_THE_SEAT
    return {**values, "review": MERGE, FIELD: acceptance_no} if merges else {**values}


def _said(row: UserTask, ticket: Ticket, values: Values) -> Said:
    if row.element_id != _AT_THE_SEAT:
        return Said(ticket.content, ticket.division_code, ticket.problem_category)
    category = str(values.get("problem_category") or "")
    return Said(
        str(values.get("content") or ""),
        str(values.get("division_code") or "") or None,
        int(category) if category.isdecimal() else None,
    )


def _candidate(
    principal: Principal,
    row: UserTask,
    found: Candidate,
    here: Facts,
    names: Mapping[str, str],
    places: Mapping[str, Place],
) -> dict[str, Any]:
    other, made = found.ticket, found.decision
    said = Said(
        disclosure.content_for(principal, other), other.division_code, other.problem_category
    )
    alike = f"内容相似 {found.alike}%" if found.alike else ""
    return {
        "acceptance_no": other.acceptance_no,
        "title": disclosure.title_for(principal, other),
        "url": url_for("tickets.show", acceptance_no=other.acceptance_no),
        "status_label": STATES[other.status],
        "is_open": found.is_open,
        "why": " · ".join(filter(None, (*found.reasons, alike))),
        "can_merge": found.can_merge,
        "rows": _beside(here, _facts(principal, other, said, names)),
        "progress": _progress(found, places.get(other.acceptance_no)),
        "decided": f"{made.actor_name}：{duplicates.DECISIONS[made.decision]}" if made else "",
        "linked": made is not None and made.decision == LINK,
        "hints": row.element_id == _AT_THE_SEAT,
        "decide_url": url_for(
            "tasks.decide_duplicate", task_id=row.id, acceptance_no=other.acceptance_no
        ),
    }


def _beside(here: Facts, there: Facts) -> list[Row]:
    """Of the content the words that differ are marked, of the rest the whole; times always do."""
    rows = []
    for (label, left), (_, right) in zip(here, there, strict=True):
        differs = left != right
        if label == _CONTENT:
            rows += compared([(label, left)], [(label, right)])
        else:
            marked = differs and label != _TIME
            rows.append(
                Row(
                    label,
                    [(left, marked)] if left else [],
                    [(right, marked)] if right else [],
                    changed=differs,
                )
            )
    return rows


def _progress(found: Candidate, place: Place | None) -> str:
    """Where it stands and what came of it, as the caller may be told."""
    ticket, report = found.ticket, queries.latest_report(found.ticket)
    parts = [STATES[ticket.status]]
    if found.is_open:
        if place is not None:
            parts.append(f"{place.step}（{place.unit_name}）")
        parts.append(f"应于 {shown(ticket.due_at)} 前办结")
    if report is not None:
        parts.append(f"{shown(report.submitted_at)} {report.noun}：{outcome(report)}")
    return "，".join(parts)


def _facts(principal: Principal, ticket: Ticket, said: Said, names: Mapping[str, str]) -> Facts:
    place = names.get(said.division_code or "", "") or ticket.division_text or ""
    address = (ticket.detail_address or "") if may_know(principal, ticket) else ANONYMOUS
    return [
        (_TIME, f"{shown(ticket.submitted_at)} · {SOURCES[ticket.source]}"),
        ("类型", types.title_of(ticket)),
        ("类别", codes.PROBLEM_CATEGORY.label(said.problem_category)),
        ("地区", place),
        ("详细地址", address),
        ("来电人", _caller(principal, ticket)),
        (_CONTENT, said.content),
    ]


def _caller(principal: Principal, ticket: Ticket) -> str:
    if not may_know(principal, ticket):
        return ANONYMOUS
    name = "匿名" if ticket.is_anonymous else mask_name(ticket.caller_name)
    number = "" if ticket.caller_number_unknown else mask_phone(ticket.caller_number)
    return " · ".join(filter(None, (name, number)))
