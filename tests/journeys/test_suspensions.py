"""A ticket rests (挂起, EX-11): its holder asks, the leader approves, and it is resumed in time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.engine.models import NO_DUE_DATE, UserTask
from app.matters import queries
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU, Person


def ask(days: int = 10, **changed: object) -> dict[str, object]:
    until = datetime.now(BEIJING).date() + timedelta(days=days)
    return {
        "reason_code": 1,
        "reason": "已委托第三方机构检测房屋，等待鉴定报告。",
        "until": until.isoformat(),
        **changed,
    }


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def leader(world: World) -> Person:
    """Who approves."""
    return world.employ(GUIZHOU, "province_leader")


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint that the county handles."""
    made = world.submit()
    world.down(made, people)
    return made


@pytest.fixture
def resting(world: World, people: Chain, leader: Person, number: str) -> str:
    """One that rests."""
    world.act(people.county, number, "suspend", **ask())
    world.complete(leader, number, decision="approve")
    assert world.status(number) == "suspended"
    return number


def state_of(world: World, number: str) -> str:
    with world.app.app_context():
        matters = queries.of_ticket(ticket_numbered(number).id)
        (state,) = [matter.state for matter in matters if matter.kind == "suspend"]
        session().rollback()
    return state


def test_until_the_leader_approves_the_work_goes_on(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    world.act(people.county, number, "suspend", **ask())

    assert world.status(number) == "handling"
    assert [t["element_id"] for t in world.tasks(leader, number)] == ["approve_suspension"]
    world.hand_in(people.county, number)
    assert world.status(number) == "auditing"
    # it is not handled any more: there is nothing to suspend
    (task,) = world.tasks(leader, number)
    refused = world.complete_task(leader, task, {"decision": "approve"}, 409).json()
    assert refused["current_state"] == "auditing"
    world.complete(leader, number, decision="refuse", opinion="报告已提交。")
    assert state_of(world, number) == "refused"


def test_what_rests_takes_no_step_and_shows_why(world: World, people: Chain, resting: str) -> None:
    (task,) = world.tasks(people.county, resting)
    report = world.report(people.county, resting)

    refused = world.complete_task(people.county, task, report, 409).json()

    assert (refused["code"], refused["current_state"]) == ("STATE_CONFLICT", "suspended")
    assert state_of(world, resting) == "agreed"


def test_the_holder_resumes_it(world: World, people: Chain, resting: str) -> None:
    world.act(people.county, resting, "resume")

    assert world.status(resting) == "handling"
    world.hand_in(people.county, resting)
    assert world.status(resting) == "auditing"
    assert world.act(people.county, resting, "resume", 409)["current_state"] == "auditing"


def test_it_resumes_by_itself_when_the_time_is_over(
    world: World, people: Chain, resting: str
) -> None:
    world.pass_days(resting, 9)
    assert world.status(resting) == "suspended"

    world.pass_days(resting, 11)

    assert world.status(resting) == "handling"


def test_a_refusal_needs_a_reason_and_leaves_everything(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    world.act(people.county, number, "suspend", **ask())
    (task,) = world.tasks(leader, number)

    refused = world.complete_task(leader, task, {"decision": "refuse"}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["opinion"]
    world.complete(leader, number, decision="refuse", opinion="无须等待鉴定。")

    assert world.status(number) == "handling"
    world.act(people.county, number, "suspend", **ask())


def test_what_rests_can_be_supplemented_urged_and_withdrawn(
    world: World, people: Chain, resting: str
) -> None:
    assert world.partner.supplement(resting, "鉴定报告已出具。").status == 201
    assert world.partner.urge(resting, "来电人询问进展。").status == 201
    assert world.partner.withdraw(resting, "来电人要求撤回。").status == 201

    (task,) = world.tasks(people.province, resting)
    world.complete_task(people.province, task, {"decision": "approve"}, 200)

    assert world.status(resting) == "withdrawn"


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, {"reason_code", "reason", "until"}),
        (ask(reason="等待"), {"reason"}),
        (ask(reason_code=7), {"reason_code"}),
        (ask(days=-1), {"until"}),
        (ask(days=90), {"until"}),
    ],
)
def test_a_request_names_its_wrong_fields(
    world: World, people: Chain, number: str, values: dict[str, object], fields: set[str]
) -> None:
    refused = world.act(people.county, number, "suspend", 422, **values)

    assert {error["field"] for error in refused["errors"]} == fields


def test_only_the_holder_asks_and_once_at_a_time(world: World, people: Chain, number: str) -> None:
    assert world.act(people.city, number, "suspend", 403, **ask())["code"] == "ACTION_NOT_YOURS"

    world.act(people.county, number, "suspend", **ask())

    assert world.act(people.county, number, "suspend", 409, **ask())["code"] == "MATTER_OPEN"


def test_a_request_lapses_when_the_unit_loses_the_ticket(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    world.act(people.county, number, "suspend", **ask())

    world.act(people.province, number, "recall", reason="承办单位长期未办理，改由其他单位办理。")

    assert world.tasks(leader, number) == []
    assert state_of(world, number) == "lapsed"
    world.complete(people.province, number, route="province")
    world.act(people.province, number, "suspend", **ask())
    world.complete(leader, number, decision="approve")
    assert world.status(number) == "suspended"


def test_only_for_the_unit_that_has_the_ticket_is_it_approved(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    world.act(people.county, number, "suspend", **ask())

    def make_anothers() -> None:
        (matter,) = queries.of_ticket(ticket_numbered(number).id)
        matter.raised_unit_id = people.city.principal.unit_id

    with world.app.app_context():
        transact(make_anothers)
        db.session.remove()
    (task,) = world.tasks(leader, number)

    refused = world.complete_task(leader, task, {"decision": "approve"}, 409).json()

    assert refused["code"] == "SUSPENSION_NOT_HOLDERS"
    assert world.status(number) == "handling"


def test_the_leader_cannot_approve_a_time_that_is_over(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    world.act(people.county, number, "suspend", **ask(days=1))

    def make_old() -> None:
        (matter,) = queries.of_ticket(ticket_numbered(number).id)
        matter.due_at = datetime.now(UTC) - timedelta(hours=1)

    with world.app.app_context():
        transact(make_old)
        db.session.remove()
    (task,) = world.tasks(leader, number)

    refused = world.complete_task(leader, task, {"decision": "approve"}, 409).json()

    assert refused["code"] == "SUSPENSION_OVER"


def moments(world: World, person: Person, number: str) -> tuple[datetime, ...]:
    """From when on lists call the person's task near, nearer and late."""
    (task,) = world.tasks(person, number)
    with world.app.app_context():
        row = session().get_one(UserTask, UUID(task["id"]))
        found = (row.yellow_at, row.orange_at, row.sort_at)
        session().rollback()
    return found


def test_lists_call_nothing_near_that_rests_and_all_of_it_once_it_goes_on(
    world: World, people: Chain, leader: Person, number: str
) -> None:
    before = moments(world, people.county, number)
    world.act(people.county, number, "suspend", **ask())
    world.complete(leader, number, decision="approve")

    assert set(moments(world, people.county, number)) == {NO_DUE_DATE}

    world.act(people.county, number, "resume")

    after = moments(world, people.county, number)
    assert [at.date() for at in after] == [at.date() for at in before]
