"""Start, complete, claim: once, by one person, with the first answer for every repeat."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.core.db import session, transact
from app.core.errors import Conflict, Invalid
from app.engine import runner
from app.engine.codec import FORMAT
from app.engine.errors import (
    ActionIdReused,
    StaleVersion,
    TaskAlreadyDone,
    TaskClaimed,
    UnknownDefinition,
    UnknownTask,
)
from app.engine.registry import Actor
from tests.integration.engine.conftest import SOMEBODY, SOMEBODY_ELSE, Engine
from tests.integration.engine.flows import (
    choice,
    diagram,
    fork,
    line,
    new_key,
    service,
    user,
)

ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def two_steps(engine: Engine) -> str:
    """A process of two user tasks."""
    key = new_key()
    engine.deploy(key, line(key, user("one", "第一步"), user("two", "第二步")))
    return key


def test_an_instance_starts_waits_and_ends(engine: Engine, two_steps: str) -> None:
    case = new_key("case")

    started = engine.start(two_steps, case, ticket_id=7)
    assert (started.status, [t["element_id"] for t in started.opened]) == ("open", ["one"])
    second = engine.complete(engine.task(case).id)
    assert [t["name"] for t in second.opened] == ["第二步"]
    ended = engine.complete(engine.task(case).id)

    assert (ended.status, ended.opened) == ("completed", [])
    row = engine.instance(case)
    assert (row.status, row.version, row.state) == ("completed", 3, None)
    assert row.ended_at == engine.now


def test_the_task_row_says_what_lists_need(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    properties = {"form": "ticket.review", "unit": "province_unit_id", "deadline": "review"}
    engine.deploy(key, line(key, user("review", "初审", **properties)))

    engine.start(key, case, province_unit_id=31)

    row = engine.task(case)
    assert (row.name, row.role, row.form) == ("初审", "province_operator", "ticket.review")
    assert (row.unit_id, row.deadline_key, row.version) == (31, "review", 1)
    assert row.opened_at == engine.now
    assert row.assignee_id is None


def test_gateways_read_what_was_entered(engine: Engine) -> None:
    key = new_key()
    nodes = [user("decide"), choice("which", "which>small"), user("small"), user("large")]
    flows = ["begin>decide", "decide>which", "which>small", "which>large if amount &gt; 5"]
    engine.deploy(key, diagram(key, nodes, [*flows, "small>done", "large>done"]))

    for amount, expected in ((5, "small"), (6, "large")):
        case = new_key("case")
        engine.start(key, case)
        engine.complete(engine.task(case).id, amount=amount)
        assert engine.waiting(case) == [expected]


def test_parallel_branches_join_when_both_are_done(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [fork("split"), user("left"), user("right"), fork("join"), user("last")]
    flows = ["begin>split", "split>left", "split>right", "left>join", "right>join"]
    engine.deploy(key, diagram(key, nodes, [*flows, "join>last", "last>done"]))
    engine.start(key, case)
    left, right = engine.tasks(case)

    engine.complete(right.id, SOMEBODY_ELSE)
    assert engine.waiting(case) == ["left"]
    engine.complete(left.id)

    assert engine.waiting(case) == ["last"]


def test_one_instance_per_process_and_business_key(engine: Engine, two_steps: str) -> None:
    case = new_key("case")
    engine.start(two_steps, case)

    with pytest.raises(Conflict) as refused:
        engine.start(two_steps, case)

    assert refused.value.code == "INSTANCE_EXISTS"
    other = new_key()
    engine.deploy(other, line(other, user("one")))
    assert engine.start(other, case).status == "open"


def test_a_process_nobody_published_is_unknown(engine: Engine) -> None:
    with pytest.raises(UnknownDefinition):
        engine.start(new_key(), new_key("case"))


def test_an_unknown_task_is_not_found(engine: Engine) -> None:
    with pytest.raises(UnknownTask):
        engine.complete(uuid.uuid4())
    with pytest.raises(UnknownTask):
        engine.claim(uuid.uuid4())
    with pytest.raises(UnknownTask):
        engine.unclaim(uuid.uuid4())


@pytest.mark.parametrize(
    "values",
    [{"people": [1]}, {"person": {"name": "x"}}, {"_hidden": 1}, {"a b": 1}, {"n": float("nan")}],
)
def test_variables_are_flat_at_every_entry(
    engine: Engine, two_steps: str, values: dict[str, Any]
) -> None:
    case = new_key("case")
    with pytest.raises(Invalid):
        engine.start(two_steps, case, **values)

    engine.start(two_steps, case)
    with pytest.raises(Invalid) as refused:
        engine.complete(engine.task(case).id, **values)

    assert [e.field for e in refused.value.errors] == list(values)
    assert engine.waiting(case) == ["one"]


def test_a_repeated_action_gets_the_first_answer_and_does_nothing(
    engine: Engine, two_steps: str
) -> None:
    case, start_id, complete_id = new_key("case"), uuid.uuid4(), uuid.uuid4()

    first = engine.start(two_steps, case, start_id)
    assert engine.start(two_steps, case, start_id) == first
    task = engine.task(case)
    done = engine.complete(task.id, action_id=complete_id)
    again = engine.complete(task.id, action_id=complete_id)

    assert again == done
    assert engine.waiting(case) == ["two"]
    assert engine.instance(case).version == 2


def test_an_action_id_belongs_to_its_instance(engine: Engine, two_steps: str) -> None:
    one, other, action_id = new_key("case"), new_key("case"), uuid.uuid4()
    engine.start(two_steps, one)
    engine.start(two_steps, other)
    engine.complete(engine.task(one).id, action_id=action_id)

    with pytest.raises(Conflict) as refused:
        engine.complete(engine.task(other).id, action_id=action_id)

    assert refused.value.code == "ACTION_ID_REUSED"
    assert engine.waiting(other) == ["one"]


def test_a_completed_task_is_refused_naming_who_did_it(engine: Engine, two_steps: str) -> None:
    case = new_key("case")
    engine.start(two_steps, case)
    task = engine.task(case)
    engine.complete(task.id, SOMEBODY)

    with pytest.raises(TaskAlreadyDone) as refused:
        engine.complete(task.id, SOMEBODY_ELSE)

    assert "已由周明远办理" in refused.value.message
    assert refused.value.payload()["acted_by"] == "周明远"
    with pytest.raises(TaskAlreadyDone):
        engine.claim(task.id, SOMEBODY_ELSE)


def test_of_eight_who_complete_at_once_one_wins_and_the_others_learn_who(
    engine: Engine, two_steps: str, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    case = new_key("case")
    engine.start(two_steps, case)
    task_id, gate = engine.task(case).id, threading.Barrier(8)
    results: list[tuple[str, str]] = []

    def compete(number: int) -> None:
        actor = Actor(200 + number, f"员工{number}", 7)

        def work() -> None:
            gate.wait(10)
            try:
                engine.complete(task_id, actor, winner=number)
                results.append(("won", actor.name))
            except TaskAlreadyDone as refused:
                results.append(("lost", str(refused.details["acted_by"])))

        in_context(work)

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    winners = [name for outcome, name in results if outcome == "won"]
    assert len(results) == 8
    assert len(winners) == 1
    assert {name for outcome, name in results if outcome == "lost"} == set(winners)
    assert engine.waiting(case) == ["two"]
    (done,) = engine.tasks(case, "done")
    assert done.closed_by_name == winners[0]


@pytest.mark.parametrize("with_action_id", [True, False])
def test_of_four_who_start_the_same_at_once_one_instance_comes(
    engine: Engine,
    two_steps: str,
    in_context: Callable[[Callable[[], Any]], Any],
    with_action_id: bool,
) -> None:
    case, gate = new_key("case"), threading.Barrier(4)
    action_id = uuid.uuid4() if with_action_id else None
    answers: list[Any] = []

    def compete() -> None:
        def work() -> None:
            gate.wait(10)
            try:
                answers.append(engine.start(two_steps, case, action_id))
            except Conflict as refused:
                answers.append(refused.code)

        in_context(work)

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert engine.waiting(case) == ["one"]
    if with_action_id:  # the same request sent four times: one answer
        assert len(answers) == 4
        assert all(answer == answers[0] for answer in answers)
    else:
        assert sorted(map(str, answers))[:3] == ["INSTANCE_EXISTS"] * 3


def test_claim_and_unclaim_pass_a_task_from_hand_to_hand(engine: Engine, two_steps: str) -> None:
    case = new_key("case")
    engine.start(two_steps, case)
    task_id = engine.task(case).id

    assert engine.claim(task_id, SOMEBODY) == 2
    assert engine.claim(task_id, SOMEBODY) == 2  # one's own again
    for attempt in (engine.claim, engine.unclaim, engine.complete):
        with pytest.raises(TaskClaimed) as refused:
            attempt(task_id, SOMEBODY_ELSE)
        assert "周明远" in refused.value.message
    assert engine.unclaim(task_id, SOMEBODY) == 3
    assert engine.claim(task_id, SOMEBODY_ELSE) == 4
    engine.complete(task_id, SOMEBODY_ELSE, version=4)

    assert engine.waiting(case) == ["two"]


def test_a_form_opened_before_the_task_changed_hands_is_refused(
    engine: Engine, two_steps: str
) -> None:
    case = new_key("case")
    engine.start(two_steps, case)
    task_id = engine.task(case).id
    engine.claim(task_id, SOMEBODY)

    with pytest.raises(StaleVersion):
        engine.complete(task_id, SOMEBODY, version=1)

    assert engine.complete(task_id, SOMEBODY, version=2).status == "open"


def test_the_state_is_packed_and_holds_no_diagram(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one"), service("note", "tests.note"), user("two")))
    engine.start(key, case, ticket_id=7)

    state = engine.instance(case).state

    assert isinstance(state, bytes)
    assert (state[0], state[9:13]) == (FORMAT, ZSTD)
    assert b"bpmn" not in state
    assert b"<" + b"bpmn" not in __import__("zstandard").decompress(state[9:])
    assert len(state) < 1000


def test_a_task_opened_by_another_service_is_seen_in_its_rows_only(
    engine: Engine, two_steps: str
) -> None:
    case = new_key("case")
    engine.start(two_steps, case)

    engine.complete(engine.task(case).id)

    assert [t.element_id for t in engine.tasks(case, "done")] == ["one"]
    assert [t.element_id for t in engine.tasks(case, "open")] == ["two"]
    session().rollback()


def test_an_action_id_used_for_two_instances_at_once_counts_once(
    engine: Engine, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    key, one, other, action_id = new_key(), new_key("case"), new_key("case"), uuid.uuid4()
    engine.deploy(key, line(key, user("one")))
    refusals: list[Exception] = []

    def second() -> None:
        try:
            in_context(lambda: engine.start(key, other, action_id))
        except Exception as refusal:
            refusals.append(refusal)

    thread = threading.Thread(target=second)

    def first() -> None:
        runner.start(key, one, {}, actor=SOMEBODY, now=engine.now, action_id=action_id)
        thread.start()
        thread.join(0.5)  # by then it waits for our row, or it finds the answer afterwards

    transact(first)
    thread.join(30)

    assert [type(refusal) for refusal in refusals] == [ActionIdReused]
    assert engine.waiting(one) == ["one"]
    assert engine.tasks(other) == []
