"""Helping (协办): one unit handles, others are asked what they know."""

import pytest

from app.core.db import session
from app.matters import queries as matters
from app.tickets.services import ticket_numbered
from tests.journeys.test_lower_returns import is_gone, refusals, steps
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, Person

ASKED = "请提供该户在你市务工期间的工资发放情况。"


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def helper(world: World) -> Person:
    """Somebody of a city that does not handle the ticket."""
    return world.employ(GUIYANG)


def test_a_helper_reads_the_ticket_as_long_as_it_has_to_answer(
    world: World, people: Chain, helper: Person
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    more = {"cohandlers": [helper.principal.unit_id], "cohandle_request": ASKED}
    world.delegate(number, people.province, people.city, **more)
    world.settle()

    assert steps(world, helper, number) == ["give_opinion"]
    assert steps(world, people.city, number) == ["city_decide"]
    desk = Browser(world.app, helper)
    page = desk.get(f"/tickets/{number}")
    assert page.status_code == 200
    assert "危房改造补助资金" in page.text
    assert set(world.offered(helper, number)) <= {"supplement"}

    world.complete(helper, number, answer="经查该户在我市务工期间工资已足额发放。")

    assert is_gone(world, helper, number)
    assert desk.get(f"/tickets/{number}").status_code == 404
    with world.app.app_context():
        (matter,) = matters.of_ticket(ticket_numbered(number).id)
        assert (matter.kind, matter.text) == ("cohandle", ASKED)
        assert matter.answer == "经查该户在我市务工期间工资已足额发放。"
        session().rollback()


def test_a_helper_who_has_not_answered_hears_of_an_urge(
    world: World, people: Chain, helper: Person
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    more = {"cohandlers": [helper.principal.unit_id], "cohandle_request": ASKED}
    world.delegate(number, people.province, people.city, **more)
    world.settle()
    told = f"工单 {number} 被催办，请尽快提出协办意见"

    world.act(people.province, number, "urge", text="请尽快办理。")

    assert sorted(steps(world, people.city, number)) == ["answer_urge", "city_decide"]
    assert told in Browser(world.app, helper).get("/notifications").text
    for person in (people.city, people.province):
        assert told not in Browser(world.app, person).get("/notifications").text
    world.complete(helper, number, answer="经查该户在我市务工期间工资已足额发放。")
    world.act(people.province, number, "urge", text="请再次加快办理。")
    assert told not in Browser(world.app, helper).get("/notifications").text


def test_on_the_page_a_helper_comes_back_to_the_list(
    world: World, people: Chain, helper: Person
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    more = {"cohandlers": [helper.principal.unit_id], "cohandle_request": ASKED}
    world.delegate(number, people.province, people.city, **more)
    world.settle()
    (task,) = world.tasks(helper, number)

    done = Browser(world.app, helper).post(
        f"/tasks/{task['id']}/complete",
        {"answer": "经查已足额发放。", "version": task["version"]},
    )

    assert (done.status_code, done.headers["Location"]) == (302, "/worklist")


def test_only_other_units_directly_below_can_help(
    world: World, people: Chain, helper: Person
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    city, county = people.city.principal.unit_id, people.county.principal.unit_id
    own = people.province.principal.unit_id

    def wrong(*helpers: int, **more: object) -> list[tuple[str, str]]:
        values = {"route": "down", "target_unit_id": city, "cohandle_request": ASKED, **more}
        return refusals(world, people.province, number, cohandlers=list(helpers), **values)

    assert wrong(city) == [("cohandlers", "same")]
    assert wrong(county) == [("cohandlers", "not_below")]
    assert wrong(own) == [("cohandlers", "not_below")]
    assert wrong(county, target_unit_id=own) == [
        ("target_unit_id", "not_below"),
        ("cohandlers", "not_below"),
    ]
    missing = wrong(helper.principal.unit_id, cohandle_request="")
    assert [field for field, _ in missing] == ["cohandle_request"]
    assert is_gone(world, helper, number)


def test_the_province_handles_with_a_citys_help(
    world: World, people: Chain, helper: Person
) -> None:
    number = world.submit(is_confidential=True)
    world.accept(number, people.province)
    asked = {"cohandlers": [helper.principal.unit_id] * 2, "cohandle_request": ASKED}
    wrong = refusals(world, people.province, number, route="province", **asked)
    assert wrong == [("summary", "required")]

    summary = "反映工资发放问题，请协助核实。"
    world.complete(people.province, number, route="province", **asked, summary=summary)
    world.settle()

    assert steps(world, helper, number) == ["give_opinion"]  # asked once
    page = Browser(world.app, helper).get(f"/tickets/{number}").text
    assert summary in page
    assert "要求补发差额" not in page
    assert "要求补发差额" in Browser(world.app, people.province).get(f"/tickets/{number}").text
