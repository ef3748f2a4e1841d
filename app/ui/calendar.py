"""The working calendar (工作日历): a year on a page, and how an administrator changes it.

A change has two steps: the difference is shown, then applied as it was shown. The second one
computes it again and refuses when somebody else has changed the calendar meanwhile.
"""

from hashlib import sha256
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response

from app.api.http import client_ip, load
from app.core import clock
from app.core.clock import BEIJING
from app.core.db import transact
from app.core.errors import Conflict, FieldError, HotlineError, Invalid, NotAllowed, NotFound
from app.deadlines import calendar_file, calendars, queries, recompute
from app.deadlines.calendar_file import Sheet
from app.deadlines.models import CalendarChange
from app.deadlines.published import FIRST, LAST, OFFICIAL
from app.divisions import queries as divisions
from app.security import access
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.access import actor_of
from app.ui import months
from app.ui.calendar_forms import (
    STATUSES,
    DivisionForm,
    YearForm,
    hours_text,
    season,
    sheet_from,
    sheet_text,
    table_text,
)
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import draw, permitted
from app.ui.present import shown

blueprint = Blueprint("calendar", __name__)

CHANGES = 20
_SOURCES = {
    "chinesecalendar": "产品自带，据国务院办公厅安排",
    "holidays": "产品自带，按法定节日推算，不含调休",
}
_TITLES = {"added": "新增", "removed": "删除", "changed": "变更"}


@blueprint.get("/calendar")
@permitted("calendar.view")
def index(principal: Principal) -> str:
    """A year of the nation's calendar, or of a division's where that differs."""
    now = clock.now()
    today = now.astimezone(BEIJING).date()
    year = _year(request.args.get("year", type=int) or today.year)
    code = _division(request.args.get("division", "")).replace(calendars.WHOLE, "")
    table, found = calendars.years().get(year), calendars.of(code)
    own_days, _ = calendars.own(code) if code else ((), ())
    names = months.names_of([year]) | {d.day: d.name or "本地假日" for d in own_days}
    drawn = [months.month(year, number, found, names, today=today) for number in range(1, 13)]
    scope: dict[str, Any] = {"division": code} if code else {}
    return draw(
        "calendar/index.html",
        principal,
        active="calendar",
        year=year,
        status=table.status if table else "none",
        status_label=STATUSES[table.status if table else "none"],
        source=_SOURCES.get(table.source, table.source) if table else "周一至周五",
        place=_name(code),
        months=drawn,
        working_days=sum(month.working_days for month in drawn),
        hours=[
            {"season": season(each), "periods": calendar_file.hours_as_data(each)["periods"]}
            for each in found.hours
        ],
        previous_url=url_for("calendar.index", year=year - 1, **scope) if year > FIRST else None,
        next_url=url_for("calendar.index", year=year + 1, **scope) if year < LAST else None,
        divisions=[("", "全国"), *_differing()],
        division=code,
        calendar_url=url_for("calendar.index"),
        alarms=queries.alarms(now),
        edit_year_url=url_for("calendar.edit", year=year) if _may_change(principal, "") else None,
        edit_division_url=url_for("calendar.edit", division=place)
        if (place := code or _own(principal)) and _may_change(principal, place)
        else None,
        changes=[_change(each) for each in calendars.changes(CHANGES)],
    )


@blueprint.get("/calendar/edit")
@permitted("calendar.manage")
def edit(principal: Principal) -> str:
    """The form, filled with what is in force."""
    year, code = _target(principal)
    if code:
        days, hours = calendars.own(code)
        return _form(
            principal, year, code, {"table": table_text(days), "hours": hours_text(hours)}, {}
        )
    table = calendars.years().get(year)
    values = {"table": table_text(table.days if table else ()), "status": OFFICIAL}
    return _form(principal, year, code, values, {})


@blueprint.post("/calendar/edit")
@permitted("calendar.manage")
def preview(principal: Principal) -> str:
    """Show what would change; everything that is wrong is named and what was typed is kept."""
    year, code = _target(principal)
    schema = _schema(code)
    typed = parse_form(schema, request.form)
    try:
        typed["table"] = _uploaded() or typed.get("table", "")
        values = load(schema, typed)
        sheet = sheet_from(values["table"], values.get("hours", ""), may_be_empty=bool(code))
        found = _difference(year, code, sheet, values)
    except Invalid as refusal:
        return _form(principal, year, code, typed, form_errors(refusal))
    return draw(
        "calendar/preview.html",
        principal,
        active="calendar",
        title=_title(year, code),
        groups=[(_TITLES[key], lines) for key, lines in found.items() if lines],
        hidden={
            "sheet": sheet_text(sheet),
            "seen": _digest(found),
            **{key: values[key] for key in ("status", "source", "reason") if key in values},
        },
        apply_url=url_for("calendar.apply", **_scope(year, code)),
        back_url=url_for("calendar.edit", **_scope(year, code)),
    )


@blueprint.post("/calendar/apply")
@permitted("calendar.manage")
def apply(principal: Principal) -> Response:
    """Put in force what was shown; open tickets are computed anew in the background."""
    year, code = _target(principal)
    given = {key: request.form.get(key, "") for key in ("status", "source", "reason")}
    schema = _schema(code)
    values = load(schema, {k: v for k, v in given.items() if k in schema.fields})
    text = request.form.get("sheet", "")
    now, actor = clock.now(), actor_of(principal)

    def work() -> int:
        sheet = calendar_file.read(text) if text != sheet_text(Sheet(())) else Sheet(())
        if _digest(_difference(year, code, sheet, values)) != request.form.get("seen"):
            raise Conflict("日历刚被他人修改，请重新查看差异", "CALENDAR_CHANGED")
        more = {"reason": values["reason"], "actor": actor, "now": now}
        if code:
            calendars.set_division(code, sheet.days, sheet.hours, **more)
        else:
            official = values["status"] == OFFICIAL
            calendars.import_year(
                year, sheet.days, source=values["source"], official=official, **more
            )
        scope = code or str(year)
        access.record(
            principal,
            "calendar.change",
            "calendar",
            scope,
            ip=client_ip(),
            now=now,
            reason=values["reason"],
        )
        return recompute.begin(
            recompute.CALENDAR, now, reason=values["reason"], actor_name=actor.name
        )

    try:
        count = transact(work)
    except HotlineError as refusal:
        if refusal.status not in (409, 422):
            raise
        flash(refusal.message, "error")
        return redirect(url_for("calendar.edit", **_scope(year, code)))
    flash(f"已生效；{count} 件未办结工单的时限将在后台重新计算" if count else "已生效", "success")
    return redirect(url_for("calendar.index", **({"division": code} if code else {"year": year})))


def _target(principal: Principal) -> tuple[int, str]:
    """What is to be changed: a year, or a division; NotAllowed outside of one's own province."""
    code = _division(request.args.get("division", ""))
    if not _may_change(principal, code):
        raise NotAllowed
    return _year(request.args.get("year", type=int) or clock.now().astimezone(BEIJING).year), code


def _may_change(principal: Principal, code: str) -> bool:
    """The nation's table is the national administrator's, a province's divisions its own too."""
    if not may(principal, "calendar.manage"):
        return False
    return principal.level == "national" or code[:2] == principal.division_code[:2]


def _own(principal: Principal) -> str:
    """The division whose days and hours are offered where the nation's calendar is shown."""
    return calendars.WHOLE if principal.level == "national" else principal.division_code


def _form(
    principal: Principal, year: int, code: str, values: dict[str, Any], errors: dict[str, list[str]]
) -> str:
    return draw(
        "calendar/edit.html",
        principal,
        active="calendar",
        title=_title(year, code),
        form=field_views(_schema(code)),
        values=values,
        errors=errors,
        edit_url=url_for("calendar.edit", **_scope(year, code)),
        back_url=url_for("calendar.index", **_scope(year, code)),
    )


def _schema(code: str) -> Schema:
    return DivisionForm() if code else YearForm()


def _uploaded() -> str:
    file = request.files.get("file")
    if file is None or not file.filename:
        return ""
    try:
        return str(file.read(), "utf-8-sig")
    except UnicodeDecodeError:
        problem = FieldError("table", "encoding", "文件应为 UTF-8 编码")
        raise Invalid([problem], "日历有误", "CALENDAR_INVALID") from None


def _difference(year: int, code: str, sheet: Sheet, values: dict[str, Any]) -> dict[str, list[str]]:
    if code:
        return calendars.preview_division(code, sheet.days, sheet.hours)
    if sheet.hours:
        problem = FieldError("table", "hours", "全国的作息时间另行设置，年表只列日期")
        raise Invalid([problem], "日历有误", "CALENDAR_INVALID")
    return calendars.preview_year(year, sheet.days, official=values["status"] == OFFICIAL)


def _digest(found: dict[str, list[str]]) -> str:
    return sha256(repr(sorted(found.items())).encode()).hexdigest()


def _year(year: int) -> int:
    if not FIRST <= year <= LAST:
        raise NotFound("没有这一年的日历")
    return year


def _division(code: str) -> str:
    if code not in {"", calendars.WHOLE} and divisions.get(code) is None:
        raise NotFound("没有这个行政区划")
    return code


def _name(code: str) -> str:
    return divisions.full_name(code) if code not in {"", calendars.WHOLE} else "全国"


def _title(year: int, code: str) -> str:
    if code == calendars.WHOLE:
        return "全国作息时间"
    return f"{_name(code)}的假日与作息" if code else f"全国 {year} 年节假日安排"


def _scope(year: int, code: str) -> dict[str, Any]:
    return {"division": code} if code else {"year": year}


def _differing() -> list[tuple[str, str]]:
    codes = {row.division_code for row in calendars.differing()} - {calendars.WHOLE}
    names = divisions.full_names(codes)
    return sorted(names.items())


def _change(row: CalendarChange) -> dict[str, Any]:
    found = row.difference
    return {
        "scope": f"{row.scope} 年" if len(row.scope) == len("2026") else _name(row.scope),
        "summary": "、".join(
            f"{title} {len(found[key])}" for key, title in _TITLES.items() if found.get(key)
        )
        or "无变化",
        "lines": [line for key in _TITLES for line in found.get(key, ())],
        "reason": row.reason,
        "actor": row.actor_name,
        "at": shown(row.at),
    }
