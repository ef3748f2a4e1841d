"""Who handles: the tree of units decides, with and without a middle or a last level (D14)."""

from collections.abc import Callable

import pytest

from tests.support.journey import World
from tests.support.people import CHONGQING, GUIYANG, GUIZHOU, MEITAN, WANZHOU, ZUNYI

GUANGDONG, DONGGUAN = "440000000000", "441900000000"
GUANGXI = "450000000000"
HUBEI, XIANTAO = "420000000000", "429004000000"


def finish(world: World, number: str) -> dict[str, object]:
    """Deliver, and what the simulator got."""
    assert world.status(number) == "result_pending"
    assert world.deliver() == 1
    assert world.status(number) == "callback_pending"
    return dict(world.received()[-1].body)


def test_the_province_handles_a_ticket_itself(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)

    world.complete(people.province, number, route="province", instruction="本厅办理")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")

    body = finish(world, number)
    assert [a["org"] for a in body["auditors"]] == [people.province.principal.unit_name]
    assert world.tasks(people.city, number) == []


def test_a_city_handles_a_ticket_itself_and_only_the_province_audits(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)

    world.complete(people.city, number, city_route="self")
    world.hand_in(people.city, number)
    assert world.tasks(people.city_auditor, number) == []
    world.complete(people.province_auditor, number, decision="approve")

    body = finish(world, number)
    assert len(body["auditors"]) == 1
    assert world.tasks(people.county, number) == []


@pytest.mark.parametrize(
    ("top", "below"),
    [
        pytest.param(CHONGQING, WANZHOU, id="county-of-a-municipality"),
        pytest.param(HUBEI, XIANTAO, id="county-right-below-a-province"),
    ],
)
def test_a_county_without_a_city_above_it_reports_to_the_province(
    world_of: Callable[[str], World], top: str, below: str
) -> None:
    world = world_of(top[:6])
    province, auditor, county, _ = world.hire(top, below)
    number = world.submit(division_code=below)
    assert number.startswith(f"TS{top[:6]}")
    world.accept(number, province)

    world.delegate(number, province, county)
    world.complete(county, number)
    world.hand_in(county, number)
    world.complete(auditor, number, decision="approve")

    body = finish(world, number)
    assert [a["org"] for a in body["auditors"]] == [province.principal.unit_name]


def test_a_city_without_counties_handles_and_can_delegate_to_nobody(
    world_of: Callable[[str], World],
) -> None:
    world = world_of("440000")
    province, auditor, city, _ = world.hire(GUANGDONG, DONGGUAN)
    number = world.submit(division_code=DONGGUAN)
    world.accept(number, province)
    world.delegate(number, province, city)
    (task,) = world.tasks(city, number)
    for target in (city, province):
        values = {"city_route": "county", "target_unit_id": target.principal.unit_id}
        refused = world.complete_task(city, task, values, 422).json()
        assert [e["rule"] for e in refused["errors"]] == ["not_below"]

    world.complete(city, number, city_route="self")
    world.hand_in(city, number)
    world.complete(auditor, number, decision="approve")

    finish(world, number)


def test_a_ticket_goes_only_to_a_unit_directly_below(world: World) -> None:
    people, number = world.chain(), world.submit()
    (elsewhere, _, guiyang, _) = world.hire(GUANGXI, GUIYANG)
    world.accept(number, people.province)
    (dispatch,) = world.tasks(people.province, number)

    def refused(
        person: object, task: dict[str, object], rule: str = "not_below", **values: object
    ) -> None:
        answer = world.complete_task(person, task, values, 422).json()  # type: ignore[arg-type]
        assert answer["code"] == "VALIDATION_FAILED"
        assert [(e["field"], e["rule"]) for e in answer["errors"]] == [("target_unit_id", rule)]

    itself = people.province.principal.unit_id
    county = people.county.principal.unit_id
    for target in (itself, county, elsewhere.principal.unit_id, 2**31):
        refused(people.province, dispatch, route="down", target_unit_id=target)
    refused(people.province, dispatch, "invalid", route="down", target_unit_id=-1)
    world.delegate(number, people.province, people.city)
    (decide,) = world.tasks(people.city, number)
    for target in (people.city.principal.unit_id, itself, guiyang.principal.unit_id):
        refused(people.city, decide, city_route="county", target_unit_id=target)

    assert [t["element_id"] for t in world.tasks(people.city, number)] == ["city_decide"]
    assert people.city.principal.division_code == ZUNYI
    assert people.county.principal.division_code == MEITAN
    assert people.province.principal.division_code == GUIZHOU


def test_the_province_completes_a_place_nobody_could_find(world: World) -> None:
    people = world.chain()
    sent = {"division_code": None, "division_text": "火星市某某村"}
    receipt = world.partner.submit_complaint(_without_none(sent))
    assert receipt.status == 201
    assert "DIVISION_UNRESOLVED" in {w["code"] for w in receipt.data["warnings"]}
    number = receipt.data["acceptance_no"]
    world.complete(people.province, number)
    (review,) = world.tasks(people.province, number)

    wrong = {"review": "accept", "division_code": "999999999999"}
    refused = world.complete_task(people.province, review, wrong, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["division_code"]
    world.complete(people.province, number, review="accept", division_code=MEITAN)
    world.delegate(number, people.province, people.city)

    assert world.status(number) == "delegated"


def _without_none(changed: dict[str, object]) -> dict[str, object]:
    from tests.support.journey import complaint

    return {k: v for k, v in complaint(**changed).items() if v is not None}
