"""Calls that arrive, and the mode of a province that lets them in."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from app import cli
from app.calls import services
from app.calls.services import WrongMode
from app.core.db import session, transact
from app.core.errors import Invalid, NotFound
from app.engine.registry import SYSTEM
from app.organisations import queries as organisations
from app.organisations.services import change_unit
from app.tickets.models import Ticket
from tests.support.people import CHONGQING, GUIZHOU, ZUNYI

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def unit_id(code: str) -> int:
    unit = organisations.unit_of_division(code)
    assert unit is not None
    return unit.id


@pytest.mark.parametrize(("place", "mode"), [(ZUNYI, "call"), (GUIZHOU, "both")])
def test_only_a_province_has_a_mode_and_only_a_known_one(
    context: None, place: str, mode: str
) -> None:
    with pytest.raises(Invalid) as refused:
        transact(lambda: change_unit(session(), unit_id(place), mode=mode))

    assert [error.field for error in refused.value.errors] == ["mode"]


def test_a_draft_has_a_number_and_one_working_day_but_no_content(context: None) -> None:
    def work() -> Ticket:
        unit = change_unit(session(), unit_id(CHONGQING), mode="call")
        call = services.open_call(unit, "unknown", operator_no="s1", actor=SYSTEM, now=NOW)
        ticket = session().get_one(Ticket, call.ticket_id)
        change_unit(session(), unit.id, mode="ticket")
        return ticket

    ticket = transact(work)

    assert ticket.acceptance_no.startswith("HW500000")
    assert (ticket.status, ticket.content, ticket.source) == ("draft", "", "call")
    assert ticket.caller_number_unknown is True
    assert ticket.due_at.date().isoformat() == "2026-11-25"
    assert services.call_of(ticket).source == "manual"


def test_a_province_joined_by_tickets_lets_no_call_in(context: None) -> None:
    unit = organisations.unit(unit_id(GUIZHOU))
    assert unit is not None

    with pytest.raises(WrongMode) as refused:
        services.open_call(unit, "13900000000", operator_no="s1", actor=SYSTEM, now=NOW)

    assert refused.value.payload()["mode"] == "ticket"


def test_other_tickets_have_no_call(context: None) -> None:
    with pytest.raises(NotFound):
        services.call_of(Ticket(id=0))


def test_an_operator_joins_a_province_by_a_command(app: Flask) -> None:
    runner = app.test_cli_runner()

    joined = runner.invoke(cli.units, ["mode", "500000", "call"])
    back = runner.invoke(cli.units, ["mode", "500000", "ticket"])
    city = runner.invoke(cli.units, ["mode", "520300", "call"])
    nowhere = runner.invoke(cli.units, ["mode", "999999", "call"])

    assert "话务转接" in joined.output
    assert "工单转接" in back.output
    assert (city.exit_code, nowhere.exit_code) == (1, 1)
    assert "只有省级单位" in city.output
