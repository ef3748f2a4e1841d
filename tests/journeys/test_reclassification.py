"""Re-classification (改类, FLW-06): another type, checked as if it had come in as that."""

import pytest

from app.core.db import session
from app.deadlines.published import calendar
from app.tickets.queries import opinions
from app.tickets.services import ticket_numbered
from tests.journeys.test_lower_returns import refusals
from tests.support.journey import Chain, World, outcome, reply

TO_DECLARATION = {"review": "accept", "ticket_type": "declaration"}
HOUSEHOLD = {"id_card_no": "11010519491231002X", "poverty_risk": [1]}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def test_a_complaint_becomes_a_declaration_and_keeps_its_number(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.complete(people.province, number)
    asked = refusals(world, people.province, number, **TO_DECLARATION)
    assert asked == [("id_card_no", "required"), ("poverty_risk", "required")]
    noted = {**HOUSEHOLD, "poverty_risk": [9]}
    assert refusals(world, people.province, number, **TO_DECLARATION, **noted) == [
        ("poverty_risk_note", "required")
    ]

    world.complete(people.province, number, **TO_DECLARATION, **HOUSEHOLD, opinion="诉求为申请监测")

    with world.app.app_context():
        ticket = ticket_numbered(number)
        assert ticket.ticket_type == "declaration"
        assert ticket.due_at == calendar().add_working_days(ticket.submitted_at, 20).at
        assert ticket.id_card_hash is not None
        assert opinions(ticket.id)[-1].text == "改类：投诉举报→自主申报\n诉求为申请监测"
        session().rollback()
    world.complete(people.province, number, route="province")
    (task,) = world.tasks(people.province, number)
    assert task["form"] == "ticket.investigate.declaration"
    world.complete(people.province, number, **outcome())
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    (result,) = [m for m in world.received() if m.operation.startswith("results/")]
    assert result.operation == "results/declarations"
    assert result.body["acceptance_no"] == number


def test_a_complaint_becomes_a_question_that_is_answered_at_once(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.complete(people.province, number)
    values = {"review": "answer", "ticket_type": "consultation"}
    assert refusals(world, people.province, number, **values) == [("caller_category", "required")]

    world.complete(people.province, number, **values, caller_category=2)

    (task,) = world.tasks(people.province, number)
    assert (task["element_id"], task["form"]) == (
        "handle_by_province",
        "ticket.investigate.consultation",
    )
    world.complete(people.province, number, **reply())
    assert world.status(number) == "result_pending"


def test_an_anonymous_complaint_is_no_declaration(world: World, people: Chain) -> None:
    number = world.submit(is_anonymous=True)
    world.complete(people.province, number)

    wrong = refusals(world, people.province, number, **TO_DECLARATION, **HOUSEHOLD)

    assert wrong == [("ticket_type", "anonymous")]


def test_a_question_becomes_a_complaint_when_its_caller_is_known(
    world: World, people: Chain
) -> None:
    number = world.ask()
    world.complete(people.province, number)
    values = {"review": "accept", "ticket_type": "complaint"}

    wrong = refusals(world, people.province, number, **values)
    assert wrong == [("caller_name", "required")]
    world.complete(people.province, number, **values, caller_name="李某某")

    assert world.partner.ticket(number).data["ticket_type"] == "complaint"


def test_the_same_type_is_no_change(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)

    wrong = refusals(world, people.province, number, review="accept", ticket_type="complaint")

    assert wrong == [("ticket_type", "same")]


def test_all_mistakes_of_a_review_are_told_at_once(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    values = {**TO_DECLARATION, "division_code": "999999999999", "accused_unit_id": 1}

    wrong = refusals(world, people.province, number, **values, **HOUSEHOLD, problem_category=8)

    assert wrong == [
        ("division_code", "unknown"),
        ("accused_unit_id", "not_below"),
        ("review", "corruption"),
    ]


def test_category_and_urgency_are_put_right(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    world.complete(people.province, number, review="accept", problem_category=2, urgency="紧急")

    with world.app.app_context():
        ticket = ticket_numbered(number)
        assert (ticket.problem_category, ticket.urgency) == (2, 2)
        session().rollback()
