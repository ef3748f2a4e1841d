"""Beside the flow: 催办, 督办, 补充 and 协办, from people and from 12345 (EX-05, EX-06, EX-10)."""

import re
from datetime import UTC, datetime

import pytest

from app.core.db import db, session, transact
from app.deadlines.published import calendar
from app.matters import queries
from app.matters import services as matters
from app.matters.models import Matter
from app.tickets.access import actor_of
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import GUIYANG, GUIZHOU, MEITAN, ZUNYI, Person

URGE = {"text": "诉求人再次来电，请尽快答复。"}
SUPERVISE = {"reason_code": 1, "text": "办理超过时限且未说明原因，请限期答复。"}


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


def steps(world: World, person: Person, number: str) -> list[str]:
    return sorted(task["element_id"] for task in world.tasks(person, number))


def task_of(world: World, person: Person, number: str, element: str) -> dict[str, object]:
    (task,) = [t for t in world.tasks(person, number) if t["element_id"] == element]
    return task


def matters_of(world: World, number: str) -> list[Matter]:
    with world.app.app_context():
        found = queries.of_ticket(ticket_numbered(number).id)
        session().expunge_all()
        session().rollback()
    return found


def test_an_urge_asks_the_holder_and_leaves_the_time_limit(
    world: World, people: Chain, number: str
) -> None:
    before = world.partner.ticket(number).data["due_at"]

    world.act(people.province, number, "urge", **URGE)

    assert steps(world, people.county, number) == ["answer_urge", "handle_by_county"]
    assert world.partner.ticket(number).data["due_at"] == before
    assert world.status(number) == "handling"
    task = task_of(world, people.county, number, "answer_urge")
    refused = world.complete_task(people.county, task, {}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["answer"]
    said = "已联系当事人，明日入户核实。"
    world.complete_task(people.county, task, {"answer": said}, 200)
    assert steps(world, people.county, number) == ["handle_by_county"]
    (urge,) = matters_of(world, number)
    assert (urge.kind, urge.state, urge.text, urge.answer) == ("urge", "done", URGE["text"], said)
    assert urge.answered_by == people.county.principal.user_id
    assert urge.due_at == calendar().add_working_days(urge.raised_at, 1).at


def test_urges_come_one_after_the_other(world: World, people: Chain, number: str) -> None:
    for _ in range(3):
        world.act(people.city, number, "urge", **URGE)

    assert steps(world, people.county, number) == ["answer_urge"] * 3 + ["handle_by_county"]


def test_12345_urges_through_the_interface(world: World, people: Chain, number: str) -> None:
    answer = world.partner.urge(number, "来电人询问办理进展。")
    again = world.partner.urge(number, "来电人询问办理进展。")

    assert answer.status == 201, answer.envelope
    assert (again.status, again.data["duplicate"]) == (200, True)
    assert steps(world, people.county, number) == ["answer_urge", "handle_by_county"]
    (urge,) = matters_of(world, number)
    assert (urge.partner_id, urge.raised_by) == (world.partner_id, None)


def test_who_may_urge_stands_above_the_holder(world: World, people: Chain, number: str) -> None:
    agent = world.employ(GUIZHOU, "province_agent")
    watcher = world.employ(MEITAN, "supervisor")

    for person, wanted in (
        (people.province, True),
        (agent, True),
        (people.city, True),
        (watcher, True),
        (people.county, False),
    ):
        assert ("urge" in world.offered(person, number)) is wanted
    assert world.act(people.county, number, "urge", 403, **URGE)["code"] == "SCOPE_DENIED"
    outsider = world.employ(GUIYANG)
    world.act(outsider, number, "urge", 404, **URGE)
    assert matters_of(world, number) == []


def test_a_supervision_is_numbered_and_has_to_be_answered(
    world: World, people: Chain, number: str
) -> None:
    supervisor = world.employ(GUIZHOU, "supervisor")

    world.act(supervisor, number, "supervise", **SUPERVISE)
    world.act(supervisor, number, "supervise", **SUPERVISE)

    year = datetime.now(UTC).year
    one, two = matters_of(world, number)
    assert re.fullmatch(rf"DB-520000-{year}-\d{{4}}", one.number or "")
    assert int((two.number or "")[-4:]) == int((one.number or "")[-4:]) + 1
    assert one.due_at == calendar().add_working_days(one.raised_at, 3).at
    task = world.tasks(people.county, number)
    first = next(t for t in task if t["element_id"] == "answer_supervision")
    world.complete_task(people.county, first, {"answer": "已向当事人说明延误原因。"}, 200)
    assert sorted(m.state for m in matters_of(world, number)) == ["done", "open"]


def test_only_a_supervisor_of_an_upper_level_supervises(
    world: World, people: Chain, number: str
) -> None:
    of_county = world.employ(MEITAN, "supervisor")
    of_city = world.employ(ZUNYI, "supervisor")

    assert world.act(people.province, number, "supervise", 403, **SUPERVISE)
    assert world.act(of_county, number, "supervise", 403, **SUPERVISE)["code"] == "ACTION_NOT_YOURS"
    assert "supervise" in world.offered(of_city, number)


@pytest.mark.parametrize(
    ("key", "values", "fields"),
    [
        ("urge", {}, {"text"}),
        ("supervise", {"text": "太短", "reason_code": 7}, {"text", "reason_code"}),
        ("supervise", {"text": SUPERVISE["text"]}, {"reason_code"}),
        ("supplement", {"text": " "}, {"text"}),
        ("supplement", {"attachments": ["att_unknown"]}, {"attachments[0]"}),
    ],
)
def test_an_action_names_its_wrong_fields(
    world: World, people: Chain, number: str, key: str, values: dict[str, object], fields: set[str]
) -> None:
    who = world.employ(GUIZHOU, "supervisor", "province_operator")

    refused = world.act(who, number, key, 422, **values)

    assert {error["field"] for error in refused["errors"]} == fields
    assert matters_of(world, number) == []


def test_a_supplement_of_12345_is_read_by_the_holder(
    world: World, people: Chain, number: str
) -> None:
    file = world.partner.upload_attachment(b"%PDF-1.4\n%\xe2\xe3\n", "公示.pdf")
    ids = [file.data["attachment_id"]]

    answer = world.partner.supplement(number, "来电人补充：名单已公示。", ids)

    assert answer.status == 201, answer.envelope
    task = task_of(world, people.county, number, "read_supplement")
    world.complete_task(people.county, task, {"opinion": "已阅，将一并核实。"}, 200)
    (added,) = matters_of(world, number)
    assert (added.state, added.text, added.attachments) == (
        "done",
        "来电人补充：名单已公示。",
        ids,
    )
    again = world.partner.supplement(number, "来电人补充：名单已公示。", ids)
    assert (again.status, again.data["duplicate"]) == (200, True)


def test_the_same_key_with_other_words_is_a_conflict(
    world: World, people: Chain, number: str
) -> None:
    def send(text: str) -> object:
        return world.partner.request(
            "POST",
            f"/tickets/{number}/urges",
            body=f'{{"content": "{text}"}}'.encode(),
            changed_headers={"Idempotency-Key": "urge-1"},
        ).status

    assert [send("请尽快答复。"), send("请尽快答复。"), send("请立即答复。")] == [201, 200, 409]


def test_a_supplement_from_below_reaches_whoever_holds_it(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)

    world.act(people.province_auditor, number, "supplement", text="电话核对：当事人现住县城。")

    assert steps(world, people.province, number) == ["dispatch", "read_supplement"]


def test_another_unit_is_asked_what_it_thinks_and_sees_the_ticket_meanwhile(
    world: World, people: Chain, number: str
) -> None:
    guiyang = world.employ(GUIYANG, "city_operator")
    world.http.get(f"/api/v1/tickets/{number}", headers=guiyang.headers)
    assert world.tasks(guiyang, number) == []

    def ask() -> None:
        ticket = ticket_numbered(number)
        unit_id = guiyang.principal.unit_id
        by = actor_of(people.province.principal)
        now = datetime.now(UTC)
        matters.ask_opinion(ticket, unit_id, "请提供贵阳市的核查情况。", by=by, now=now)

    with world.app.app_context():
        transact(ask)
        db.session.remove()
    world.settle()

    assert steps(world, guiyang, number) == ["give_opinion"]
    assert world.offered(guiyang, number) is not None
    world.complete(guiyang, number, answer="当事人未在本市享受补贴。")
    (asked,) = matters_of(world, number)
    assert (asked.kind, asked.state) == ("cohandle", "done")


def test_a_leader_is_told_once(world: World, people: Chain, number: str) -> None:
    leader = world.employ(GUIZHOU, "province_leader")

    with world.app.app_context():
        transact(
            lambda: matters.notify_leader(
                ticket_numbered(number), "报告已三次被驳回。", datetime.now(UTC)
            )
        )
        db.session.remove()
    world.settle()
    world.settle()

    assert steps(world, leader, number) == ["read_notice"]
    world.complete(leader, number)
    assert steps(world, leader, number) == []


def test_a_closed_ticket_takes_nothing_more_and_what_waited_has_lapsed(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.partner.urge(number, "来电人询问办理进展。")
    (task,) = [t for t in world.tasks(people.province, number) if t["element_id"] != "answer_urge"]
    with_file = world.report_for(people.province, task["id"])
    world.complete_task(people.province, task, with_file, 200)
    audit = task_of(world, people.province_auditor, number, "audit_by_province")
    world.complete_task(people.province_auditor, audit, {"decision": "approve"}, 200)
    world.deliver()
    world.call_back(number, 1)
    assert world.status(number) == "archived"

    (urge,) = matters_of(world, number)
    assert urge.state == "lapsed"
    assert steps(world, people.province, number) == []
    for answer in (
        world.partner.urge(number, "仍未解决。"),
        world.partner.supplement(number, "补充一份材料。"),
        world.partner.withdraw(number, "不再反映。"),
    ):
        assert (answer.status, answer.envelope["code"]) == (409, "STATE_CONFLICT")
        assert answer.envelope["current_state"] == "archived"
    refused = world.act(people.province, number, "supplement", 409, text="补充一份材料。")
    assert refused["current_state"] == "archived"


def test_another_platforms_ticket_does_not_exist(world: World, number: str) -> None:
    unknown = "TS5200002026112300042S"
    for answer in (
        world.partner.urge(unknown, "请尽快答复。"),
        world.partner.supplement(unknown, "补充材料。"),
        world.partner.withdraw(unknown, "不再反映。"),
        world.partner.report_callback(unknown, 1),
        world.partner.ask_rework(unknown, "要求重办。"),
    ):
        assert (answer.status, answer.envelope["code"]) == (404, "TICKET_NOT_FOUND")


def test_words_of_a_sealed_caller_are_for_those_who_may_know_who_it_is(
    world: World, people: Chain
) -> None:
    number = world.submit(is_anonymous=True, caller_name=None, contact_phone=None)
    world.partner.supplement(number, "来电人补充：自己是三组的会计。")

    with world.app.app_context():
        ticket = ticket_numbered(number)
        (said,) = queries.of_ticket(ticket.id)
        assert queries.text_for(people.county.principal, ticket, said) is None
        assert queries.text_for(people.province.principal, ticket, said) == said.text
        assert queries.flags([ticket.id]) == {ticket.id: frozenset({"supplement"})}
        session().rollback()


def test_what_nobody_has_read_yet_goes_down_with_the_ticket(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    assert world.partner.supplement(number, "来电人补充：还有两户未领到。").status == 201

    def step(person: Person, name: str, **values: object) -> None:
        (task,) = [t for t in world.tasks(person, number) if t["element_id"] == name]
        world.complete_task(person, task, values, 200)

    step(people.province, "review", review="accept", opinion="受理")
    city, county = people.city.principal.unit_id, people.county.principal.unit_id
    step(people.province, "dispatch", route="down", target_unit_id=city, instruction="请核实")
    assert world.tasks(people.province, number) == []
    assert _steps(world, people.city, number) == ["city_decide", "read_supplement"]

    step(people.city, "city_decide", city_route="county", target_unit_id=county)

    assert world.tasks(people.city, number) == []
    assert _steps(world, people.county, number) == ["county_sign_in", "read_supplement"]
    step(people.county, "read_supplement")
    assert _steps(world, people.county, number) == ["county_sign_in"]


def _steps(world: World, person: Person, number: str) -> list[str]:
    return sorted(task["element_id"] for task in world.tasks(person, number))
