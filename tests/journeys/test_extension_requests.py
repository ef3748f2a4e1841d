"""Who may ask for more time (延期, EX-03), until when and how often; and what comes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.extensions import (
    ASK,
    REFUSE,
    act,
    answer,
    ask,
    asked_12345,
    due,
    offered,
    prolonged,
    request_count,
    request_of,
    set_due,
    steps,
)
from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint that the county handles."""
    made = world.submit()
    world.down(made, people)
    return made


@pytest.mark.parametrize("left", [timedelta(days=-1), timedelta(minutes=5)])
def test_it_cannot_be_asked_for_at_the_last_moment_or_later(
    world: World, people: Chain, number: str, left: timedelta
) -> None:
    set_due(world, number, datetime.now(UTC) + left)

    refused = ask(world, people.county, number)

    assert (refused.status_code, refused.json()["code"]) == (422, "EXTENSION_TOO_LATE")
    assert ("超过办结时限" in refused.json()["message"]) is (left < timedelta())
    assert request_count(world, number) == 0


def test_one_open_request_and_one_extension_a_ticket(
    world: World, people: Chain, number: str
) -> None:
    assert "extend" in offered(world, people.county, number)
    ask(world, people.county, number)
    assert "extend" not in offered(world, people.county, number)
    second = ask(world, people.county, number)
    assert (second.status_code, second.json()["code"]) == (409, "EXTENSION_OPEN")
    world.complete(people.city, number, **REFUSE)

    asked_12345(world, people, number)  # what was refused does not count
    answer(world, number)
    third = ask(world, people.county, number)

    assert (third.status_code, third.json()["code"]) == (422, "EXTENSION_USED_UP")
    assert request_of(world, number).request_no == f"{number}-E2"


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"extension_days": 31}, {"extension_days"}),
        ({"extension_days": 10.7}, {"extension_days"}),
        ({"extension_days": 0, "extension_reason": "太忙"}, {"extension_days", "extension_reason"}),
        ({"informed_note": ""}, {"informed_note"}),
        ({"extension_days": None, "informed_note": None}, {"extension_days", "informed_note"}),
    ],
)
def test_a_request_names_its_wrong_fields(
    world: World, people: Chain, number: str, changed: dict[str, Any], fields: set[str]
) -> None:
    values = {name: value for name, value in {**ASK, **changed}.items() if value is not None}

    refused = act(world, people.county, number, values)

    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == fields
    assert request_count(world, number) == 0


def test_each_type_has_its_own_limit(world: World, people: Chain) -> None:
    declared, asked = world.declare(), world.ask()
    for each in (declared, asked):
        world.accept(each, people.province)
        world.complete(people.province, each, route="province")

    days = ask(world, people.province, declared, extension_days=16)
    never = ask(world, people.province, asked)

    assert [error["field"] for error in days.json()["errors"]] == ["extension_days"]
    assert (never.status_code, never.json()["code"]) == (422, "EXTENSION_NOT_FOR_TYPE")
    assert ask(world, people.province, declared, extension_days=15).status_code == 200


def test_only_who_handles_it_may_ask(world: World, people: Chain, number: str) -> None:
    leader = world.employ(GUIZHOU, "province_leader")

    for somebody in (people.city, people.province):
        refused = ask(world, somebody, number)
        assert (refused.status_code, refused.json()["code"]) == (403, "ACTION_NOT_YOURS")
    assert ask(world, leader, number).status_code == 403
    assert "extend" in offered(world, people.county, number)
    assert "extend" not in offered(world, people.city, number)


def test_it_cannot_be_asked_for_while_nobody_handles_it(world: World, people: Chain) -> None:
    fresh = world.submit()

    refused = ask(world, people.province, fresh)

    assert (refused.status_code, refused.json()["code"]) == (409, "STATE_CONFLICT")
    assert refused.json()["current_state"] == "submitted"


def test_of_answers_that_come_together_one_counts(world: World, people: Chain, number: str) -> None:
    before = due(world, number)
    asked_12345(world, people, number)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: answer(world, number, approved=1 + n % 2), range(6)))

    done = [a for a in answers if a.status == 200 and not a.data["duplicate"]]
    assert len(done) == 1
    assert {a.status for a in answers} <= {200, 409}
    assert due(world, number) in {before, prolonged(before, 10)}
    request = request_of(world, number)
    assert (request.state == "agreed") is (due(world, number) != before)


def test_of_requests_that_come_together_one_counts(
    world: World, people: Chain, number: str
) -> None:
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: ask(world, people.county, number).status_code, range(4)))

    assert sorted(codes) == [200, 409, 409, 409]
    assert request_count(world, number) == 1
    assert steps(world, people.city, number) == ["city_opinion"]
