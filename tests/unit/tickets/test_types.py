"""The table of ticket types is complete: each row has its limit, form, number and way back."""

import pytest

from app.deadlines import policy
from app.exchange.rules import OPERATIONS
from app.tickets import types
from app.tickets.models import Ticket
from app.tickets.types import RESULTS, TABLES, TICKET_TYPES, TicketType

ROWS = list(TICKET_TYPES.values())


def _total(row: TicketType) -> int:
    rule = policy.default().rule("total", frozenset({"any", row.code}))
    assert rule is not None
    return rule.limit.number


def test_each_type_has_its_name_number_and_limit() -> None:
    found = {row.code: (row.title, row.table, row.prefix, _total(row)) for row in ROWS}

    assert found == {
        "complaint": ("投诉举报", "complaint", "TS", 15),
        "declaration": ("自主申报", "declaration", "SB", 20),
        "consultation": ("咨询", "consultation", "ZX", 2),
        "suggestion": ("建议", "consultation", "ZX", 10),
    }


def test_nothing_else_has_a_limit_and_every_table_has_a_type() -> None:
    assert set(policy.TYPES) == set(TICKET_TYPES)
    assert {row.table for row in ROWS} == set(TABLES)
    assert set(RESULTS) == {name for name in OPERATIONS if name.startswith("results/")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_the_fields_of_its_table_are_columns_of_a_ticket(row: TicketType) -> None:
    elsewhere = {"attachments", "service_type"}

    assert row.columns - elsewhere <= set(Ticket.__table__.columns.keys())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_submission_finds_its_type(row: TicketType) -> None:
    assert types.of(row.table, {"service_type": row.service_type}) is row


def test_only_what_the_province_answers_needs_no_audit() -> None:
    assert {row.code for row in ROWS if row.province_answers} == {"consultation", "suggestion"}
