"""What comes up beside a recorded call (话务转接): the same as beside a ticket, without 12345."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys.test_calls import agent_of, complaint, ring, steps, ticket_of
from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU, Person

REASON = "承办单位长期未办结，收回后重新分派。"


@dataclass(frozen=True)
class Call:
    """A recorded call that the county handles, and who has to do with it."""

    world: World
    number: str
    people: Chain
    agent: Person
    leader: Person
    supervisor: Person

    @property
    def status(self) -> str:
        """The state of its ticket."""
        return ticket_of(self.world, self.number).status

    def act(self, person: Person, key: str, **values: Any) -> None:
        """Do something beside the flow."""
        self.world.act(person, self.number, key, **values)

    def do(self, person: Person, step: str, **values: Any) -> None:
        """Do one of the tasks that wait for somebody."""
        waiting = self.world.tasks(person, self.number)
        (task,) = [each for each in waiting if each["element_id"] == step]
        self.world.complete_task(person, task, values, 200)

    def steps(self, person: Person) -> list[str]:
        """What waits for somebody."""
        return sorted(steps(self.world, person, self.number))

    def down(self) -> None:
        """From the dispatch to the county's handling."""
        people = self.people
        self.world.delegate(self.number, people.province, people.city)
        target = people.county.principal.unit_id
        self.do(people.city, "city_decide", city_route="county", target_unit_id=target)
        self.world.complete(people.county, self.number)

    def report(self) -> None:
        """From the county's report to the callback."""
        self.world.hand_in(self.people.county, self.number)
        self.world.complete(self.people.city_auditor, self.number, decision="approve")
        self.world.complete(self.people.province_auditor, self.number, decision="approve")


@pytest.fixture
def call(seats: World) -> Call:
    """A complaint by telephone, in the county's hands."""
    agent, number = agent_of(seats), ring(seats)
    roles = ("province_leader", "supervisor")
    leader, supervisor = (seats.employ(GUIZHOU, role) for role in roles)
    made = Call(seats, number, seats.chain(), agent, leader, supervisor)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint())
    seats.complete(made.people.province, number, review="accept")
    made.down()
    return made


def taken_back(call: Call) -> None:
    call.act(call.people.province, "recall", reason=REASON)
    assert call.status == "dispatching"
    assert call.steps(call.people.province) == ["dispatch"]
    call.down()


def given_time_by_the_leader(call: Call) -> None:
    before = ticket_of(call.world, call.number).due_at
    call.act(
        call.people.county,
        "extend",
        extension_reason="需要等待县财政局提供补助发放明细。",
        extension_days=10,
        informed_note="已电话告知来电人延期理由，来电人理解。",
    )
    for person, step in (
        (call.people.city, "city_opinion"),
        (call.people.province, "province_opinion"),
        (call.leader, "leader_decides"),
    ):
        assert ticket_of(call.world, call.number).due_at == before
        call.do(person, step, decision="agree", opinion="情况属实，同意延期。")
    granted = ticket_of(call.world, call.number).due_at - before
    assert timedelta(days=10) <= granted < timedelta(days=20)  # a day of rest moves it on


def urged_by_the_seat(call: Call) -> None:
    call.act(call.agent, "urge", text="来电人再次来电催促。")
    assert call.steps(call.people.county) == ["answer_urge", "handle_by_county"]
    call.do(call.people.county, "answer_urge", answer="已入户核实，三日内办结。")


def supervised(call: Call) -> None:
    call.act(
        call.supervisor, "supervise", reason_code=2, text="多次来电反映，请说明原因并限期办结。"
    )
    assert call.steps(call.people.county) == ["answer_supervision", "handle_by_county"]
    call.do(call.people.county, "answer_supervision", answer="已约谈责任人，三日内办结。")


def supplemented_by_the_seat(call: Call) -> None:
    call.act(call.agent, "supplement", text="来电人补充：涉及三组五户。")
    assert call.steps(call.people.county) == ["handle_by_county", "read_supplement"]
    call.do(call.people.county, "read_supplement")


def kept_although_taken_back(call: Call) -> None:
    call.act(call.agent, "withdraw", reason="来电人表示不再反映，要求撤回。")
    call.do(call.people.province, "confirm_withdrawal", decision="refuse", opinion="涉及公共利益。")
    assert call.steps(call.people.county) == ["handle_by_county"]


def suspended_by_the_leader(call: Call) -> None:
    until = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    why = "等待第三方鉴定结论后方可继续办理。"
    call.act(call.people.county, "suspend", reason_code=1, reason=why, until=until)
    assert call.status == "handling"
    call.do(call.leader, "approve_suspension", decision="approve")
    assert call.status == "suspended"
    call.act(call.people.county, "resume")
    assert call.status == "handling"


def handled_again_after_its_own_callback(call: Call) -> None:
    call.report()
    call.do(call.agent, "own_callback", satisfaction=3, solved="no", opinion="补助仍未到账。")
    assert call.status == "reworking"
    assert call.steps(call.people.county) == ["handle_by_county"]
    assert ticket_of(call.world, call.number).round == 2


EVENTS: list[Callable[[Call], None]] = [
    taken_back,
    given_time_by_the_leader,
    urged_by_the_seat,
    supervised,
    supplemented_by_the_seat,
    kept_although_taken_back,
    suspended_by_the_leader,
    handled_again_after_its_own_callback,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event.__name__))
def test_a_recorded_call_is_filed_whatever_came_up_meanwhile(
    call: Call, event: Callable[[Call], None]
) -> None:
    event(call)

    call.report()
    call.do(call.agent, "own_callback", satisfaction=1, solved="yes")
    assert call.status == "archived"
    assert call.world.deliver() == 0
    assert call.world.received() == []


def test_a_recorded_call_that_is_taken_back_ends_when_the_province_confirms(call: Call) -> None:
    call.act(call.agent, "withdraw", reason="来电人表示问题已解决，要求撤回。")
    call.do(call.people.province, "confirm_withdrawal", decision="approve")

    assert call.status == "withdrawn"
    for person in (call.people.province, call.people.county, call.agent):
        assert call.steps(person) == []
    assert call.world.deliver() == 0
