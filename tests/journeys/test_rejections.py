"""Rejections (驳回, EX-04): to whom they go, who hears of the third, what can be compared."""

import pytest
from sqlalchemy import select

from app.core.db import session
from app.deadlines.published import calendar
from app.engine.models import UserTask
from app.tickets.services import ticket_numbered
from tests.journeys.test_lower_returns import refusals, steps
from tests.journeys.test_sources import register
from tests.support.journey import Chain, World, reply
from tests.support.pages import Browser
from tests.support.people import MEITAN, Person

NO = {"decision": "reject", "opinion": "请补充发放名册和影像资料。"}
YES = {"decision": "approve"}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def reported(world: World, people: Chain, **changed: object) -> str:
    """A complaint whose report waits for the city's audit."""
    number = world.submit()
    world.down(number, people)
    world.hand_in(people.county, number, **changed)
    return number


def test_the_province_rejects_to_the_citys_audit(world: World, people: Chain) -> None:
    number = reported(world, people)
    assert 'name="reject_to"' not in Browser(world.app, people.city).get(f"/tickets/{number}").text
    world.complete(people.city, number, **YES)
    drawn = Browser(world.app, people.province).get(f"/tickets/{number}").text
    assert 'name="reject_to"' in drawn

    world.complete(people.province, number, **NO, reject_to="city_audit")

    assert steps(world, people.city, number) == ["audit_by_city"]
    assert world.partner.ticket(number).data["round"] == 1  # no new report was asked for
    world.complete(people.city_auditor, number, **YES)
    world.complete(people.province_auditor, number, **YES)
    world.deliver()
    body = world.received()[0].body
    names = [p.principal.display_name for p in (people.city_auditor, people.province_auditor)]
    assert [auditor["name"] for auditor in body["auditors"]] == names


def test_the_city_may_pass_a_rejection_on_to_the_county(world: World, people: Chain) -> None:
    number = reported(world, people)
    world.complete(people.city, number, **YES)
    world.complete(people.province, number, **NO, reject_to="city_audit")
    world.complete(people.city, number, **NO)

    assert steps(world, people.county, number) == ["handle_by_county"]


def test_there_is_no_rejection_to_a_city_that_did_not_audit(world: World, people: Chain) -> None:
    by_city = world.submit()
    world.accept(by_city, people.province)
    world.delegate(by_city, people.province, people.city)
    world.complete(people.city, by_city, city_route="self")
    world.hand_in(people.city, by_city)
    by_province = world.submit()
    world.accept(by_province, people.province)
    world.complete(people.province, by_province, route="province")
    world.hand_in(people.province, by_province)

    for number in (by_city, by_province):
        values = {**NO, "reject_to": "city_audit"}
        wrong = refusals(world, people.province_auditor, number, **values)
        assert wrong == [("reject_to", "no_city_audit")]
        page = Browser(world.app, people.province_auditor).get(f"/tickets/{number}").text
        assert 'name="reject_to"' not in page


def test_the_city_does_not_reject_to_itself(world: World, people: Chain) -> None:
    number = reported(world, people)

    wrong = refusals(world, people.city, number, **NO, reject_to="city_audit")

    assert wrong == [("reject_to", "no_city_audit")]


def test_the_leader_hears_of_the_third_rejection(world: World, people: Chain) -> None:
    leader = world.employ(people.province.principal.division_code, "province_leader")
    number = reported(world, people)
    for _ in range(2):
        world.complete(people.city, number, **NO)
        world.settle()
        assert world.tasks(leader, number) == []
        world.hand_in(people.county, number)
    world.complete(people.city, number, **NO)
    world.settle()

    assert steps(world, leader, number) == ["read_notice"]
    world.complete(leader, number)
    assert steps(world, people.county, number) == ["handle_by_county"]


def test_two_versions_stand_side_by_side_with_their_differences_marked(
    world: World, people: Chain
) -> None:
    number = reported(world, people, petitioner_feedback="已电话告知，来电人不认可金额。")
    county = Browser(world.app, people.county)
    assert 'id="compare"' not in county.get(f"/tickets/{number}").text
    world.complete(people.city, number, **NO)
    changed = {"petitioner_feedback": "已电话告知，来电人认可金额。", "amount_involved": "8000.00"}
    world.hand_in(people.county, number, **changed)

    page = county.get(f"/tickets/{number}").text
    assert "版本对比" in page
    assert "来电人<del>不</del>认可金额。" in page
    assert "<ins>8,000.00" in page or "<ins>8" in page
    world.complete(people.city, number, **NO)
    world.hand_in(people.county, number)
    chosen = county.get(f"/tickets/{number}", left="1", right="3").text
    assert "第 1 版与第 3 版" in chosen
    assert county.get(f"/tickets/{number}", left="9", right="x").status_code == 200


def test_a_question_handed_to_a_county_is_audited_by_the_province_only(
    world: World, people: Chain
) -> None:
    number = world.ask()
    world.down(number, people)
    with world.app.app_context():
        ticket = ticket_numbered(number)
        assert ticket.due_at == calendar().add_working_days(ticket.submitted_at, 5).at
        (task,) = session().scalars(
            select(UserTask).where(UserTask.business_key == number, UserTask.state == "open")
        )
        assert task.due_at is not None
        assert task.due_at <= ticket.due_at
        session().rollback()
    world.complete(people.county, number, **reply())

    assert world.tasks(people.city, number) == []
    assert steps(world, people.province, number) == ["audit_by_province"]


def test_a_citys_own_letter_ends_with_the_citys_audit(world: World, people: Chain) -> None:
    number = register(world, people.city, "letter", division_code=MEITAN)["acceptance_no"]
    world.complete(people.city, number, city_route="self")
    world.hand_in(people.city, number)

    def audit(person: Person, status: int) -> dict[str, object]:
        (task,) = world.tasks(person, number)
        return dict(world.complete_task(person, task, dict(YES), status).json())

    assert audit(people.city, 403)["code"] == "FOUR_EYES"
    audit(people.city_auditor, 200)
    assert world.tasks(people.province, number) == []


def test_a_rejected_report_is_corrected_not_written_again(world: World, people: Chain) -> None:
    number = reported(world, people, handling_opinion="责成村委会三日内补发差额。")
    county = Browser(world.app, people.county)
    world.complete(people.city, number, **NO)

    page = county.get(f"/tickets/{number}").text

    assert f"<dt>驳回意见</dt><dd>{NO['opinion']}</dd>" in page
    assert "已带入第 1 版内容，附件须重新上传" in page
    form = page[page.index('id="task"') :]
    assert "责成村委会三日内补发差额。</textarea>" in form
    assert 'name="investigators-0-phone" value="138' in form or "138" in form
    assert 'name="verification_result" value="2" checked' in form


def test_a_report_that_the_audit_passed_is_not_put_into_the_form_again(
    world: World, people: Chain
) -> None:
    number = reported(world, people, handling_opinion="责成村委会三日内补发差额。")
    world.complete(people.city, number, **YES)
    world.complete(people.province, number, **YES)
    world.deliver()
    world.call_back(number, 3, solved=False, opinion="钱还没有到账，要求重新办理。")

    (task,) = world.tasks(people.county, number)
    page = Browser(world.app, people.county).get(f"/tickets/{number}").text

    assert task["element_id"] == "handle_by_county"
    form = page[page.index('id="task"') :]
    assert "<dt>来电人意见</dt><dd>钱还没有到账，要求重新办理。</dd>" in form
    assert "责成村委会三日内补发差额。</textarea>" not in form
