"""After the result: 12345 calls the petitioner, and it is filed or handled again (T14, EX-09)."""

import pytest
from sqlalchemy import select

from app.callbacks import queries as callbacks
from app.core.db import session
from app.engine.models import InboxMessage
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import Person

RESULT = "results/complaints"


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint whose result 12345 has."""
    made = world.submit()
    world.conclude(made, people)
    assert world.status(made) == "callback_pending"
    return made


def steps(world: World, person: Person, number: str) -> list[str]:
    return [task["element_id"] for task in world.tasks(person, number)]


def results(world: World) -> int:
    return sum(1 for message in world.received() if message.operation == RESULT)


@pytest.mark.parametrize("satisfaction", [1, 2, 4, 5])
def test_whoever_is_not_dissatisfied_has_the_ticket_filed(
    world: World, number: str, satisfaction: int
) -> None:
    world.call_back(number, satisfaction, solved=True, opinion="来电人没有其他要求。")

    assert world.status(number) == "archived"
    with world.app.app_context():
        (said,) = callbacks.of_ticket(ticket_numbered(number).id)
        assert (said.satisfaction, said.solved, said.round) == (satisfaction, True, 1)
        assert said.text == "来电人没有其他要求。"
        session().rollback()


def test_without_a_callback_the_ticket_is_filed_after_its_time(world: World, number: str) -> None:
    world.pass_days(number, 4)
    assert world.status(number) == "callback_pending"

    world.pass_days(number, 15)

    assert world.status(number) == "archived"


def test_a_dissatisfied_petitioner_gets_a_second_round_by_the_same_unit(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()

    world.call_back(number, 3, opinion="补贴仍未到账。")

    assert world.status(number) == "reworking"
    assert steps(world, people.county, number) == ["handle_by_county"]
    world.hand_in(people.county, number, petitioner_feedback="已再次上门说明，补贴已到账。")
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    assert world.status(number) == "result_pending"
    world.deliver()
    assert results(world) == 2
    last = world.received()[-1].body
    assert last["petitioner_feedback"] == "已再次上门说明，补贴已到账。"
    assert len(last["auditors"]) == 2
    world.call_back(number, 1)
    assert world.status(number) == "archived"


def test_another_round_after_the_first_is_the_provinces_decision(
    world: World, people: Chain, number: str
) -> None:
    world.call_back(number, 3)
    _second_result(world, people, number)

    answer = world.partner.ask_rework(number, "来电人仍不认可，要求重新核实。")

    assert answer.status == 201, answer.envelope
    assert world.status(number) == "callback_pending"
    (task,) = world.tasks(people.province, number)
    assert task["element_id"] == "decide_rework"
    refused = world.complete_task(people.province, task, {"decision": "close"}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["opinion"]
    world.complete(people.province, number, decision="dispatch", opinion="由其他市州核实。")
    assert world.status(number) == "dispatching"
    assert steps(world, people.province, number) == ["dispatch"]


def test_the_province_may_explain_and_close_and_12345_is_told_why(
    world: World, people: Chain, number: str
) -> None:
    world.call_back(number, 3)
    _second_result(world, people, number)
    world.call_back(number, 3)

    said = "已两次核实，政策依据已向来电人解释。"
    world.complete(people.province, number, decision="close", opinion=said)

    assert world.status(number) == "archived"
    world.deliver()
    told = world.received()[-1]
    assert (told.operation, told.body["event"]) == ("status-events", "rework_refused")
    assert told.body["reason"] == said


def test_the_province_may_send_it_back_to_the_same_unit(
    world: World, people: Chain, number: str
) -> None:
    world.call_back(number, 3)
    _second_result(world, people, number)
    world.call_back(number, 3)

    world.complete(people.province, number, decision="again", opinion="请补充核实到户。")

    assert world.status(number) == "reworking"
    assert steps(world, people.province, number) == ["handle_by_province"]


def test_a_callback_that_comes_before_the_receipt_is_kept(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")

    world.call_back(number, 1)
    assert world.status(number) == "result_pending"
    world.deliver()

    assert world.status(number) == "archived"


def test_what_was_said_of_one_result_does_not_decide_about_the_next(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.call_back(number, 3, opinion="不满意。")
    asked = world.partner.ask_rework(number, "来电人要求重新核实。")
    assert asked.status == 201, asked.envelope
    world.deliver()
    world.settle()
    assert world.status(number) == "reworking"

    _second_result(world, people, number)
    world.settle()

    assert world.status(number) == "callback_pending"
    assert world.tasks(people.province, number) == []
    world.call_back(number, 1)
    assert world.status(number) == "archived"


def test_the_last_word_on_a_result_counts(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.call_back(number, 3, opinion="不满意。")
    world.call_back(number, 1, opinion="已补发，满意。")

    world.deliver()

    assert world.status(number) == "archived"


def test_more_said_while_the_province_decides_waits_for_its_decision(
    world: World, people: Chain, number: str
) -> None:
    world.call_back(number, 3)
    _second_result(world, people, number)
    world.call_back(number, 3)
    assert world.partner.ask_rework(number, "来电人再次要求重新核实。").status == 201

    world.complete(people.province, number, decision="again", opinion="请补充核实到户。")
    _second_result(world, people, number)

    assert world.tasks(people.province, number) == []


def test_a_merged_number_is_called_back_about_the_result_of_the_one_that_went_on(
    world: World, people: Chain
) -> None:
    kept, merged = world.submit(), world.submit()
    world.complete(people.province, merged)
    world.complete(people.province, merged, review="merge", merged_into=kept)
    world.conclude(kept, people)

    answer = world.partner.report_callback(merged, 3, opinion="没有解决。")

    assert (answer.status, answer.data["taken_by"]) == (201, kept)
    assert world.status(kept) == "reworking"
    again = world.partner.report_callback(merged, 3, opinion="没有解决。")
    assert (again.status, again.data["duplicate"]) == (200, True)
    refused = world.partner.ask_rework(merged, "来电人要求重新核实。")
    assert (refused.status, refused.envelope["current_state"]) == (409, "reworking")


def test_the_same_callback_again_changes_nothing(world: World, number: str) -> None:
    world.call_back(number, 3, opinion="没有解决。")

    again = world.partner.report_callback(number, 3, opinion="没有解决。")

    assert (again.status, again.data["duplicate"]) == (200, True)
    assert world.status(number) == "reworking"
    with world.app.app_context():
        ticket = ticket_numbered(number)
        assert (ticket.reworks, ticket.round) == (1, 2)
        assert len(callbacks.of_ticket(ticket.id)) == 1
        session().rollback()


def test_what_the_petitioner_said_is_in_no_variable(world: World, number: str) -> None:
    world.call_back(number, 1, opinion="来电人李某某表示满意。")

    with world.app.app_context():
        (payload,) = session().scalars(
            select(InboxMessage.payload).where(
                InboxMessage.business_key == number, InboxMessage.name == "report.callback"
            )
        )
        assert set(payload) == {"callback_id"}
        session().rollback()


def test_only_a_ticket_with_a_result_takes_a_callback(world: World, number: str) -> None:
    fresh = world.submit()
    world.call_back(number, 1)

    for ticket, state in ((fresh, "submitted"), (number, "archived")):
        for answer in (
            world.partner.report_callback(ticket, 3),
            world.partner.ask_rework(ticket, "要求重新核实。"),
        ):
            assert (answer.status, answer.envelope["code"]) == (409, "STATE_CONFLICT")
            assert answer.envelope["current_state"] == state


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("callbacks", {}, {"satisfaction"}),
        ("callbacks", {"satisfaction": 6, "solved": "也许"}, {"satisfaction", "solved"}),
        (
            "callbacks",
            {"satisfaction": 1, "called_back_at": "2099-01-01T00:00:00+08:00"},
            {"called_back_at"},
        ),
        ("rework-requests", {"reason": " "}, {"reason"}),
    ],
)
def test_a_callback_names_its_wrong_fields(
    world: World, number: str, path: str, body: dict[str, object], fields: set[str]
) -> None:
    refused = world.partner.post(f"/tickets/{number}/{path}", body)

    assert refused.status == 422
    assert {error["field"] for error in refused.envelope["errors"]} == fields
    assert world.status(number) == "callback_pending"


def test_nobody_calls_about_the_answer_to_a_question(world: World, people: Chain) -> None:
    number = world.ask()
    world.complete(people.province, number)
    world.complete(people.province, number, review="answer")
    world.complete(
        people.province,
        number,
        answer="请到乡镇便民服务中心办理，带身份证和户口簿。",
        answer_mode="direct",
    )
    world.deliver()

    assert world.status(number) == "archived"


def _second_result(world: World, people: Chain, number: str) -> None:
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    assert world.status(number) == "callback_pending"


def test_dispatched_anew_the_ticket_is_no_more_the_former_units(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    _send_result(world, people, number)
    world.call_back(number, 3)
    world.partner.urge(number, "来电人询问重办进展。")
    (again,) = [t for t in world.tasks(people.county, number) if t["element_id"] != "answer_urge"]
    report = world.report_for(people.county, again["id"])
    world.complete_task(people.county, again, report, 200)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    world.call_back(number, 3)

    world.complete(people.province, number, decision="dispatch", opinion="改由其他单位重新核实。")

    for person in (people.county, people.city):
        url = f"/api/v1/tickets/{number}/actions"
        assert world.http.get(url, headers=person.headers).status_code == 404
    waiting = sorted(t["element_id"] for t in world.tasks(people.province, number))
    assert waiting == ["dispatch"]  # the urge ended with the result


def _send_result(world: World, people: Chain, number: str) -> None:
    """By the county, through both audits, to 12345."""
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
