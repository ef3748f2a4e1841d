"""What single steps write, and what they refuse; the way through them is told in the journeys."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from app.core.db import session, transact
from app.engine.registry import SYSTEM, Step, handler_named
from app.exchange.models import OutboundMessage
from app.organisations.models import Unit
from app.tickets.models import Opinion, Ticket
from app.tickets.services import ticket_numbered
from tests.support.journey import World
from tests.support.people import MEITAN, ZUNYI, Person

COUNTY_LESS = "黔南州某某村"


def opinions(world: World, number: str) -> list[tuple[str, str, str | None, str]]:
    """Step, decision, text and author of what was decided."""
    with world.app.app_context():
        rows = session().scalars(
            select(Opinion)
            .where(Opinion.ticket_id == ticket_numbered(number).id)
            .order_by(Opinion.id)
        )
        found = [(o.step, o.decision, o.text, o.author_name) for o in rows]
        session().rollback()
    return found


def ticket(world: World, number: str) -> dict[str, Any]:
    """The columns of a ticket."""
    with world.app.app_context():
        row = session().scalars(select(Ticket).where(Ticket.acceptance_no == number)).one()
        values = {c.name: getattr(row, c.key) for c in Ticket.__table__.columns}
        session().rollback()
    return values


def test_every_decision_is_written_down_with_its_author(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)

    province, city, county = (
        p.principal.display_name for p in (people.province, people.city, people.county)
    )
    assert opinions(world, number) == [
        ("sign_in", "signed_in", None, province),
        ("review", "accept", "受理", province),
        ("dispatch", "to_city", "请核实", province),
        ("city_decide", "to_county", None, city),
        ("county_sign_in", "signed_in", None, county),
    ]


def test_the_review_confirms_the_place_or_moves_the_ticket(world: World) -> None:
    people = world.chain()
    for chosen, expected in ((None, None), (MEITAN, MEITAN)):
        number = world.submit(division_code="", division_text=COUNTY_LESS)
        assert ticket(world, number)["division_unresolved"] is True
        world.complete(people.province, number)
        values = {"review": "accept", **({"division_code": chosen} if chosen else {})}
        world.complete(people.province, number, **values)

        row = ticket(world, number)
        assert row["county_code"] == expected
        assert row["division_unresolved"] is (chosen is None)
        if chosen:
            assert row["city_code"] == ZUNYI


def test_the_review_may_confirm_the_place_as_far_as_it_is_known(world: World) -> None:
    people = world.chain()
    number = world.submit(division_code="", division_text=COUNTY_LESS)
    known = ticket(world, number)["division_code"]
    world.complete(people.province, number)

    world.complete(people.province, number, review="accept", division_code=known)

    assert ticket(world, number)["division_unresolved"] is False


def test_a_disabled_unit_is_offered_nothing(world: World) -> None:
    people, number = world.chain(), world.submit()
    closed = world.employ("520400000000")  # 安顺: no other test works there

    def set_enabled(enabled: bool) -> None:
        with world.app.app_context():
            change = update(Unit).where(Unit.id == closed.principal.unit_id)
            transact(lambda: session().execute(change.values(enabled=enabled)) and None)

    world.accept(number, people.province)
    (task,) = world.tasks(people.province, number)
    values = {"route": "down", "target_unit_id": closed.principal.unit_id}
    set_enabled(False)
    try:
        refused = world.complete_task(people.province, task, values, 422).json()
        assert [e["rule"] for e in refused["errors"]] == ["not_below"]
    finally:
        set_enabled(True)

    world.complete(people.province, number, **values)
    assert ticket(world, number)["city_unit_id"] == closed.principal.unit_id


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target_unit_id": 10**30}, "target_unit_id"),
        ({"target_unit_id": -1}, "target_unit_id"),
        ({"cohandlers": [10**30], "cohandle_request": "请协助核实"}, "cohandlers.0"),
    ],
)
def test_what_cannot_be_a_unit_is_named_and_is_no_incident(
    world: World, values: dict[str, Any], field: str
) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    (task,) = world.tasks(people.province, number)
    whole = {"route": "down", "target_unit_id": people.city.principal.unit_id, **values}

    refused = world.complete_task(people.province, task, whole, 422).json()

    assert [e["field"] for e in refused["errors"]] == [field]
    world.delegate(number, people.province, people.city)


def test_a_ticket_is_on_time_or_late_by_the_last_audit(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    assert ticket(world, number)["completed_at"] is None
    world.complete(people.province_auditor, number, decision="approve")

    row = ticket(world, number)
    assert row["status"] == "result_pending"
    assert row["completed_at"] is not None
    assert row["archived_at"] is None
    world.deliver()
    world.call_back(number)
    assert ticket(world, number)["archived_at"] is not None


@pytest.mark.parametrize("operator", ["intake.register", "delivery.push_result"])
def test_a_handler_is_safe_to_run_twice(world: World, operator: str) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    before = ticket(world, number)
    now = datetime.now(UTC)
    data = {"ticket_id": before["id"], "result_to": "p12345"}
    step = Step("ticket_transfer", number, operator, {}, data, SYSTEM, now)

    with world.app.app_context():
        for _ in range(2):
            transact(lambda: handler_named(operator)(step) and None)
        messages = session().scalars(
            select(OutboundMessage.event_seq).where(OutboundMessage.business_key == number)
        )
        sequence = sorted(messages)
        session().rollback()

    assert sequence == [1]
    changed = {k for k, v in ticket(world, number).items() if v != before[k]}
    assert changed <= {"status", "archived_at", "completed_at"}


def test_a_person_sees_only_files_of_the_own_draft(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    foreign = world.report(people.county_colleague, number)

    refused = world.complete_task(people.county, task, foreign, 422).json()

    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [
        ("report_files[0]", "reference")
    ]
    assert isinstance(people.county, Person)
