"""Work items on a real database: once each, in order, put off, given up, replayed."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from app.core.clock import now as system_now
from app.core.db import RecordedFailure, session, transact
from app.workqueue import queries, registry, services
from app.workqueue.errors import LeaseLost, NotDead, UnknownItem
from app.workqueue.models import DEAD, DONE, READY, SETTLED, WorkItem
from app.workqueue.registry import Item, Lane

pytestmark = pytest.mark.usefixtures("context")


def put(lane: str, key: str | None = None, **values: object) -> str:
    key = key or uuid.uuid4().hex
    transact(lambda: services.enqueue(lane, key, payload={"n": 1}, **values))
    return key


def row(key: str) -> WorkItem:
    session().expire_all()
    return session().scalars(select(WorkItem).where(WorkItem.dedup_key == key)).one()


def process(lane: str, work: Callable[[Item, datetime], None], limit: int = 50) -> int:
    found = Lane(lane, work, limit)
    return transact(lambda: services.process_database_lane(found, now=system_now()))


def lease(lane: str, dest: str, owner: str = "node-a", limit: int = 10) -> list[Item]:
    return transact(lambda: services.lease(lane, limit, dest=dest, owner=owner, seconds=60))


def make_due(key: str) -> None:
    transact(
        lambda: session().execute(
            update(WorkItem).where(WorkItem.dedup_key == key).values(due_at=func.now())
        )
    )


def expire_lease(key: str) -> None:
    transact(
        lambda: session().execute(
            update(WorkItem)
            .where(WorkItem.dedup_key == key)
            .values(lease_until=func.now() - timedelta(seconds=1))
        )
    )


def test_the_same_dedup_key_is_added_once(lane_name: str) -> None:
    first = transact(lambda: services.enqueue(lane_name, "k" + lane_name, payload={}))
    second = transact(lambda: services.enqueue(lane_name, "k" + lane_name, payload={"other": 1}))

    assert (first, second) == (True, False)
    assert row("k" + lane_name).payload == {}


def test_an_item_of_a_rolled_back_transaction_never_existed(lane_name: str) -> None:
    def add_then_fail() -> None:
        services.enqueue(lane_name, "gone" + lane_name, payload={})
        raise RuntimeError("the state change did not happen")

    with pytest.raises(RuntimeError):
        transact(add_then_fail)

    assert process(lane_name, lambda item, now: None) == 0


def test_only_due_items_are_worked_on_and_each_once(lane_name: str) -> None:
    seen: list[str] = []
    key = put(lane_name)
    put(lane_name, due_at=system_now() + timedelta(hours=1))

    counts = [process(lane_name, lambda item, now: seen.append(item.dedup_key)) for _ in range(2)]

    assert counts == [1, 0]
    assert seen == [key]
    assert row(key).state == DONE
    assert row(key).done_at is not None


def test_oldest_due_items_come_first(lane_name: str) -> None:
    seen: list[str] = []
    late = put(lane_name, due_at=system_now() - timedelta(minutes=1))
    early = put(lane_name, due_at=system_now() - timedelta(minutes=9))

    process(lane_name, lambda item, now: seen.append(item.dedup_key))

    assert seen == [early, late]


def test_a_poison_item_is_put_off_and_the_rest_of_its_batch_is_kept(lane_name: str) -> None:
    good, poison, other = put(lane_name), put(lane_name), put(lane_name)

    def work(item: Item, now: datetime) -> None:
        services.enqueue(lane_name + "-out", "effect" + item.dedup_key, payload={})
        if item.dedup_key == poison:
            raise ZeroDivisionError

    process(lane_name, work)

    assert [row(key).state for key in (good, poison, other)] == [DONE, READY, DONE]
    assert row(poison).attempts == 1
    assert row(poison).last_error == "ZeroDivisionError"
    assert timedelta(seconds=50) < row(poison).due_at - system_now() < timedelta(seconds=70)
    effects = {
        key
        for key in (good, poison, other)
        if session().scalar(select(WorkItem.id).where(WorkItem.dedup_key == "effect" + key))
    }
    assert effects == {good, other}


def test_an_item_that_breaks_a_statement_does_not_break_the_batch(lane_name: str) -> None:
    poison, good = put(lane_name), put(lane_name)

    def work(item: Item, now: datetime) -> None:
        if item.dedup_key == poison:
            session().execute(text("select 1/0"))

    process(lane_name, work)

    assert row(poison).state == READY
    assert row(good).state == DONE


def test_a_recorded_failure_leaves_its_trace(lane_name: str) -> None:
    trace = "trace" + lane_name

    class Incident(RecordedFailure):
        def record(self, session: object) -> None:
            services.enqueue(lane_name + "-trace", trace, payload={})

    def work(item: Item, now: datetime) -> None:
        raise Incident

    key = put(lane_name)
    process(lane_name, work)

    assert row(trace).lane == lane_name + "-trace"
    assert row(key).attempts == 1


def test_the_last_attempt_makes_a_dead_letter_that_can_be_replayed(lane_name: str) -> None:
    def work(item: Item, now: datetime) -> None:
        raise ValueError

    key = put(lane_name, max_attempts=2)
    for _ in range(2):
        process(lane_name, work)
        make_due(key)
    assert row(key).state == DEAD
    [letter] = queries.dead_letters(lane_name)
    assert (letter.dedup_key, letter.attempts, letter.reason) == (key, 2, "ValueError")

    transact(lambda: services.replay(letter.id, actor="province-operator"))
    process(lane_name, lambda item, now: None)

    assert row(key).state == DONE
    [action] = queries.interventions(letter.id)
    assert (action.action, action.actor) == ("replayed", "province-operator")


def test_settling_offline_keeps_reason_and_actor_and_is_refused_twice(lane_name: str) -> None:
    key = put(lane_name, max_attempts=1)
    process(lane_name, lambda item, now: 1 / 0)
    item_id = row(key).id

    transact(lambda: services.settle_offline(item_id, "已电话告知", actor="u7"))

    assert row(key).state == SETTLED
    [action] = queries.interventions(item_id)
    assert (action.action, action.reason, action.actor) == ("settled_offline", "已电话告知", "u7")
    with pytest.raises(NotDead):
        transact(lambda: services.settle_offline(item_id, "又一次", actor="u7"))
    with pytest.raises(NotDead):
        transact(lambda: services.replay(item_id, actor="u7"))
    with pytest.raises(UnknownItem):
        transact(lambda: services.replay(-1, actor="u7"))


def test_a_later_item_waits_for_the_earlier_one_of_its_ticket(lane_name: str) -> None:
    first = put(lane_name, business_key="T1" + lane_name, dest="gz")
    second = put(lane_name, business_key="T1" + lane_name, dest="gz")
    other_ticket = put(lane_name, business_key="T2" + lane_name, dest="gz")
    other_dest = put(lane_name, business_key="T1" + lane_name, dest="cq")

    taken = lease(lane_name, "gz")

    assert {item.dedup_key for item in taken} == {first, other_ticket}
    assert [item.dedup_key for item in lease(lane_name, "cq")] == [other_dest]
    assert lease(lane_name, "gz") == []

    for item in taken:
        transact(lambda item=item: services.finish(item, "node-a"))
    assert [item.dedup_key for item in lease(lane_name, "gz")] == [second]


def test_a_later_item_waits_while_the_earlier_one_is_put_off_or_dead(lane_name: str) -> None:
    first = put(lane_name, business_key="T1" + lane_name, dest="gz")
    second = put(lane_name, business_key="T1" + lane_name, dest="gz")
    [item] = lease(lane_name, "gz")

    transact(lambda: services.fail(item, "node-a", "HTTP_500"))
    assert lease(lane_name, "gz") == []
    make_due(first)
    [again] = lease(lane_name, "gz")
    assert (again.dedup_key, again.attempts) == (first, 2)
    assert transact(lambda: services.fail(again, "node-a", "HTTP_422", final=True)) is True
    assert lease(lane_name, "gz") == []
    [letter] = queries.dead_letters(lane_name)
    assert letter.held_up == 1

    transact(lambda: services.settle_offline(letter.id, "已线下反馈", actor="u1"))
    assert [item.dedup_key for item in lease(lane_name, "gz")] == [second]


def test_timers_of_one_ticket_do_not_wait_for_each_other(lane_name: str) -> None:
    put(lane_name, business_key="T1" + lane_name, due_at=system_now() + timedelta(days=15))
    soon = put(lane_name, business_key="T1" + lane_name)
    seen: list[str] = []

    process(lane_name, lambda item, now: seen.append(item.dedup_key))

    assert seen == [soon]


def test_an_expired_lease_is_taken_over_and_the_old_owner_is_refused(lane_name: str) -> None:
    key = put(lane_name, business_key="T1" + lane_name, dest="gz")
    [old] = lease(lane_name, "gz", "node-a")
    assert transact(lambda: services.take_back_expired(lane_name)) == []

    expire_lease(key)
    assert len(transact(lambda: services.take_back_expired(lane_name))) == 1
    [new] = lease(lane_name, "gz", "node-b")

    assert (old.attempts, new.attempts) == (1, 2)
    with pytest.raises(LeaseLost):
        transact(lambda: services.finish(old, "node-a"))
    with pytest.raises(LeaseLost):
        transact(lambda: services.fail(old, "node-a", "HTTP_500"))
    transact(lambda: services.finish(new, "node-b"))
    assert row(key).state == DONE


def test_the_same_owner_cannot_finish_with_an_older_attempt(lane_name: str) -> None:
    key = put(lane_name, dest="gz")
    [old] = lease(lane_name, "gz", "node-a")
    expire_lease(key)
    transact(lambda: services.take_back_expired(lane_name))
    lease(lane_name, "gz", "node-a")

    with pytest.raises(LeaseLost):
        transact(lambda: services.finish(old, "node-a"))


def test_an_item_that_kills_its_worker_every_time_ends_as_a_dead_letter(lane_name: str) -> None:
    key = put(lane_name, dest="gz", max_attempts=2)
    for _ in range(2):
        assert len(lease(lane_name, "gz")) == 1
        expire_lease(key)
        transact(lambda: services.take_back_expired(lane_name))

    assert row(key).state == DEAD
    assert row(key).last_error == "LEASE_EXPIRED"


def test_a_released_lease_does_not_count_as_an_attempt(lane_name: str) -> None:
    key = put(lane_name, dest="gz")
    [item] = lease(lane_name, "gz")

    transact(lambda: services.release(item, "node-a"))

    assert (row(key).state, row(key).attempts) == (READY, 0)


def test_due_destinations_name_each_destination_once(lane_name: str) -> None:
    for dest in ("gz", "cq", "gz", "bj"):
        put(lane_name, dest=dest)
    put(lane_name, dest="sh", due_at=system_now() + timedelta(hours=1))

    assert queries.due_destinations(lane_name) == ["bj", "cq", "gz"]
    counts = {
        (count.dest, count.state): count.items for count in queries.unfinished_counts(lane_name)
    }
    assert counts == {("bj", READY): 1, ("cq", READY): 1, ("gz", READY): 2, ("sh", READY): 1}


def test_claiming_reads_no_finished_rows(lane_name: str) -> None:
    transact(
        lambda: session().execute(
            text(
                "insert into work_items(shard, lane, dedup_key, max_attempts, state, done_at)"
                " select 0, :lane, :lane || g, 9, 'done', now() from generate_series(1, 20000) g"
            ),
            {"lane": lane_name},
        )
    )
    put(lane_name)
    session().execute(text("set local enable_seqscan = off"))

    plan = "\n".join(
        session().scalars(
            text(
                "explain (analyze, costs off, timing off) select id from work_items"
                " where lane = :lane and state = 'ready' and due_at <= now()"
                " order by due_at, id limit 50 for update skip locked"
            ),
            {"lane": lane_name},
        )
    )
    session().rollback()

    assert "ix_work_items_due" in plan
    assert "rows=20000" not in plan
    assert "Rows Removed" not in plan


def test_a_lane_has_one_function() -> None:
    name = f"lane-{uuid.uuid4().hex}"

    @registry.lane(name, batch=7)
    def work(item: Item, now: datetime) -> None:
        """Does nothing."""

    assert registry.lane_named(name).batch == 7
    assert name in {lane.name for lane in registry.lanes()}
    with pytest.raises(ValueError, match="has a function already"):
        registry.lane(name)(lambda item, now: None)
    registry._lanes.pop(name)
