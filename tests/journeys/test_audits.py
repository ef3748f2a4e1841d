"""Audits: rejected twice and every version kept, four eyes, and a report that is not complete."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import select, update

from app.core.db import session, transact
from app.organisations.models import Unit
from app.tickets.models import Investigation, Opinion
from app.tickets.services import ticket_numbered
from tests.support.journey import World
from tests.support.people import Person, hire


def test_two_rejections_keep_every_version_and_the_last_one_is_the_result(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    world.hand_in(people.county, number, amount_involved="1.00")
    world.complete(people.city, number, decision="reject", opinion="请补充发放名册")
    assert world.status(number) == "handling"
    second = {"amount_involved": "2.00", "petitioner_feedback": "第二次已电话告知来电人。"}
    world.hand_in(people.county_colleague, number, **second)
    world.complete(people.city_auditor, number, decision="approve", opinion="齐全")
    rejection = {"decision": "reject", "opinion": "请核实金额"}
    world.complete(people.province_auditor, number, **rejection)
    assert [t["element_id"] for t in world.tasks(people.county, number)] == ["handle_by_county"]
    entered = world.hand_in(people.county, number, amount_involved="3.50", verification_result=1)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()

    body = world.received()[0].body
    assert (body["amount_involved"], body["verification_result"]) == ("3.50", 1)
    assert [f["attachment_id"] for f in body["report_files"]] == entered["report_files"]
    assert len(body["auditors"]) == 2  # only those of the last round
    assert world.partner.ticket(number).data["round"] == 3
    with world.app.app_context():
        ticket = ticket_numbered(number)
        versions = session().execute(
            select(Investigation.version, Investigation.amount_involved, Investigation.author_id)
            .where(Investigation.ticket_id == ticket.id)
            .order_by(Investigation.version)
        )
        kept = [(version, str(amount), author) for version, amount, author in versions]
        rejections = session().execute(
            select(Opinion.round, Opinion.text).where(
                Opinion.ticket_id == ticket.id, Opinion.decision == "reject"
            )
        )
        said = [tuple(row) for row in rejections]
        session().rollback()
    county, colleague = people.county.principal, people.county_colleague.principal
    assert kept == [
        (1, "1.00", county.user_id),
        (2, "2.00", colleague.user_id),
        (3, "3.50", county.user_id),
    ]
    assert sorted(said) == [(1, "请补充发放名册"), (2, "请核实金额")]


def test_two_auditors_press_pass_together_and_one_is_told_who_was_faster(world: World) -> None:
    people, number = world.chain(), world.submit()
    third = world.employ("520000000000", "province_operator")
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city, number, decision="approve")
    (task,) = world.tasks(third, number)
    auditors = [people.province_auditor, third]
    ready = threading.Barrier(2)

    def press(auditor: Person) -> httpx.Response:
        ready.wait()
        return httpx.post(
            f"{world.address}/api/v1/tasks/{task['id']}/complete",
            json={"variables": {"decision": "approve"}, "version": task["version"]},
            headers=auditor.headers,
            trust_env=False,
        )

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, auditors))

    by_status = dict(zip([a.status_code for a in answers], auditors, strict=True))
    assert set(by_status) == {200, 409}
    (refused,) = [a.json() for a in answers if a.status_code == 409]
    assert refused["code"] == "TASK_ALREADY_DONE"
    assert refused["acted_by"] == by_status[200].principal.display_name
    world.deliver()
    assert [m.operation for m in world.received()] == ["results/complaints"]


def test_a_rejection_goes_back_to_the_city_or_province_that_handled(world: World) -> None:
    people = world.chain()
    for handler, route, step in (
        (people.province, "province", "handle_by_province"),
        (people.city, "self", "handle_by_city"),
    ):
        number = world.submit()
        world.accept(number, people.province)
        if route == "province":
            world.complete(people.province, number, route="province")
        else:
            world.delegate(number, people.province, people.city)
            world.complete(people.city, number, city_route="self")
        world.hand_in(handler, number)
        rejection = {"decision": "reject", "opinion": "请核实"}
        world.complete(people.province_auditor, number, **rejection)

        assert [t["element_id"] for t in world.tasks(handler, number)] == [step]


def test_the_author_of_a_report_cannot_audit_it(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    (audit,) = world.tasks(people.province, number)

    for decision in ({"decision": "approve"}, {"decision": "reject", "opinion": "退给自己"}):
        refused = world.complete_task(people.province, audit, decision, 403).json()
        assert refused["code"] == "FOUR_EYES"

    assert world.status(number) == "auditing"
    world.complete(people.province_auditor, number, decision="approve")
    with world.app.app_context():
        ticket_id = ticket_numbered(number).id
        relaxed = session().scalars(
            select(Opinion.four_eyes_relaxed).where(Opinion.ticket_id == ticket_id)
        )
        assert not any(relaxed)
        session().rollback()


def test_where_one_person_works_alone_the_relaxed_rule_is_recorded(world: World) -> None:
    alone_in = "540000000000"  # 西藏: no other story works there

    def employ() -> object:
        person = hire(alone_in)
        session().execute(
            update(Unit).where(Unit.id == person.principal.unit_id).values(single_operator=True)
        )
        return person

    with world.app.app_context():
        alone = transact(employ)
        session().close()
    world.settings(province_code="540000")
    number = world.submit(division_code="540100000000")
    world.accept(number, alone)
    world.complete(alone, number, route="province")
    world.hand_in(alone, number)

    world.complete(alone, number, decision="approve", opinion="单人单位")

    world.deliver()
    assert world.status(number) == "callback_pending"
    with world.app.app_context():
        ticket_id = ticket_numbered(number).id
        (opinion,) = session().scalars(
            select(Opinion).where(Opinion.ticket_id == ticket_id, Opinion.decision == "approve")
        )
        assert opinion.four_eyes_relaxed is True
        assert opinion.author_id == alone.principal.user_id
        session().rollback()


def test_a_report_without_telling_the_petitioner_is_refused_and_nothing_is_stored(
    world: World,
) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    report = world.report(people.county, number)
    cases = (
        ({"inform_status": None}, {"inform_status"}),
        ({"informed_at": None, "inform_method": None}, {"informed_at", "inform_method"}),
        ({"report_files": []}, {"report_files"}),
        ({"report_files": ["att_unknown"]}, {"report_files[0]"}),
        ({"investigated_at": "2020-01-01"}, {"investigated_at"}),
        ({"investigated_at": "2199-01-01"}, {"investigated_at"}),
        ({"informed_at": "2199-01-01T09:00:00+08:00"}, {"informed_at"}),
        ({"informed_at": "2001-01-01T09:00:00+08:00"}, {"informed_at"}),
        (
            {"inform_status": None, "verification_result": 9, "petitioner_feedback": ""},
            {"inform_status", "verification_result", "petitioner_feedback"},
        ),
    )

    for changed, wrong in cases:
        values = {k: v for k, v in (report | changed).items() if v is not None}
        refused = world.complete_task(people.county, task, values, 422).json()
        assert {e["field"] for e in refused["errors"]} == wrong, changed

    assert world.status(number) == "handling"
    with world.app.app_context():
        ticket_id = ticket_numbered(number).id
        stored = select(Investigation.id).where(Investigation.ticket_id == ticket_id)
        assert session().scalars(stored).all() == []
        session().rollback()
    world.complete(people.county, number, **report)
    assert world.status(number) == "auditing"


def test_a_rejection_needs_an_opinion(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    world.hand_in(people.county, number)
    (audit,) = world.tasks(people.city, number)

    refused = world.complete_task(people.city, audit, {"decision": "reject"}, 422).json()

    assert [(e["field"], e["message"]) for e in refused["errors"]] == [
        ("opinion", "驳回须填写意见")
    ]
