"""The three registration forms: the intake tables, less what 12345 has said already (SEC-21)."""

from functools import cache

from app.tickets.fields import CleanText, DivisionCode
from app.tickets.schemas import IntakeSchema
from app.tickets.types import TABLES

KNOWN = ("external_ticket_no", "operator_no", "caller_number", "called_at")
"""Shown above the form, and never taken from it."""


@cache
def whole(table: str) -> IntakeSchema:
    """The table as a page submits it: 12345's own number may still be missing."""
    return _paged(table)()


@cache
def entered(table: str) -> IntakeSchema:
    """What the operator enters."""
    return _paged(table)(exclude=KNOWN)


@cache
def _paged(table: str) -> type[IntakeSchema]:
    plain = type(TABLES[table])
    own = {
        "external_ticket_no": CleanText(
            most=64, digits=True, allow_none=True, metadata={"label": "12345工单编号"}
        ),
        "division_code": DivisionCode(
            allow_none=True,
            metadata={"label": "行政区划", "widget": "division", "help": "尽量选到乡、村"},
        ),
        "division_text": CleanText(
            most=200,
            allow_none=True,
            metadata={
                "label": "地点描述",
                "widget": "text",
                "help": "来电人说不清属于哪里时，按其原话填写，可不选行政区划",
            },
        ),
    }
    return type(f"{plain.__name__}Page", (plain,), own)
