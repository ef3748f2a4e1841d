"""Durable work: put it in, do it in one transaction, or lease it for work outside the database.

Every function runs in the caller's transaction and never commits. The database's own `now()`
decides what is due, so nodes with different clocks agree.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from app.core.db import RecordedFailure, send, session, table_of
from app.core.logs import logger
from app.workqueue import rules
from app.workqueue.errors import LeaseLost, NotDead, UnknownItem
from app.workqueue.models import (
    DEAD,
    DONE,
    LEASED,
    READY,
    SETTLED,
    WorkItem,
    WorkItemIntervention,
)
from app.workqueue.registry import Item, Lane, lane_named

_TAKEN = (
    *(WorkItem.shard, WorkItem.id, WorkItem.lane, WorkItem.dedup_key, WorkItem.business_key),
    *(WorkItem.dest, WorkItem.due_at, WorkItem.attempts, WorkItem.max_attempts, WorkItem.payload),
)
_RETRY_WHOLE_TRANSACTION = {"40001", "40P01"}


def enqueue(
    lane: str,
    dedup_key: str,
    *,
    payload: Any,
    business_key: str | None = None,
    dest: str = "",
    due_at: datetime | None = None,
    max_attempts: int = rules.MAX_ATTEMPTS,
    yields: bool = False,
    shard: int = 0,
) -> bool:
    """Add an item to the caller's transaction; False when this `dedup_key` has been used before.

    Items with both a `business_key` and a `dest` are done in the order in which they were added;
    one that `yields` is not waited for once it is dead.
    """
    values = {
        "shard": shard,
        "lane": lane,
        "dedup_key": dedup_key,
        "payload": payload,
        "business_key": business_key,
        "dest": dest,
        "max_attempts": max_attempts,
        "yields": yields,
    }
    if due_at is not None:
        values["due_at"] = due_at
    statement = pg_insert(WorkItem).values(values).on_conflict_do_nothing()
    return session().execute(statement.returning(WorkItem.id)).first() is not None


_ADD_ITEMS = pg_insert(table_of(WorkItem)).on_conflict_do_nothing()
"""On the table itself and built once: it is part of every step of a ticket."""


def enqueue_many(lane: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add many items by one statement; a row whose `dedup_key` has been used before is left out.

    Each row has `dedup_key`, `payload`, `business_key` and `due_at`.
    """
    if rows:
        values = [
            {"shard": 0, "lane": lane, "max_attempts": rules.MAX_ATTEMPTS, **row} for row in rows
        ]
        send(_ADD_ITEMS, values)


def claim(lane: str, limit: int, *, dest: str | None = None) -> list[Item]:
    """Lock due items of the lane that nobody holds, oldest first; they stay locked until commit.

    With `dest`, only items of that destination. An item waits while an earlier one of the same
    business key and destination is not finished: not yet sent, being sent, or dead and not one
    that `yields`.
    """
    where = [WorkItem.lane == lane, WorkItem.state == READY, WorkItem.due_at <= func.now()]
    if dest is None:
        where.append(or_(WorkItem.dest == "", ~_earlier_unfinished()))
    else:
        where += [WorkItem.dest == dest, WorkItem.dest != "", ~_earlier_unfinished()]
    rows = session().execute(
        select(*_TAKEN)
        .where(*where)
        .order_by(WorkItem.due_at, WorkItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_item(row, row.attempts + 1) for row in rows]


def process_database_lane(lane: Lane | str, limit: int | None = None, *, now: datetime) -> int:
    """Claim, work and mark done in the caller's one transaction; returns how many were claimed.

    An item that fails is undone to its savepoint, counts an attempt and is put off; the others of
    the batch are kept.
    """
    found = lane_named(lane) if isinstance(lane, str) else lane
    items = claim(found.name, limit or found.batch)
    done = []
    for item in items:
        failure = _attempt(found, item, now)
        if failure is None:
            done.append(item)
        else:
            _put_off(item, failure, final=rules.is_final(item.attempts, item.max_attempts))
    mark_done(done)
    return len(items)


def mark_done(items: list[Item]) -> None:
    """Finish claimed items in the transaction that claimed them."""
    if items:
        session().execute(
            update(WorkItem)
            .where(WorkItem.id.in_([item.id for item in items]))
            .where(WorkItem.shard.in_({item.shard for item in items}))
            .values(state=DONE, done_at=func.now(), attempts=WorkItem.attempts + 1, last_error=None)
            .execution_options(synchronize_session=False)
        )


def lease(lane: str, limit: int, *, dest: str, owner: str, seconds: int) -> list[Item]:
    """Take due items of one destination for work outside the database; commit before that work.

    The lease counts as an attempt. Whoever finishes must do so before it runs out; after that any
    node takes the item over.
    """
    items = claim(lane, limit, dest=dest)
    for item in items:
        session().execute(
            update(WorkItem)
            .where(*_same(item))
            .values(
                state=LEASED,
                owner=owner,
                attempts=item.attempts,
                lease_until=func.now() + timedelta(seconds=seconds),
            )
            .execution_options(synchronize_session=False)
        )
    return items


def take_back_expired(lane: str) -> list[Item]:
    """Make items ready again whose owner died; those that used up their attempts are dead."""
    expired = session().execute(
        select(*_TAKEN)
        .where(WorkItem.lane == lane, WorkItem.state == LEASED, WorkItem.lease_until <= func.now())
        .with_for_update(skip_locked=True)
    )
    items = [_item(row, row.attempts) for row in expired]
    for item in items:
        final = rules.is_final(item.attempts, item.max_attempts)
        session().execute(
            update(WorkItem)
            .where(*_same(item))
            .values(
                state=DEAD if final else READY,
                owner=None,
                lease_until=None,
                due_at=func.now(),
                last_error="LEASE_EXPIRED",
            )
            .execution_options(synchronize_session=False)
        )
    return items


def finish(item: Item, owner: str) -> None:
    """The leased work took effect. Refused (LeaseLost) when another node holds the item by now."""
    _leave_lease(item, owner, state=DONE, done_at=func.now(), last_error=None)


def fail(
    item: Item,
    owner: str,
    reason: str,
    *,
    final: bool = False,
    asked: timedelta = timedelta(0),
    pauses: Sequence[timedelta] = rules.BACK_OFF,
) -> bool:
    """The leased work failed: put it off by its attempt's pause, or give it up.

    It is given up when `final`, or when it was the last attempt.

    `reason` is stored and shown, so it holds a code and never personal data. Returns whether the
    item is dead now.
    """
    dead = final or rules.is_final(item.attempts, item.max_attempts)
    _leave_lease(item, owner, **_after_failure(item, reason, dead, asked, pauses))
    return dead


def release(item: Item, owner: str) -> None:
    """Give a leased item back untried (the destination is resting); the attempt is not counted."""
    _leave_lease(item, owner, state=READY, attempts=item.attempts - 1)


def conclude(item_id: int, *, shard: int = 0) -> None:
    """What the item stands for came about by another way; whoever leases it finds it gone."""
    _settle(item_id, shard, state=DONE, done_at=func.now(), last_error=None)


def give_up(item_id: int, reason: str, *, shard: int = 0) -> None:
    """The other side refused it by another way: it waits for a person."""
    _settle(item_id, shard, state=DEAD, last_error=reason)


def reopen(item_id: int, *, actor: str, reason: str, shard: int = 0) -> None:
    """Do a finished item again from the start; UnknownItem unless it is done or settled."""
    again = session().execute(
        update(WorkItem)
        .where(WorkItem.shard == shard, WorkItem.id == item_id)
        .where(WorkItem.state.in_([DONE, SETTLED]))
        .values(state=READY, attempts=0, due_at=func.now(), done_at=None)
        .returning(WorkItem.id)
        .execution_options(synchronize_session=False)
    )
    if again.first() is None:
        raise UnknownItem
    _record(item_id, shard, "reopened", actor, reason)


def replay(item_id: int, *, actor: str, reason: str = "", shard: int = 0) -> None:
    """Try a dead item again from the start (手工重发). Only dead items."""
    _lock_dead(item_id, shard)
    session().execute(
        update(WorkItem)
        .where(WorkItem.shard == shard, WorkItem.id == item_id)
        .values(state=READY, attempts=0, due_at=func.now())
        .execution_options(synchronize_session=False)
    )
    _record(item_id, shard, "replayed", actor, reason)


def settle_offline(item_id: int, reason: str, *, actor: str, shard: int = 0) -> None:
    """Declare a dead item handled by other means (标记已线下反馈), so that later ones may go."""
    _lock_dead(item_id, shard)
    session().execute(
        update(WorkItem)
        .where(WorkItem.shard == shard, WorkItem.id == item_id)
        .values(state=SETTLED, done_at=func.now())
        .execution_options(synchronize_session=False)
    )
    _record(item_id, shard, "settled_offline", actor, reason)


def _attempt(lane: Lane, item: Item, now: datetime) -> str | None:
    """Do one item inside a savepoint; returns why it failed."""
    try:
        with session().begin_nested():
            lane.work(item, now)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _RETRY_WHOLE_TRANSACTION:
            raise
        failure: Exception = error
    except RecordedFailure as error:
        with session().begin_nested():
            error.record(session())
        failure = error
    except Exception as error:
        failure = error
    else:
        return None
    reason = getattr(failure, "code", None) or type(failure).__name__
    logger().warning("work_item_failed", lane=item.lane, item=item.id, reason=reason)
    return str(reason)


def _put_off(item: Item, reason: str, *, final: bool) -> None:
    session().execute(
        update(WorkItem)
        .where(*_same(item))
        .values(attempts=item.attempts, **_after_failure(item, reason, final))
        .execution_options(synchronize_session=False)
    )


def _after_failure(
    item: Item,
    reason: str,
    dead: bool,
    asked: timedelta = timedelta(0),
    pauses: Sequence[timedelta] = rules.BACK_OFF,
) -> dict[str, Any]:
    if dead:
        return {"state": DEAD, "last_error": reason}
    chance = random.random()  # noqa: S311 - only spreads
    pause = rules.pause_after(item.attempts, chance, asked, pauses)
    return {"state": READY, "due_at": func.now() + pause, "last_error": reason}


def _leave_lease(item: Item, owner: str, **values: Any) -> None:
    """Write the end of a lease, fenced by owner and attempt."""
    left = session().execute(
        update(WorkItem)
        .where(*_same(item), WorkItem.state == LEASED)
        .where(WorkItem.owner == owner, WorkItem.attempts == item.attempts)
        .values(owner=None, lease_until=None, **values)
        .returning(WorkItem.id)
        .execution_options(synchronize_session=False)
    )
    if left.first() is None:
        raise LeaseLost


def _settle(item_id: int, shard: int, **values: Any) -> None:
    session().execute(
        update(WorkItem)
        .where(WorkItem.shard == shard, WorkItem.id == item_id)
        .values(attempts=WorkItem.attempts + 1, owner=None, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )


def _earlier_unfinished() -> ColumnElement[bool]:
    earlier = aliased(WorkItem)
    return exists().where(
        and_(
            earlier.business_key == WorkItem.business_key,
            earlier.dest == WorkItem.dest,
            earlier.id < WorkItem.id,
            earlier.state.in_([READY, LEASED, DEAD]),
            or_(earlier.state != DEAD, ~earlier.yields),
        )
    )


def _same(item: Item) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (WorkItem.shard == item.shard, WorkItem.id == item.id)


def _item(row: Any, attempts: int) -> Item:
    return Item(
        row.shard, row.id, row.lane, row.dedup_key, row.business_key, row.dest,
        row.due_at, attempts, row.max_attempts, row.payload,
    )  # fmt: skip


def _lock_dead(item_id: int, shard: int) -> None:
    state = session().scalar(
        select(WorkItem.state)
        .where(WorkItem.shard == shard, WorkItem.id == item_id)
        .with_for_update()
    )
    if state is None:
        raise UnknownItem
    if state != DEAD:
        raise NotDead(state)


def _record(item_id: int, shard: int, action: str, actor: str, reason: str) -> None:
    session().execute(
        insert(WorkItemIntervention).values(
            shard=shard, item_id=item_id, action=action, actor=actor, reason=reason
        )
    )
