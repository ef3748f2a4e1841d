"""What breaks inside an action: nothing half done, an incident, and the operator's retry."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import session
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.engine.failures import ActionFailed
from tests.integration.engine.conftest import SOMEBODY, SOMEBODY_ELSE, Engine
from tests.integration.engine.flows import (
    CAUSES,
    after,
    boundary,
    catch,
    diagram,
    line,
    new_key,
    on_message,
    raising,
    service,
    user,
)

SECRET = "李某某 13800001234"  # what an exception's text may quote


@pytest.fixture
def fragile(engine: Engine) -> tuple[str, str]:
    """A process that waits before a handler which can be made to break; and a case of it."""
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one"), service("break", "tests.fragile"), user("two")))
    engine.start(key, case)
    return key, case


def test_a_handler_that_breaks_leaves_nothing_but_an_incident(
    engine: Engine, fragile: tuple[str, str]
) -> None:
    _, case = fragile
    task, before = engine.task(case), engine.view(case)
    CAUSES[case] = raising(RuntimeError(SECRET))

    with pytest.raises(ActionFailed) as failed:
        engine.complete(task.id, note="已看")

    assert SECRET not in str(failed.value)
    assert failed.value.status == 500
    assert engine.view(case) == before
    (incident,) = engine.incidents(case)
    assert (incident.action, incident.element_id) == ("complete_task", "break")
    assert (incident.attempts, incident.instance_id) == (1, engine.instance(case).id)
    assert incident.error.startswith("RuntimeError")
    assert SECRET not in incident.error
    assert incident.request["values"] == {"note": "已看"}
    assert incident.request["actor"]["name"] == SOMEBODY.name


def test_a_retry_counts_until_the_cause_is_gone_and_then_acts_as_the_first_person(
    engine: Engine, fragile: tuple[str, str]
) -> None:
    _, case = fragile
    CAUSES[case] = raising(ZeroDivisionError())
    with pytest.raises(ActionFailed):
        engine.complete(engine.task(case).id)
    (incident,) = engine.incidents(case)

    with pytest.raises(ActionFailed):
        engine.retry(incident.id)
    (again,) = engine.incidents(case)
    assert (again.id, again.attempts) == (incident.id, 2)
    del CAUSES[case]
    engine.retry(incident.id)

    assert engine.incidents(case) == []
    (settled,) = engine.incidents(case, "resolved")
    assert (settled.resolved_by, settled.resolved_at) == ("管理员", engine.now)
    assert engine.waiting(case) == ["two"]
    (done,) = engine.tasks(case, "done")
    assert done.closed_by_name == SOMEBODY.name


def test_a_person_may_simply_try_again_and_the_failure_is_counted_once_per_task(
    engine: Engine, fragile: tuple[str, str]
) -> None:
    _, case = fragile
    task_id = engine.task(case).id
    CAUSES[case] = raising(KeyError("x"))

    for actor in (SOMEBODY, SOMEBODY_ELSE):
        with pytest.raises(ActionFailed):
            engine.complete(task_id, actor)

    (incident,) = engine.incidents(case)
    assert incident.attempts == 2
    assert incident.request["actor"]["name"] == SOMEBODY_ELSE.name


def test_a_settled_incident_is_not_retried(engine: Engine, fragile: tuple[str, str]) -> None:
    _, case = fragile
    CAUSES[case] = raising(KeyError("x"))
    with pytest.raises(ActionFailed):
        engine.complete(engine.task(case).id)
    (incident,) = engine.incidents(case)
    del CAUSES[case]
    engine.retry(incident.id)

    with pytest.raises(Conflict) as refused:
        engine.retry(incident.id)
    assert refused.value.code == "INCIDENT_RESOLVED"
    with pytest.raises(NotFound):
        engine.retry(2**40)


@pytest.mark.parametrize(
    "refusal", [Conflict("工单已办结", "TICKET_CLOSED"), NotAllowed(), Invalid([], "不可")]
)
def test_a_refusal_in_a_handler_passes_through_and_is_no_incident(
    engine: Engine, fragile: tuple[str, str], refusal: Exception
) -> None:
    _, case = fragile
    before = engine.view(case)
    CAUSES[case] = raising(refusal)

    with pytest.raises(type(refusal)) as passed:
        engine.complete(engine.task(case).id)

    assert passed.value is refusal
    assert engine.incidents(case) == []
    assert engine.view(case) == before


TWICE = "insert into number_counters values (:prefix, '2026-11-24', 1)"


def twice(case: str) -> None:
    """Write a row whose key another has written."""
    for _ in range(2):
        session().execute(text(TWICE), {"prefix": case})


def test_a_row_that_the_database_refuses_in_a_handler_is_an_incident(
    engine: Engine, fragile: tuple[str, str]
) -> None:
    _, case = fragile
    before = engine.view(case)
    CAUSES[case] = partial(twice, case)

    with pytest.raises(ActionFailed) as failed:
        engine.complete(engine.task(case).id)

    assert (failed.value.status, case in str(failed.value)) == (500, False)
    (incident,) = engine.incidents(case)
    assert (incident.element_id, incident.attempts) == ("break", 1)
    assert incident.error.startswith("IntegrityError")
    assert engine.view(case) == before


def test_who_wrote_the_same_a_moment_later_is_answered_by_a_second_try(
    engine: Engine, fragile: tuple[str, str]
) -> None:
    _, case = fragile
    tries: list[int] = []

    def clash_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            twice(case)

    CAUSES[case] = clash_once

    engine.complete(engine.task(case).id)

    assert len(tries) == 2
    assert engine.incidents(case) == []
    assert engine.waiting(case) == ["two"]


def test_a_form_that_refuses_or_breaks_leaves_the_task_open(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one", form="tests.amount"), user("two")))
    engine.start(key, case)
    task_id = engine.task(case).id

    with pytest.raises(Invalid) as wrong:
        engine.complete(task_id, amount=12)
    assert [e.message for e in wrong.value.errors] == ["应为1–9"]
    with pytest.raises(Conflict):
        engine.complete(task_id, amount=4)
    assert engine.incidents(case) == []
    with pytest.raises(ActionFailed):
        engine.complete(task_id, amount=5)
    assert [i.element_id for i in engine.incidents(case)] == ["one"]
    assert engine.waiting(case) == ["one"]

    engine.complete(task_id, amount=6)
    assert engine.waiting(case) == ["two"]


def test_a_handler_that_returns_nested_values_is_a_defect_not_a_variable(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one"), service("bad", "tests.nested"), user("two")))
    engine.start(key, case)

    with pytest.raises(ActionFailed):
        engine.complete(engine.task(case).id)

    assert engine.waiting(case) == ["one"]
    assert len(engine.incidents(case)) == 1


def test_a_start_that_breaks_makes_no_instance_until_its_retry(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, service("break", "tests.fragile"), user("one")))
    CAUSES[case] = raising(RuntimeError(SECRET))

    with pytest.raises(ActionFailed):
        engine.start(key, case, ticket_id=7)
    assert engine.tasks(case) == []
    (incident,) = engine.incidents(case)
    assert (incident.action, incident.instance_id) == ("start", None)
    del CAUSES[case]
    engine.retry(incident.id)

    assert engine.waiting(case) == ["one"]


def test_a_timer_that_breaks_stops_its_instance_until_the_retry(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [user("one"), boundary("late", "one", after("PT1H")), user("two")]
    nodes.append(service("break", "tests.fragile"))
    flows = ["begin>one", "one>done", "late>break", "break>two", "two>done"]
    engine.deploy(key, diagram(key, nodes, flows))
    engine.start(key, case)
    engine.clock.move(hours=2)
    CAUSES[case] = raising(RuntimeError())
    instance_id = engine.instance(case).id

    with pytest.raises(ActionFailed):
        engine.fire_due(instance_id)
    assert engine.instance(case).status == "incident"
    assert engine.fire_due(instance_id) is None
    assert engine.waiting(case) == ["one"]
    del CAUSES[case]
    (incident,) = engine.incidents(case)
    engine.retry(incident.id)

    assert engine.instance(case).status == "open"
    assert engine.waiting(case) == ["two"]


def two_waits(engine: Engine) -> str:
    """A process that waits for a message, and then for a handler that may break."""
    key = new_key()
    steps = (catch("wait", "tests.fact"), service("break", "tests.fragile"), user("end"))
    engine.deploy(key, line(key, *steps, messages=("tests.fact",)))
    return key


def test_a_message_that_breaks_is_kept_by_the_incident_and_delivered_by_its_retry(
    engine: Engine,
) -> None:
    key, case = two_waits(engine), new_key("case")
    engine.start(key, case)
    CAUSES[case] = raising(RuntimeError())

    with pytest.raises(ActionFailed):
        engine.send(case, "tests.fact", "message-" + case, fact="真")
    assert engine.waiting(case) == []
    del CAUSES[case]
    (incident,) = engine.incidents(case)
    engine.retry(incident.id)

    assert engine.waiting(case) == ["end"]
    assert engine.send(case, "tests.fact", "message-" + case, fact="真") == "delivered"


def test_an_early_message_that_breaks_a_start_comes_again_with_its_retry(engine: Engine) -> None:
    key, case = two_waits(engine), new_key("case")
    engine.send(case, "tests.fact", fact="早到")
    CAUSES[case] = raising(RuntimeError())
    with pytest.raises(ActionFailed):
        engine.start(key, case)
    del CAUSES[case]
    (incident,) = engine.incidents(case)

    engine.retry(incident.id)

    assert engine.waiting(case) == ["end"]
    assert engine.drain_inbox() == 0


def test_one_message_that_keeps_breaking_does_not_hold_up_the_others(
    engine: Engine, late_inbox: Any
) -> None:
    key, broken, fine = two_waits(engine), new_key("case"), new_key("case")
    late_inbox(key, broken)
    late_inbox(key, fine)
    CAUSES[broken] = raising(RuntimeError())

    outcomes = []
    for _ in range(4):  # as the scheduler does: an incident is out of the way, go on
        try:
            outcomes.append(engine.drain_inbox())
        except ActionFailed:
            outcomes.append(-1)

    assert outcomes.count(-1) == 1
    assert engine.waiting(fine) == ["end"]
    (incident,) = engine.incidents(broken)
    assert incident.attempts == 1
    with pytest.raises(ActionFailed):
        engine.retry(incident.id)
    assert engine.incidents(broken)[0].attempts == 2
    del CAUSES[broken]
    engine.retry(incident.id)
    assert engine.waiting(broken) == ["end"]


def late_step(engine: Engine) -> tuple[str, int]:
    """A case whose timer is due and runs into a handler that may break; its instance."""
    key, case = new_key(), new_key("case")
    nodes = [user("one"), boundary("late", "one", after("PT1H")), user("two")]
    nodes.append(service("break", "tests.fragile"))
    engine.deploy(
        key, diagram(key, nodes, ["begin>one", "one>done", "late>break", "break>two", "two>done"])
    )
    engine.start(key, case)
    engine.clock.move(hours=2)
    return case, engine.instance(case).id


def division_by_zero() -> None:
    session().execute(text("select 1 / 0"))


@pytest.mark.parametrize(
    "cause", [raising(Conflict("工单已办结", "TICKET_CLOSED")), division_by_zero]
)
def test_a_timer_that_is_refused_has_nobody_to_tell_and_becomes_an_incident(
    engine: Engine, cause: Callable[[], None]
) -> None:
    case, instance_id = late_step(engine)
    CAUSES[case] = cause

    with pytest.raises(ActionFailed):
        engine.fire_due(instance_id)

    assert engine.instance(case).status == "incident"  # out of the way of the other timers
    assert [i.action for i in engine.incidents(case)] == ["fire_due"]
    del CAUSES[case]
    engine.retry(engine.incidents(case)[0].id)
    assert engine.waiting(case) == ["two"]


def test_an_early_message_that_is_refused_does_not_hold_up_the_others(
    engine: Engine, late_inbox: Any
) -> None:
    key, refused, fine = two_waits(engine), new_key("case"), new_key("case")
    late_inbox(key, refused)
    late_inbox(key, fine)
    CAUSES[refused] = raising(Conflict("工单已办结", "TICKET_CLOSED"))

    for _ in range(4):
        with suppress(ActionFailed):
            engine.drain_inbox()

    assert engine.waiting(fine) == ["end"]
    assert len(engine.incidents(refused)) == 1


def test_a_stopped_timer_is_not_dismissed_and_nothing_is_dismissed_twice(engine: Engine) -> None:
    case, instance_id = late_step(engine)
    CAUSES[case] = raising(RuntimeError())
    with pytest.raises(ActionFailed):
        engine.fire_due(instance_id)
    (incident,) = engine.incidents(case)

    with pytest.raises(Conflict) as stopped:
        engine.dismiss(incident.id)
    assert stopped.value.code == "INSTANCE_STOPPED"
    engine.cancel(instance_id)
    engine.dismiss(incident.id)
    with pytest.raises(Conflict) as again:
        engine.dismiss(incident.id)
    assert again.value.code == "INCIDENT_RESOLVED"


def test_a_task_whose_unit_is_unknown_is_an_incident_and_not_everybody_s(engine: Engine) -> None:
    key, case, other = new_key(), new_key("case"), new_key("case")
    engine.deploy(key, line(key, user("one", unit="city_unit_id")))

    with pytest.raises(ActionFailed):
        engine.start(key, case)
    with pytest.raises(ActionFailed):
        engine.start(key, case, city_unit_id="7")
    engine.start(key, other, city_unit_id=7)

    assert engine.tasks(case) == []
    assert engine.task(other).unit_id == 7


def test_an_event_that_broke_counts_once_whoever_tries_it_again(engine: Engine) -> None:
    key, case, once = new_key(), new_key("case"), new_key("m")
    nodes = [user("work"), boundary("late", "work", on_message("tests.fact"), interrupting=False)]
    nodes += [service("urge", "tests.fragile"), user("answer")]
    flows = ["begin>work", "work>done", "late>urge", "urge>answer", "answer>done"]
    engine.deploy(key, diagram(key, nodes, flows, messages=("tests.fact",)))
    engine.start(key, case)
    work = engine.task(case)
    CAUSES[case] = raising(ZeroDivisionError())
    with pytest.raises(ActionFailed):
        engine.raise_event(case, "tests.fact", work.id, once)
    (incident,) = engine.incidents(case)
    del CAUSES[case]

    assert engine.raise_event(case, "tests.fact", work.id, once) is True
    engine.retry(incident.id)

    assert engine.waiting(case) == ["answer", "work"]
    assert engine.incidents(case) == []
