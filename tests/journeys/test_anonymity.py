"""An anonymous or confidential caller stays hidden below the province (ANON-02)."""

import json
from typing import Any

import pytest

from tests.support.journey import World
from tests.support.pages import Browser

SECRETS = {
    "caller_name": "欧阳某甲",
    "contact_phone": "13912345678",
    "caller_number": "13912345678",
    "caller_address": "湄潭县某某路七号",
    "id_card_no": "11010519491231002X",
}
SUMMARY = "反映某村危房改造补助未按标准发放，请核实处理。"


def sealed(**changed: Any) -> dict[str, Any]:
    return {**SECRETS, **changed}


@pytest.mark.parametrize(
    "changed", [{"is_anonymous": True}, {"is_anonymous": False, "is_confidential": True}]
)
def test_the_lower_levels_see_no_sign_of_a_sealed_caller(
    world: World, changed: dict[str, bool]
) -> None:
    people, number = world.chain(), world.submit(**sealed(**changed))
    world.down(number, people, summary=SUMMARY)

    for person in (people.city, people.county):
        page = Browser(world.app, person).get(f"/tickets/{number}")
        assert page.status_code == 200
        assert "匿名" in page.text
        for secret in (*SECRETS.values(), "139****5678", "110***********002X"):
            assert secret not in page.text, secret
    answers = json.dumps(world.tasks(people.county, number), ensure_ascii=False)
    assert not any(secret in answers for secret in SECRETS.values())


def test_the_province_sees_a_sealed_caller_masked(world: World) -> None:
    people, number = world.chain(), world.submit(**sealed(is_anonymous=True))

    page = Browser(world.app, people.province).get(f"/tickets/{number}").text

    assert "139****5678" in page
    for secret in SECRETS.values():
        assert secret not in page, secret


def test_an_open_caller_is_masked_for_everybody(world: World) -> None:
    people, number = world.chain(), world.submit(**sealed(is_anonymous=False))
    world.down(number, people)

    for person in (people.province, people.city, people.county):
        page = Browser(world.app, person).get(f"/tickets/{number}").text
        assert "139****5678" in page
        assert "欧**" in page
        for secret in SECRETS.values():
            assert secret not in page, secret


def test_an_anonymous_complaint_without_a_word_about_the_caller_runs_to_the_end(
    world: World,
) -> None:
    people = world.chain()
    nothing = dict.fromkeys(("caller_name", "contact_phone", "caller_address"))
    number = world.submit(is_anonymous=True, caller_number="unknown", **nothing)
    world.down(number, people, summary=SUMMARY)

    told = {"inform_status": 4, "informed_at": None, "inform_method": None}
    report = world.report(people.county, number, **told)
    values = {k: v for k, v in report.items() if v is not None}
    world.complete(people.county, number, **values)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()

    body = world.received()[0].body
    assert (body["inform_status"], body["informed_at"]) == (4, None)
    assert body["inform_status_label"] == "匿名不适用"
