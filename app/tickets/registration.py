"""Registration by staff (本级登记): letters, visits and e-mails, and what the nation dispatches.

The same tables and the same checks as for 12345; only the fields that a call knows by itself are
left out. Nobody else is told of the result than the petitioner, or the national level.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from marshmallow import fields

from app.core.db import session
from app.core.errors import FieldError, Invalid, NotAllowed, NotFound
from app.divisions import queries as divisions
from app.engine import runner
from app.engine.registry import Actor
from app.files import services as files
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets import intake, numbers
from app.tickets.fields import REQUIRED_MESSAGES, CallerNumber, DivisionCode, Moment
from app.tickets.intake import Intake
from app.tickets.models import Ticket
from app.tickets.schemas import (
    ComplaintSchema,
    ConsultationSchema,
    DeclarationSchema,
    IntakeSchema,
)
from app.tickets.services import PROCESS
from app.tickets.sources import SOURCES, Source
from app.tickets.types import TABLES
from app.tickets.variables import START

ANONYMITY_MODE = "named_requires_caller"
"""ANON-01 for what staff enter: the default of the platforms."""
_CLASSES: Mapping[str, type[IntakeSchema]] = {
    "complaint": ComplaintSchema,
    "declaration": DeclarationSchema,
    "consultation": ConsultationSchema,
}
_KNOWN = ("external_ticket_no", "operator_no", "division_text")
"""What a platform sends and nobody enters."""


@dataclass(frozen=True)
class _Place:
    """The units a registered ticket belongs to from its start."""

    national: Unit | None
    province: Unit
    city: Unit | None


def source_for(principal: Principal, code: str) -> Source:
    """The source, when staff of this level register it; NotFound or NotAllowed otherwise."""
    source = SOURCES.get(code)
    if source is None or not source.levels:
        raise NotFound("没有这种登记来源", "SOURCE_NOT_FOUND")
    if principal.level not in source.levels:
        raise NotAllowed(f"本级单位不登记{source.title}", "SOURCE_NOT_YOURS")
    return source


def form_for(source: Source, table: str) -> IntakeSchema:
    """The table's schema as staff fill it in for this source. NotFound for an unknown table."""
    if table not in _CLASSES:
        raise NotFound("没有这种登记表", "TABLE_NOT_FOUND")
    return _form(source.code, table)


def place_field() -> DivisionCode:
    """The division as staff choose it: required, where a platform may send words instead."""
    return DivisionCode(
        required=True,
        metadata={"label": "行政区划", "widget": "division", "help": "尽量选到乡、村"},
    )


def is_too_wide(division_code: str, unit: Unit) -> bool:
    """Whether the division is the unit's whole area, though there are units below it to choose."""
    return division_code == unit.division_code and bool(organisations.children(unit.id))


@cache
def _form(code: str, table: str) -> IntakeSchema:
    source = SOURCES[code]
    own: dict[str, fields.Field[Any]] = {}
    if source.levels == ("national",):
        own["province_unit_id"] = fields.Integer(
            required=True,
            error_messages={**REQUIRED_MESSAGES, "invalid": "请选择省份"},
            metadata={"label": "承办省份", "widget": "unit", "placeholder": "输入省份名称查找"},
        )
    if source.has_number:
        own["caller_number"] = CallerNumber(
            required=True, metadata={"label": "来电号码", "inputmode": "tel", "col": 6}
        )
    own["called_at"] = Moment(
        local=True,
        required=True,
        metadata={"label": source.moment, "widget": "datetime", "col": 6},
    )
    own["division_code"] = place_field()
    made = type(f"{_CLASSES[table].__name__}Registered", (_CLASSES[table],), own)
    left_out = set(_KNOWN)
    if not source.has_number:
        left_out.add("caller_number")
    if source.is_petition:
        left_out.add("required_completion_date")
    return cast(IntakeSchema, made(exclude=left_out & set(TABLES[table].fields)))


def read(
    source: Source, table: str, payload: Mapping[str, Any], principal: Principal, now: datetime
) -> Intake:
    """Validate what was entered; Invalid names every wrong field at once."""
    schema = form_for(source, table)
    try:
        taken = intake.read(table, payload, now=now, anonymity_mode=ANONYMITY_MODE, schema=schema)
    except Invalid as refusal:
        named = {error.field for error in refusal.errors}
        more = _reference_problems(principal, payload)
        raise Invalid(refusal.errors + [e for e in more if e.field not in named]) from None
    if wrong := _reference_problems(principal, taken.values):
        raise Invalid(wrong)
    return taken


def register(
    source: Source, taken: Intake, principal: Principal, actor: Actor, now: datetime
) -> Ticket:
    """Store the ticket and start its process where this source begins.

    The city's own letters carry the city's code and end with the city's audit; the province sees
    them (FLW-05).
    """
    values = {"operator_no": principal.username, **taken.values}
    place = _place(principal, values.get("province_unit_id"))
    if place is None:
        raise LookupError("the values were not read by `read`")
    scope = divisions.province_city_county(values["division_code"])
    number_of = place.city or place.province
    ticket = Ticket(
        acceptance_no=numbers.acceptance_number(taken.ticket_type, number_of.division_code, now),
        ticket_type=taken.ticket_type,
        source=source.code,
        status="submitted",
        round=1,
        query_code=numbers.query_code(),
        division_unresolved=False,
        province_code=place.province.division_code,
        city_code=scope.city_code,
        county_code=scope.county_code,
        province_unit_id=place.province.id,
        city_unit_id=place.city.id if place.city else None,
        registered_unit_id=principal.unit_id,
        submitted_at=now,
        due_at=now,  # until its clock opens, with its first task
        **intake.columns(values),
        **intake.arrival(values),
    )
    session().add(ticket)
    session().flush()
    owner = files.Owner.of(principal)
    for file in files.attach(values["attachments"], ticket.id, owner, now):
        file.task_id = None  # it came with the matter, not with a step
    runner.start(
        PROCESS,
        ticket.acceptance_no,
        {
            **START,
            **source.start[principal.level],
            "ticket_id": ticket.id,
            "ticket_type": ticket.ticket_type,
            "national_unit_id": place.national.id if place.national else 0,
            "province_unit_id": place.province.id,
            "city_unit_id": place.city.id if place.city else 0,
        },
        actor=actor,
        now=now,
    )
    return ticket


def _place(principal: Principal, province_unit_id: Any) -> _Place | None:
    """The units of the ticket; None when the chosen province is none."""
    own = organisations.unit(principal.unit_id)
    if own is None:
        raise LookupError(f"unit {principal.unit_id} of a principal is missing")
    if own.level == "city":
        above = organisations.unit(own.parent_id or 0)
        return _Place(None, above, own) if above else None
    if own.level == "province":
        return _Place(None, own, None)
    known = str(province_unit_id or "")
    chosen = organisations.unit(int(known)) if known.isdecimal() and len(known) < 10 else None
    if chosen is None or chosen.parent_id != own.id or not chosen.enabled:
        return None
    return _Place(own, chosen, None)


def _reference_problems(principal: Principal, values: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the units, divisions and files that are named."""
    place = _place(principal, values.get("province_unit_id"))
    found = []
    if place is None:
        found.append(FieldError("province_unit_id", "not_below", "请选择承办省份"))
    code = str(values.get("division_code") or "").strip()
    if code:
        scope = divisions.province_city_county(code.ljust(12, "0"))
        if scope.province_code is None:
            found.append(FieldError("division_code", "unknown", "行政区划编码不存在"))
        elif place is not None and not _lies_in(scope, place):
            unit = place.city or place.province
            text = f"行政区划不在{unit.name}的辖区"
            found.append(FieldError("division_code", "outside", text))
        elif place is not None and is_too_wide(code.ljust(12, "0"), place.city or place.province):
            found.append(FieldError("division_code", "wide", "请选到下一级行政区划"))
    ids = values.get("attachments")
    if isinstance(ids, list):
        found += files.attach_problems(map(str, ids), None, files.Owner.of(principal))
    return found


def _lies_in(scope: divisions.Scope, place: _Place) -> bool:
    if place.city is not None:
        return scope.city_code == place.city.division_code
    return scope.province_code == place.province.division_code
