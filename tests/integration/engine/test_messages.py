"""Messages and events: delivered once, to one waiter, early ones kept."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.db import session, transact
from app.core.errors import Invalid
from app.engine import runner
from app.engine.models import InboxMessage, UserTask, WaitingMessage
from app.engine.registry import Variables
from tests.integration.engine.conftest import SOMEBODY, Engine
from tests.integration.engine.flows import (
    SEEN,
    boundary,
    catch,
    diagram,
    fork,
    line,
    new_key,
    on_message,
    service,
    timer,
    user,
)

FACT = "tests.fact"


@pytest.fixture
def waiting(engine: Engine) -> str:
    """A process: user task, wait for a message, user task."""
    key = new_key()
    engine.deploy(key, line(key, user("one"), catch("wait", FACT), user("two"), messages=(FACT,)))
    return key


def decision_of(engine: Engine, case: str) -> Any:
    """What the message event of the history says."""
    (found,) = [e["decision"] for e in engine.view(case)["events"] if e["kind"] == "message"]
    return found


def test_a_message_wakes_the_waiting_instance(engine: Engine, waiting: str) -> None:
    case = new_key("case")
    engine.start(waiting, case)
    engine.complete(engine.task(case).id)

    assert engine.send(case, FACT, fact="真", other="不要") == "delivered"

    assert engine.waiting(case) == ["two"]
    assert decision_of(engine, case) == {"fact": "真"}  # only declared keys may enter


def test_an_early_message_is_kept_and_delivered_when_something_waits(
    engine: Engine, waiting: str
) -> None:
    case = new_key("case")

    assert engine.send(case, FACT, fact="早到") == "pending"  # even before the start
    engine.start(waiting, case)
    assert engine.waiting(case) == ["one"]
    engine.complete(engine.task(case).id)

    assert engine.waiting(case) == ["two"]
    assert decision_of(engine, case) == {"fact": "早到"}


def test_an_early_message_that_crossed_with_the_start_is_delivered_by_the_scheduler(
    engine: Engine, late_inbox: Any
) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, catch("wait", FACT), user("two"), messages=(FACT,)))
    late_inbox(key, case)
    assert engine.waiting(case) == []

    assert engine.drain_inbox() == 1

    assert engine.waiting(case) == ["two"]
    assert engine.drain_inbox() == 0


def test_a_repeated_message_changes_nothing(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    steps = (catch("first", FACT), user("between"), catch("second", FACT), user("end"))
    engine.deploy(key, line(key, *steps, messages=(FACT,)))
    engine.start(key, case)
    message_id = uuid.uuid4().hex

    assert engine.send(case, FACT, message_id, fact="一") == "delivered"
    engine.complete(engine.task(case).id)
    assert engine.send(case, FACT, message_id, fact="一") == "delivered"

    assert engine.waiting(case) == []
    assert engine.send(case, FACT, fact="二") == "delivered"
    assert engine.waiting(case) == ["end"]


def test_a_message_reaches_exactly_one_of_two_waiters(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [fork("split"), catch("left", FACT), catch("right", FACT), user("a"), user("b")]
    flows = ["begin>split", "split>left", "split>right", "left>a", "right>b", "a>done", "b>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    engine.start(key, case)

    engine.send(case, FACT)
    assert len(engine.waiting(case)) == 1
    engine.send(case, FACT)

    assert engine.waiting(case) == ["a", "b"]
    assert engine.send(case, FACT) == "pending"


@pytest.fixture
def cases(engine: Engine) -> str:
    """An instance that takes up cases beside its flow; each waits to be over. Two are open."""
    key, case = new_key(), new_key("case")
    over = boundary("over", "look", on_message("tests.over"))
    nodes = [
        *(user("flow"), boundary("raised", "flow", on_message("tests.raised"), interrupting=False)),
        *(
            user("look", unit="matter_unit_id"),
            over,
            '<bpmn:endEvent id="dropped" />',
            '<bpmn:endEvent id="looked" />',
        ),
    ]
    flows = ["begin>flow", "flow>done", "raised>look", "look>looked", "over>dropped"]
    sent = ("tests.raised", "tests.over")
    engine.deploy(key, diagram(key, nodes, flows, messages=sent))
    engine.start(key, case)
    for number in (7, 8):
        engine.send(case, "tests.raised", matter_unit_id=number)
    return case


def open_cases(case: str) -> list[int | None]:
    """The cases that wait: each is looked at by the unit of its number."""
    waiting = select(UserTask.unit_id).where(
        UserTask.business_key == case, UserTask.element_id == "look", UserTask.state == "open"
    )
    return list(session().scalars(waiting.order_by(UserTask.unit_id)))


def test_a_message_about_something_reaches_what_it_is_about(engine: Engine, cases: str) -> None:
    assert engine.send(cases, "tests.over", matter_unit_id=8) == "delivered"

    assert open_cases(cases) == [7]
    assert engine.send(cases, "tests.over", matter_unit_id=7) == "delivered"
    assert engine.waiting(cases) == ["flow"]


def test_a_message_about_what_is_over_is_not_kept(engine: Engine, cases: str) -> None:
    engine.send(cases, "tests.over", "first", matter_unit_id=8)

    engine.send(cases, "tests.over", "late", matter_unit_id=8)
    assert not engine.raise_event(cases, "tests.over", matter_unit_id=8)

    assert open_cases(cases) == [7]
    states = dict(session().execute(select(InboxMessage.message_id, InboxMessage.state)).all())
    assert (states["first"], states["late"]) == ("delivered", "unmatched")
    assert engine.drain_inbox() == 0


def test_a_message_reaches_the_instance_of_its_business_key_only(
    engine: Engine, waiting: str
) -> None:
    one, other = new_key("case"), new_key("case")
    for case in (one, other):
        engine.start(waiting, case)
        engine.complete(engine.task(case).id)

    engine.send(one, FACT)

    assert engine.waiting(one) == ["two"]
    assert engine.waiting(other) == []


def test_of_four_equal_messages_at_once_one_is_delivered(
    engine: Engine, waiting: str, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    case, message_id, gate = new_key("case"), uuid.uuid4().hex, threading.Barrier(4)
    engine.start(waiting, case)
    engine.complete(engine.task(case).id)
    states: list[str] = []

    def compete() -> None:
        def work() -> None:
            gate.wait(10)
            states.append(engine.send(case, FACT, message_id))

        in_context(work)

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert states == ["delivered"] * 4
    assert [e["kind"] for e in engine.view(case)["events"]].count("message") == 1


@pytest.mark.parametrize("how", ["completed", "cancelled"])
def test_a_message_for_an_ended_instance_is_unmatched(engine: Engine, how: str) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one")))
    engine.start(key, case)
    if how == "completed":
        engine.complete(engine.task(case).id)
    else:
        engine.cancel(engine.instance(case).id)
    message_id = uuid.uuid4().hex

    assert engine.send(case, FACT, message_id) == "unmatched"
    assert engine.send(case, FACT, message_id) == "unmatched"

    assert session().get(InboxMessage, message_id).state == "unmatched"


def test_nested_payloads_are_refused(engine: Engine, waiting: str) -> None:
    with pytest.raises(Invalid):
        engine.send(new_key("case"), FACT, fact={"a": 1})


def test_an_event_is_for_now_and_not_kept(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [user("work"), boundary("late", "work", on_message(FACT)), user("overdue")]
    flows = ["begin>work", "work>done", "late>overdue", "overdue>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))

    assert engine.raise_event(case, FACT) is False  # no such instance
    engine.start(key, case)
    assert engine.raise_event(case, "tests.other") is False
    assert engine.raise_event(case, FACT, fact="超期") is True

    assert engine.waiting(case) == ["overdue"]
    (closed,) = engine.tasks(case, "cancelled")
    assert closed.element_id == "work"
    assert engine.raise_event(case, FACT) is False  # a second too late
    engine.complete(engine.task(case).id)
    assert engine.raise_event(case, FACT) is False  # ended
    count = select(func.count()).select_from(InboxMessage).where(InboxMessage.business_key == case)
    assert session().scalar(count) == 0


def test_an_event_beside_a_task_leaves_the_task_open(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [
        user("work"),
        boundary("urge", "work", on_message(FACT), interrupting=False),
        user("answer"),
    ]
    flows = ["begin>work", "work>done", "urge>answer", "answer>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    engine.start(key, case)
    work = engine.task(case)

    assert engine.raise_event(case, FACT) is True

    assert engine.waiting(case) == ["answer", "work"]
    assert engine.complete(work.id).status == "open"


@pytest.fixture
def two_urged(engine: Engine) -> str:
    """A process: two tasks beside each other, each with an event that leads to an answer."""
    key = new_key()
    nodes = [fork("split"), user("left"), user("right"), user("l_answer"), user("r_answer")]
    for host in ("left", "right"):
        nodes.append(boundary(f"{host}_late", host, on_message(FACT), interrupting=False))
    flows = ["begin>split", "split>left", "split>right", "left>done", "right>done"]
    flows += ["left_late>l_answer", "right_late>r_answer", "l_answer>done", "r_answer>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    return key


def test_an_event_about_a_task_reaches_that_task_and_after_it_nobody(
    engine: Engine, two_urged: str
) -> None:
    case = new_key("case")
    engine.start(two_urged, case)
    left, right = engine.tasks(case)

    assert engine.raise_event(case, FACT, right.id) is True
    assert engine.waiting(case) == ["left", "r_answer", "right"]
    engine.complete(left.id)

    assert engine.raise_event(case, FACT, left.id) is False
    assert engine.waiting(case) == ["r_answer", "right"]


def test_an_event_with_an_id_counts_once_and_gets_its_first_answer_again(
    engine: Engine, two_urged: str
) -> None:
    case, mine, late = new_key("case"), new_key("m"), new_key("m")
    engine.start(two_urged, case)
    left, _ = engine.tasks(case)

    assert [engine.raise_event(case, FACT, left.id, mine) for _ in range(2)] == [True, True]
    assert engine.waiting(case) == ["l_answer", "left", "right"]
    engine.complete(left.id)
    assert [engine.raise_event(case, FACT, left.id, late) for _ in range(2)] == [False, False]

    assert session().get(InboxMessage, mine).state == "delivered"
    assert session().get(InboxMessage, late).state == "unmatched"
    session().rollback()


def test_what_waits_is_a_row_only_while_it_waits(engine: Engine, waiting: str) -> None:
    case = new_key("case")
    rows = select(WaitingMessage.name).where(WaitingMessage.business_key == case)
    engine.start(waiting, case)
    assert session().scalars(rows).all() == []
    engine.complete(engine.task(case).id)
    assert session().scalars(rows).all() == [FACT]
    session().rollback()

    engine.send(case, FACT)

    assert session().scalars(rows).all() == []
    session().rollback()


def test_a_message_finds_the_process_that_waits_among_several_of_one_key(
    engine: Engine, waiting: str
) -> None:
    case, other = new_key("case"), new_key()
    engine.deploy(other, line(other, user("brief")))
    engine.start(waiting, case)
    engine.complete(engine.task(case).id)
    engine.start(other, case)
    engine.complete(engine.task(case).id)  # the newest instance of the key has ended

    assert engine.send(case, FACT) == "delivered"

    assert engine.waiting(case) == ["two"]


def test_a_message_waits_for_a_process_that_goes_on_beside_one_that_has_ended(
    engine: Engine, waiting: str
) -> None:
    case, other = new_key("case"), new_key()
    engine.deploy(other, line(other, user("brief")))
    engine.start(waiting, case)
    engine.start(other, case)
    one, brief = sorted(engine.tasks(case), key=lambda task: task.element_id == "brief")
    engine.complete(brief.id)

    assert engine.send(case, FACT, fact="早到") == "pending"
    engine.complete(one.id)

    assert engine.waiting(case) == ["two"]


def test_a_timer_that_is_due_comes_before_a_message_and_neither_is_lost(engine: Engine) -> None:
    key, case, event_case = new_key(), new_key("case"), new_key("case")
    nodes = ['<bpmn:eventBasedGateway id="wait_for" />', catch("answer", FACT)]
    nodes += [timer("overdue", "P1D"), service("remind", "tests.fragile"), user("two")]
    nodes.append('<bpmn:exclusiveGateway id="wait_in" />')
    flows = ["begin>wait_in", "wait_in>wait_for", "wait_for>answer", "wait_for>overdue"]
    flows += ["overdue>remind", "remind>wait_in", "answer>two", "two>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    engine.start(key, case)
    engine.start(key, event_case)
    engine.clock.move(days=1, hours=1)

    assert engine.send(case, FACT, fact="迟到") == "delivered"
    assert engine.raise_event(event_case, FACT) is True

    for each in (case, event_case):
        assert SEEN[each] == ["tests.fragile"]  # reminded once
        assert engine.waiting(each) == ["two"]


def test_a_message_whose_wait_a_due_timer_ended_is_kept(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = ['<bpmn:eventBasedGateway id="wait_for" />', catch("answer", FACT)]
    nodes += [timer("overdue", "P1D"), service("give_up", "tests.fragile"), user("late")]
    nodes += [user("two"), catch("again", FACT), user("end")]
    flows = ["begin>wait_for", "wait_for>answer", "wait_for>overdue", "overdue>give_up"]
    flows += ["give_up>late", "answer>two", "two>done", "late>again", "again>end", "end>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    engine.start(key, case)
    engine.clock.move(days=1, hours=1)

    assert engine.raise_event(case, FACT) is False
    assert engine.waiting(case) == ["late"]
    assert engine.send(case, FACT) == "pending"
    engine.complete(engine.task(case).id)

    assert SEEN[case] == ["tests.fragile"]
    assert engine.waiting(case) == ["end"]


def test_a_message_ends_the_tasks_that_it_makes_void(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [fork("both"), user("helper"), user("after"), catch("wait", FACT), user("next")]
    flows = ["begin>both", "both>helper", "helper>after", "both>wait", "wait>next"]
    flows += ["after>done", "next>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=(FACT,)))
    engine.start(key, case)
    void = engine.task(case).id
    ends: dict[uuid.UUID, Variables] = {void: {"answer": "无"}, uuid.uuid4(): {}}

    state = transact(
        lambda: runner.deliver_message(
            new_key("m"), FACT, case, {"fact": "真"}, now=engine.now, actor=SOMEBODY, ends=ends
        )
    )

    assert state == "delivered"
    assert engine.waiting(case) == ["after", "next"]
    (ended,) = engine.tasks(case, "cancelled")
    assert (ended.id, ended.closed_by) == (void, SOMEBODY.id)
    kinds = {e["element_id"]: e["kind"] for e in engine.view(case)["events"]}
    assert kinds["helper"] == "cancelled"
