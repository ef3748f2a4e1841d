"""What a ticket's due dates would be (试算): the same function that sets them, on a calendar."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import Blueprint, request, url_for
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from app.core import clock
from app.core.clock import BEIJING
from app.deadlines import calendars, plan, policies
from app.deadlines.calendar import Calendar
from app.deadlines.plan import Deadline, Facts
from app.deadlines.policy import LAWS, SOURCES, TYPES
from app.deadlines.published import EARLIEST, LATEST
from app.divisions import queries as divisions
from app.security.principal import Principal
from app.tickets import sources
from app.tickets.types import TICKET_TYPES
from app.ui import months
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import draw, permitted
from app.ui.present import shown

blueprint = Blueprint("trial", __name__)

NATION = "nation"
_LEVELS = (("province", "省级"), ("city", "市级"), ("county", "县级"))
_BY_TYPE = "按类型（咨询省级，其余县级）"


def _choice(label: str, options: Sequence[tuple[str, str]], **more: Any) -> fields.String:
    rule = validate.OneOf([value for value, _ in options], error="请从列表中选择")
    return fields.String(
        validate=rule,
        metadata={"label": label, "widget": "select", "options": options, **more},
    )


class TrialForm(Schema):
    """What the policy asks about a ticket."""

    ticket_type = _choice("工单类型", [(code, TICKET_TYPES[code].title) for code in TYPES], col=4)
    source = _choice(
        "来源", [(s.code, s.title) for s in sources.SOURCES.values() if s.code in SOURCES], col=4
    )
    division = fields.String(metadata={"label": "地区", "widget": "select", "col": 4})
    received_at = fields.AwareDateTime(
        default_timezone=BEIJING,
        validate=validate.Range(EARLIEST, LATEST, error="应在 2010 年至 2059 年之间"),
        error_messages={"invalid": "应为日期和时间"},
        metadata={"label": "收到时间", "widget": "datetime", "col": 4},
    )
    level = _choice("办理层级", _LEVELS, col=4, placeholder=_BY_TYPE)
    final_audit = _choice("终审层级", _LEVELS[:2], col=4)
    requested = fields.Date(
        error_messages={"invalid": "应为日期"},
        metadata={"label": "来件要求的办结日期", "col": 4, "help": "可不填"},
    )
    urgent = fields.Boolean(metadata={"label": "紧急", "col": 4})


@blueprint.get("/deadlines/trial")
@permitted("deadline.trial")
def index(principal: Principal) -> str:
    """The form and, for what it holds, every due date with its rule; nothing is kept."""
    now = clock.now()
    schema, places = TrialForm(), _places()
    given = {**_defaults(principal, now, places), **_asked()}
    problems = schema.validate(given)
    if given["division"] not in dict(places):
        problems["division"] = ["请从列表中选择"]
    return draw(
        "trial/index.html",
        principal,
        active="trial",
        form=field_views(schema, {"division": places}),
        values=given,
        errors=form_errors(ValidationError(problems)) if problems else {},
        result=None if problems else _result(schema.load(given), now),
        trial_url=url_for("trial.index"),
    )


def _asked() -> dict[str, Any]:
    """What the address asks; nothing when the page is opened for the first time."""
    if not request.args:
        return {}
    values = parse_form(TrialForm(), MultiDict(request.args))
    return {name: value for name, value in values.items() if value is not None}


def _defaults(
    principal: Principal, now: datetime, places: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    own = f"{principal.division_code[:2]}0000000000"
    return {
        "ticket_type": "complaint",
        "source": "p12345_api",
        "division": own if own in dict(places) else NATION,
        "received_at": now.astimezone(BEIJING).isoformat(timespec="minutes"),
        "final_audit": "province",
        "urgent": False,
    }


def _places() -> list[tuple[str, str]]:
    """The nation, the provinces, and divisions whose calendar differs."""
    provinces = [(each.code, each.name) for each in divisions.children(None)]
    own = [row.division_code for row in calendars.differing()]
    names = divisions.full_names(code for code in own if code not in dict(provinces))
    return [(NATION, "全国（默认政策与日历）"), *provinces, *sorted(names.items())]


def _facts(values: dict[str, Any]) -> Facts:
    kind = values["ticket_type"]
    level = values.get("level") or ("province" if kind == "consultation" else "county")
    return Facts(
        kind,
        values["source"],
        values["received_at"],
        urgent=values["urgent"],
        delegated=level != "province",
        level=level,
        final_audit=values["final_audit"],
        requested=values.get("requested"),
    )


def _result(values: dict[str, Any], now: datetime) -> dict[str, Any]:
    code = "" if values["division"] == NATION else values["division"]
    province = divisions.province_city_county(code).province_code if code else None
    policy, calendar = policies.current(province or policies.NATIONAL), calendars.of(code)
    facts = _facts(values)
    found = plan.compute(facts, policy, calendar)
    return {
        "policy": policy.version,
        "counts_from": shown(calendar.receipt(facts.received_at)),
        "lines": [_line(number, each) for number, each in enumerate(found, 1)],
        "months": _months(found, calendar, facts.received_at, now),
        "provisional": any(each.provisional for each in found),
    }


def _line(number: int, each: Deadline) -> dict[str, Any]:
    tags = [
        (each.provisional, "暂定", "yellow"),
        (each.squeezed, "已压缩", "orange"),
        (each.adjusted, "要求的日期过早或过晚，已按政策计算", "orange"),
    ]
    return {
        "number": number,
        "title": each.title,
        "total": each.stage == "total",
        "start": shown(each.start_at),
        "due": shown(each.due_at),
        "yellow": shown(each.yellow_at),
        "orange": shown(each.orange_at),
        "limit": each.limit.title if each.limit else "",
        "basis": each.basis,
        "law": LAWS[each.law],
        "tags": [{"label": label, "tone": tone} for holds, label, tone in tags if holds],
    }


def _months(
    found: Sequence[Deadline], calendar: Calendar, received: datetime, now: datetime
) -> list[months.Month]:
    """From the month of receipt to that of the last due date."""
    marks: dict[date, list[str]] = {}
    for number, each in enumerate(found, 1):
        marks.setdefault(each.due_at.astimezone(BEIJING).date(), []).append(str(number))
    first = received.astimezone(BEIJING).date()
    marks.setdefault(first, []).insert(0, "收")
    last = max(marks)
    names = months.names_of(range(first.year, last.year + 1))
    today = now.astimezone(BEIJING).date()
    return [
        months.month(year, number, calendar, names, today=today, marks=marks)
        for year, number in months.months_between(first, last)
    ]
