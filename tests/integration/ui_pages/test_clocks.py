"""The clocks on a ticket's page: every one of them, its pauses, its frozen result."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.core.clock import BEIJING
from app.core.db import db, transact
from app.deadlines import clocks as ticking
from app.deadlines import services
from app.deadlines.plan import Facts
from app.tickets.models import Ticket
from app.tickets.queries import ticket_of_partner
from app.ui import clocks
from tests.integration.deadlines.conftest import Room
from tests.support.journey import World
from tests.support.pages import Browser, inline_code
from tests.support.people import MEITAN, Person

Browse = Callable[[Person], Browser]
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=BEIJING)
pytestmark = pytest.mark.usefixtures("context")


class Clocked(Room):
    """A clock as the page shows it."""

    def view(self, now: datetime) -> dict[str, Any]:
        found = clocks.view(Ticket(id=self.ticket_id), now)
        assert found is not None
        return found

    def total(self, now: datetime) -> dict[str, Any]:
        found = self.view(now)
        return next(c for c in found["open"] + found["closed"] if c["label"] == "总时限")


@pytest.fixture
def ticket() -> Clocked:
    made = Clocked()
    made.open("2026-11-24 09:00")
    return made


def test_a_running_clock_says_its_rule_and_what_is_left(ticket: Clocked) -> None:
    total = ticket.total(NOON)

    assert total["due_text"] == "2026-12-15 18:00"
    assert total["limit"] == "15个工作日"
    assert total["remaining_text"] == "剩余 15 个工作日 4 小时"
    assert total["light"] == "green"


def test_the_law_s_own_clock_stands_beside_the_total(ticket: Clocked) -> None:
    labels = [line["label"] for line in ticket.view(NOON)["open"]]

    assert {"总时限", "受理告知"} <= set(labels)


def test_the_bar_shows_the_part_that_is_used(ticket: Clocked) -> None:
    early = ticket.total(NOON)["bar"]
    later = ticket.total(NOON + timedelta(days=14))["bar"]

    assert 0 < early.used < later.used < later.due == 1000
    assert early.yellow < early.orange < 1000
    assert early.late == later.late == 0


def test_an_overdue_clock_runs_over_its_due_date(ticket: Clocked) -> None:
    total = ticket.total(datetime(2026, 12, 16, 10, 30, tzinfo=BEIJING))
    bar = total["bar"]

    assert total["remaining_text"] == "逾期 2 工作时"
    assert bar.due < 1000
    assert bar.used == bar.due
    assert bar.late == 1000 - bar.due
    assert bar.percent == 100


def test_a_pause_stops_the_clock_and_is_drawn(ticket: Clocked) -> None:
    ticket.do(services.pause, "supplement", NOON)

    total = ticket.total(NOON + timedelta(days=1))

    assert total["remaining_text"] == "暂停计时，剩余 15 个工作日 4 小时"
    assert total["light"] == "none"
    assert [tag["label"] for tag in total["tags"]] == ["暂停"]
    bar = total["bar"]
    assert bar.pauses
    assert ticket.view(NOON + timedelta(days=1))["pauses"] == [
        {
            "reason": "等待补充",
            "since": "2026-11-24 11:00",
            "until": "至今",
            "length": "1 个工作日",
        }
    ]


def test_after_a_pause_its_working_time_is_given_back(ticket: Clocked) -> None:
    ticket.do(services.pause, "supplement", NOON)
    ticket.do(services.resume, "supplement", NOON + timedelta(days=1))

    total = ticket.total(NOON + timedelta(days=1))

    assert total["due_text"] == "2026-12-16 18:00"
    assert total["paused"] == "1 个工作日"
    assert total["remaining_text"] == "剩余 15 个工作日 4 小时"


def test_a_clock_that_rests_on_an_unpublished_year_is_provisional() -> None:
    late = Clocked()
    late.open("2026-12-20 09:00")

    assert "暂定" in [tag["label"] for tag in late.total(NOON)["tags"]]


def test_an_extension_keeps_an_overdue_clock_from_being_called_late(ticket: Clocked) -> None:
    ticket.do(services.ask_extension, NOON)

    total = ticket.total(datetime(2026, 12, 16, 10, 30, tzinfo=BEIJING))

    assert total["remaining_text"] == "延期审批中"


def test_granted_days_are_named(ticket: Clocked) -> None:
    ticket.do(services.ask_extension, NOON)
    ticket.do(services.grant, 10, NOON)

    assert ticket.total(NOON)["granted"] == "10日"


@pytest.mark.parametrize(
    ("ended", "says", "light"),
    [
        ("2026-12-01 10:00", "按时完成", "green"),
        ("2026-12-17 10:30", "逾期 1 个工作日 2 小时", "red"),
    ],
)
def test_the_result_of_a_clock_that_ended_stays(
    ticket: Clocked, ended: str, says: str, light: str
) -> None:
    moment = datetime.fromisoformat(ended).replace(tzinfo=BEIJING)
    ticket.do(services.conclude, None, moment)
    ticket.do(services.close_ticket, moment)

    total = ticket.total(moment + timedelta(days=100))

    assert (total["remaining_text"], total["light"]) == (says, light)
    told = [c for c in ticket.view(moment)["closed"] if c["label"] == "受理告知"]
    assert [c["remaining_text"] for c in told] == ["不再计时"]


def test_a_second_round_is_counted_beside_the_first(ticket: Clocked) -> None:
    ticket.do(services.conclude, None, NOON)
    ticket.do(services.new_round, NOON + timedelta(days=7))

    view = ticket.view(NOON + timedelta(days=8))

    assert "总时限（第 2 轮）" in [c["label"] for c in view["open"]]
    assert "总时限" in [c["label"] for c in view["closed"]]


def test_the_ticket_page_draws_them_without_inline_code(
    app: Flask, world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.submit()
    received = datetime(2026, 11, 24, 9, 0, tzinfo=BEIJING)

    def start() -> None:
        ticket = ticket_of_partner(world.partner_id, number)
        facts = Facts("complaint", "p12345_api", received)
        services.open_ticket(ticket.id, number, facts, received, division_code=MEITAN)
        services.pause(ticket.id, "supplement", received)

    transact(start)
    db.session.remove()

    page = browse(people.province).get(f"/tickets/{number}")

    assert 'id="clocks"' in page.text
    assert "等待补充" in page.text
    assert not inline_code(page.text)


def test_every_reason_to_pause_has_a_name() -> None:
    assert clocks.PAUSES.keys() == ticking.PAUSES.keys()


def test_a_ticket_whose_clock_nobody_started_has_none() -> None:
    assert clocks.view(Ticket(id=-1), NOON) is None
