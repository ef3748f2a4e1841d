"""An anonymous or confidential caller stays hidden below the province (ANON-02)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.demo import sample_report
from tests.journeys.test_merges import review
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person

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


NAMED = "来电人欧阳某甲是三组会计，已通话核实。"
HEARD = "欧阳某甲"
NOT_OURS = {"return_reason_code": 1, "return_reason": "反映的是城市供水问题，建议转水务部门。"}


def page_of(world: World, person: Person, number: str) -> str:
    return Browser(world.app, person).get(f"/tickets/{number}").text


def _review_said(world: World, people: Chain) -> str:
    number = world.submit(**sealed(is_anonymous=True))
    world.complete(people.province, number)
    world.complete(people.province, number, review="accept", opinion=NAMED)
    world.delegate(number, people.province, people.city, summary=SUMMARY)
    return number


def _return_refused(world: World, people: Chain) -> str:
    number = world.submit(**sealed(is_anonymous=True))
    world.complete(people.province, number)
    world.complete(people.province, number, review="return", **NOT_OURS)
    world.partner.decide_return(number, approved=False, opinion=NAMED)
    world.delegate(number, people.province, people.city, summary=SUMMARY)
    return number


def _delegated(world: World, people: Chain) -> str:
    number = world.submit(**sealed(is_anonymous=True))
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city, summary=SUMMARY)
    return number


def _withdrawal_refused(world: World, people: Chain) -> str:
    number = _delegated(world, people)
    world.partner.withdraw(number, "来电人要求撤回。")
    world.complete(people.province, number, decision="refuse", opinion=NAMED)
    return number


def _permitted(world: World, people: Chain) -> str:
    number = _delegated(world, people)
    leader = world.employ(GUIZHOU, "province_leader")
    world.act(leader, number, "permit", permit="second_return", permit_reason=NAMED)
    return number


def _extension_decided(world: World, people: Chain) -> str:
    number = _delegated(world, people)
    world.complete(people.city, number, city_route="self")
    world.act(
        people.city,
        number,
        "extend",
        extension_reason="需委托第三方检测房屋，报告未出具。",
        extension_days=5,
        informed_note="已通过平台告知延期理由。",
    )
    (task,) = world.tasks(people.province, number)
    world.complete_task(people.province, task, {"decision": "agree"}, 200)
    answer = world.partner.decide_extension(number, approved=True, opinion=NAMED)
    assert answer.status == 200, answer.envelope
    return number


@pytest.mark.parametrize(
    "story", [_review_said, _return_refused, _withdrawal_refused, _permitted, _extension_decided]
)
def test_what_those_wrote_who_know_a_sealed_caller_stays_above(
    world: World, story: Callable[[World, Chain], str]
) -> None:
    people = world.chain()
    number = story(world, people)

    below = page_of(world, people.city, number)

    assert HEARD not in below
    assert people.province.principal.display_name in below  # who decided, and what, is told
    assert HEARD in page_of(world, people.province, number)


def test_what_is_written_for_the_units_below_they_read(world: World) -> None:
    people, number = world.chain(), world.submit(**sealed(is_anonymous=True))
    world.down(number, people, summary=SUMMARY)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="reject", opinion="请补充公示照片。")

    below = page_of(world, people.county, number)

    assert "请核实" in below
    assert "请补充公示照片。" in below


def test_what_a_seat_passes_on_from_a_sealed_caller_is_asked_of_the_province(world: World) -> None:
    people = world.chain()
    number = _delegated(world, people)
    agent = world.employ(GUIZHOU, "province_agent")
    world.act(agent, number, "supplement", text=NAMED)
    world.act(people.province, number, "urge", text=f"{HEARD}再次来电询问。")

    below = page_of(world, people.city, number)
    (urge,) = [t for t in world.tasks(people.city, number) if t["element_id"] == "answer_urge"]

    assert HEARD not in below
    assert "上级有补充，内容不予显示，请联系省级" in below
    assert HEARD not in page_of(world, people.city, f"{number}?task={urge['id']}")
    assert HEARD in page_of(world, people.province, number)


def test_of_an_open_caller_everybody_reads_what_was_passed_on(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.act(people.province, number, "urge", text="来电人再次来电，请尽快办理。")

    assert "请尽快办理" in page_of(world, people.city, number)


@pytest.mark.parametrize("hidden", [{"is_anonymous": True}, {"problem_category": 8}])
def test_a_merged_ticket_keeps_its_caller_from_those_who_handle_the_other(
    world: World, hidden: dict[str, Any]
) -> None:
    people, kept = world.chain(), world.submit()
    world.down(kept, people)
    merged = world.submit(**sealed(**{"is_anonymous": False, **hidden}))
    review(world, people.province, merged, kept)
    file_id = world.partner.upload_attachment(sample_report(), "现场材料.docx").data[
        "attachment_id"
    ]
    assert world.partner.supplement(merged, NAMED, attachments=[file_id]).status == 201
    assert world.partner.urge(merged, f"{HEARD}询问进展。").status == 201
    waiting = {t["element_id"]: t["id"] for t in world.tasks(people.county, kept)}

    for step in ("read_supplement", "answer_urge"):
        assert HEARD not in page_of(world, people.county, f"{kept}?task={waiting[step]}")
    assert "现场材料.docx" not in page_of(world, people.county, kept)
    assert Browser(world.app, people.county).get(f"/files/{file_id}").status_code == 404
    assert HEARD in page_of(world, people.province, kept)
    assert Browser(world.app, people.province).get(f"/files/{file_id}").status_code == 200


def test_a_report_of_the_province_about_a_sealed_caller_stays_there(world: World) -> None:
    people, number = world.chain(), world.submit(**sealed(is_anonymous=True))
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    for _ in range(2):  # the first round again is the province's by itself
        report = world.hand_in(people.province, number, petitioner_feedback=NAMED)
        world.complete(people.province_auditor, number, decision="approve")
        world.deliver()
        world.call_back(number, 3)
    world.complete(people.province, number, decision="dispatch", opinion="改由遵义市重新核实。")
    world.delegate(number, people.province, people.city, summary=SUMMARY)

    assert HEARD not in page_of(world, people.city, number)
    (file_id,) = report["report_files"]
    assert Browser(world.app, people.city).get(f"/files/{file_id}").status_code == 404
    assert HEARD in page_of(world, people.province, number)
    assert Browser(world.app, people.province).get(f"/files/{file_id}").status_code == 200
