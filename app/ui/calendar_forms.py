"""What an administrator types or uploads to change a calendar, and how it reads as text."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from app.core.errors import FieldError, Invalid
from app.deadlines import calendar_file, published
from app.deadlines.calendar import Hours
from app.deadlines.calendar_file import Sheet
from app.deadlines.published import Day

STATUSES = {**published.STATUSES, "none": "无数据"}
_TABLE_HELP = "每行一天：日期,放假 或 上班,名称。选择文件时以文件为准（CSV 或 JSON，UTF-8）。"
_HOURS_HELP = "每行一段：起日 止日 时段…，如 05-01 09-30 10:00-14:00 16:00-20:00。不填则同上级。"


class _Reasoned(Schema):
    table = fields.String(
        validate=validate.Length(max=calendar_file.MOST_CHARACTERS, error="内容过长"),
        load_default="",
        metadata={"label": "日期表", "widget": "textarea", "rows": 12, "help": _TABLE_HELP},
    )
    reason = fields.String(
        required=True,
        validate=validate.Length(2, 200, error="2–200 个字"),
        error_messages={"required": "请填写原因"},
        metadata={"label": "原因", "help": "写入变更记录", "widget": "text"},
    )


class YearForm(_Reasoned):
    """A year's table for the whole country."""

    status = fields.String(
        required=True,
        validate=validate.OneOf([*published.STATUSES], labels=[*published.STATUSES.values()]),
        metadata={"label": "状态", "widget": "radio", "col": 6},
    )
    source = fields.String(
        required=True,
        validate=validate.Length(2, 100, error="2–100 个字"),
        error_messages={"required": "请填写文号或出处"},
        metadata={"label": "文号或出处", "col": 6, "widget": "text"},
    )

    class Meta:
        """The long field stands after the short ones."""

        fields = ("status", "source", "table", "reason")


class DivisionForm(_Reasoned):
    """What a division differs in."""

    hours = fields.String(
        validate=validate.Length(max=2000, error="内容过长"),
        load_default="",
        metadata={"label": "作息时间", "widget": "textarea", "rows": 3, "help": _HOURS_HELP},
    )

    class Meta:
        """Hours below days."""

        fields = ("table", "hours", "reason")


def table_text(days: Iterable[Day]) -> str:
    """The table as it is typed and imported (CSV)."""
    rows = [f"{day.day},{'上班' if day.works else '放假'},{day.name}" for day in days]
    return "\n".join(["日期,类型,名称", *rows])


def hours_text(hours: Sequence[Hours]) -> str:
    """Working hours a line each."""
    data = [calendar_file.hours_as_data(each) for each in hours]
    return "\n".join(
        " ".join([each["from"], each["until"], *("-".join(p) for p in each["periods"])])
        for each in data
    )


def hours_from(text: str) -> tuple[Hours, ...]:
    """Those lines read; Invalid names what is wrong with them."""
    rows: list[dict[str, Any]] = []
    for line in text.splitlines():
        if words := line.replace("–", "-").split():
            first, last, *periods = [*words, ""] if len(words) == 1 else words
            rows.append(
                {
                    "from": first,
                    "until": last,
                    "periods": [period.split("-") for period in periods],
                }
            )
    return calendar_file.hours_of(rows)


def sheet_from(table: str, hours: str, *, may_be_empty: bool) -> Sheet:
    """Both parts; their problems are named together. A file's own hours count before typed ones.

    Only a division's table may say nothing; a file that cannot be read is never taken for that.
    """
    problems: list[FieldError] = []
    sheet, typed = Sheet(()), tuple[Hours, ...]()
    if not (may_be_empty and calendar_file.is_blank(table)):
        try:
            sheet = calendar_file.read(table)
        except Invalid as refusal:
            problems += refusal.errors
    try:
        typed = hours_from(hours)
    except Invalid as refusal:
        problems += refusal.errors
    if problems:
        raise Invalid(problems, "日历有误", "CALENDAR_INVALID")
    return Sheet(sheet.days, sheet.hours or typed)


def sheet_text(sheet: Sheet) -> str:
    """A sheet as JSON that `calendar_file.read` reads again, to be carried from page to page."""
    return json.dumps(
        {
            "days": [
                {"date": str(d.day), "kind": "work" if d.works else "off", "name": d.name}
                for d in sheet.days
            ],
            "hours": [calendar_file.hours_as_data(each) for each in sheet.hours],
        },
        ensure_ascii=False,
    )


def season(hours: Hours) -> str:
    """The days of the year on which hours hold, as people read them."""
    if (hours.first, hours.last) == ((1, 1), (12, 31)):
        return "全年"
    first, last = (date(2024, *each) for each in (hours.first, hours.last))
    return f"{first.month} 月 {first.day} 日至 {last.month} 月 {last.day} 日"
