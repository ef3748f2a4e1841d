"""How the petitioner was told (EX-13): no report of any type goes in without it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.clock import BEIJING
from app.core.db import session
from app.tickets.queries import latest_report
from app.tickets.services import ticket_numbered
from tests.journeys.test_lower_returns import refusals
from tests.support.journey import Chain, World, outcome, reply
from tests.support.pages import Browser

NOBODY = {"informed_at": None, "inform_method": None}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def tries(*minutes: int) -> list[dict[str, str]]:
    """Calls in vain, so many minutes ago."""
    now = datetime.now(BEIJING)
    return [{"at": (now - timedelta(minutes=m)).isoformat(timespec="seconds")} for m in minutes]


def to_the_province(world: World, people: Chain, kind: str) -> str:
    """A ticket of a type that the province handles itself."""
    submit = {"complaint": world.submit, "declaration": world.declare, "consultation": world.ask}
    number = submit[kind]()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    return number


def entered(world: World, people: Chain, number: str, kind: str, **told: Any) -> dict[str, Any]:
    """A good report of the type, told so."""
    if kind == "complaint":
        whole = world.report(people.province, number, **told)
    elif kind == "declaration":
        whole = outcome(**told)
    else:
        whole = reply(answer_mode="callback", **told)
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize("kind", ["complaint", "declaration", "consultation"])
def test_a_report_says_how_the_petitioner_was_told(world: World, people: Chain, kind: str) -> None:
    number = to_the_province(world, people, kind)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"inform_status": None, **NOBODY}, ["inform_status"]),
        ({"inform_status": 1, **NOBODY}, ["informed_at", "inform_method"]),
        ({"inform_status": 2, **NOBODY}, ["informed_at", "inform_method"]),
        ({"inform_status": 3, **NOBODY}, ["contact_attempts"]),
        ({"inform_status": 3, **NOBODY, "contact_attempts": tries(3, 2)}, ["contact_attempts"]),
        ({"inform_status": 3, **NOBODY, "contact_attempts": tries(2, 2, 2)}, ["contact_attempts"]),
        (
            {"inform_status": 3, **NOBODY, "contact_attempts": tries(3, 2, -60)},
            ["contact_attempts.2.at"],
        ),
        (
            {"inform_status": 3, **NOBODY, "contact_attempts": tries(300, 2, 1)},
            ["contact_attempts.0.at"],
        ),
        ({"inform_status": 4, **NOBODY}, ["inform_status"]),
    ]

    for told, wrong in cases:
        values = entered(world, people, number, kind, **told)
        found = [field for field, _ in refusals(world, people.province, number, **values)]
        assert found == wrong, told
    with world.app.app_context():
        assert latest_report(ticket_numbered(number)) is None
        session().rollback()


@pytest.mark.parametrize("kind", ["complaint", "declaration", "consultation"])
def test_three_calls_in_vain_are_kept_with_their_times(
    world: World, people: Chain, kind: str
) -> None:
    number = to_the_province(world, people, kind)
    tried = tries(1, 5, 3)
    told = {"inform_status": 3, **NOBODY, "contact_attempts": tried}
    values = entered(world, people, number, kind, **told)

    world.complete(people.province, number, **values)

    with world.app.app_context():
        report = latest_report(ticket_numbered(number))
        assert report is not None
        assert report.contact_attempts == sorted(attempt["at"] for attempt in tried)
        session().rollback()
    page = Browser(world.app, people.province).get(f"/tickets/{number}").text
    assert f"多次联系未果（{tried[1]['at'][:16].replace('T', ' ')}" in page


def test_calls_in_vain_count_only_where_nobody_was_reached(world: World, people: Chain) -> None:
    number = to_the_province(world, people, "declaration")

    world.complete(people.province, number, **outcome(contact_attempts=tries(3)))

    with world.app.app_context():
        report = latest_report(ticket_numbered(number))
        assert report is not None
        assert report.contact_attempts is None
        session().rollback()
