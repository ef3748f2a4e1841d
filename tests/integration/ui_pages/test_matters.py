"""The ticket page tells what came up beside the flow, to those who may read it."""

from collections.abc import Callable

from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person

Browse = Callable[[Person], Browser]
SAID = "来电人补充：名单已在村委会公示。"


def test_what_12345_adds_and_asks_is_in_the_history(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    world.partner.supplement(number, SAID)
    world.partner.urge(number, "来电人询问办理进展。")
    supervisor = world.employ(GUIZHOU, "supervisor")
    world.act(
        supervisor,
        number,
        "supervise",
        reason_code=4,
        text="办理超过时限且未说明原因，请限期答复。",
    )

    page = browse(people.county).get(f"/tickets/{number}").text

    for shown in (
        "12345 补充",
        SAID,
        "12345 催办",
        "来电人询问办理进展。",
        "督办",
        "DB-520000-",
        "影响恶劣",
    ):
        assert shown in page
    assert supervisor.principal.display_name in page
    assert "raise.matter" not in page


def test_a_recall_says_who_took_it_back_and_why(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    reason = "承办单位长期未签收，改由其他单位办理。"
    world.act(people.province, number, "recall", reason=reason)

    page = browse(people.province).get(f"/tickets/{number}").text

    assert "收回" in page
    assert reason in page
    assert "recall.ticket" not in page


def test_words_of_a_sealed_caller_are_kept_from_the_lower_levels(
    world: World, browse: Browse
) -> None:
    people = world.chain()
    number = world.submit(is_anonymous=True, caller_name=None, contact_phone=None)
    world.partner.supplement(number, SAID)
    (read,) = [
        t for t in world.tasks(people.province, number) if t["element_id"] == "read_supplement"
    ]
    world.complete_task(people.province, read, {}, 200)
    world.complete(people.province, number)
    world.complete(people.province, number, review="accept")
    world.complete(
        people.province,
        number,
        route="down",
        target_unit_id=people.city.principal.unit_id,
        summary="反映某村补助资金发放不规范，请核实该村发放台账。",
    )

    assert SAID in browse(people.province).get(f"/tickets/{number}").text
    below = browse(people.city).get(f"/tickets/{number}").text
    assert "12345 补充" in below
    assert SAID not in below


def test_what_the_result_made_void_is_said_so(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.partner.urge(number, "来电人询问办理进展。")
    (task,) = [
        t for t in world.tasks(people.province, number) if t["element_id"] == "handle_by_province"
    ]
    report = world.report_for(people.province, task["id"])
    world.complete_task(people.province, task, report, 200)
    (audit,) = [
        t
        for t in world.tasks(people.province_auditor, number)
        if t["element_id"] == "audit_by_province"
    ]
    world.complete_task(people.province_auditor, audit, {"decision": "approve"}, 200)

    page = browse(people.province).get(f"/tickets/{number}").text

    assert "催办失效" in page
    assert "lapse.matter" not in page
