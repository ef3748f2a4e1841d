"""What waits, what is dead, and which destinations have something due."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from app.core.db import session
from app.workqueue.models import DEAD, LEASED, READY, WorkItem, WorkItemIntervention


@dataclass(frozen=True)
class Count:
    """Unfinished items of one lane, destination and state."""

    lane: str
    dest: str
    state: str
    items: int
    oldest_at: datetime


@dataclass(frozen=True)
class DeadLetter:
    """An item that was given up (死信). `held_up` later items of the same ticket wait for it."""

    id: int
    shard: int
    lane: str
    dedup_key: str
    business_key: str | None
    dest: str
    attempts: int
    reason: str
    created_at: datetime
    held_up: int


def unfinished_counts(lane: str | None = None) -> list[Count]:
    """How many items wait, are being worked on or are dead; finished rows are not read."""
    query = (
        select(
            WorkItem.lane, WorkItem.dest, WorkItem.state, func.count(), func.min(WorkItem.due_at)
        )
        .where(WorkItem.state.in_([READY, LEASED, DEAD]))
        .group_by(WorkItem.lane, WorkItem.dest, WorkItem.state)
        .order_by(WorkItem.lane, WorkItem.dest, WorkItem.state)
    )
    if lane is not None:
        query = query.where(WorkItem.lane == lane)
    return [Count(*row) for row in session().execute(query)]


def dead_letters(
    lane: str, *, dest: str | None = None, after: int = 0, limit: int = 50
) -> list[DeadLetter]:
    """Dead items of a lane by id; `after` is the last id of the page before."""
    later = aliased(WorkItem)
    held_up = (
        select(func.count())
        .where(later.business_key == WorkItem.business_key, later.dest == WorkItem.dest)
        .where(WorkItem.dest != "", ~WorkItem.yields, later.id > WorkItem.id)
        .where(later.state.in_([READY, LEASED, DEAD]))
        .scalar_subquery()
    )
    query = (
        select(
            *(WorkItem.id, WorkItem.shard, WorkItem.lane, WorkItem.dedup_key),
            *(WorkItem.business_key, WorkItem.dest, WorkItem.attempts),
            *(func.coalesce(WorkItem.last_error, ""), WorkItem.created_at, held_up),
        )
        .where(WorkItem.lane == lane, WorkItem.state == DEAD, WorkItem.id > after)
        .order_by(WorkItem.id)
        .limit(limit)
    )
    if dest is not None:
        query = query.where(WorkItem.dest == dest)
    return [DeadLetter(*row) for row in session().execute(query)]


def item_id_of(dedup_key: str, *, shard: int = 0) -> int | None:
    """The item that was added under this key."""
    return session().scalar(
        select(WorkItem.id).where(WorkItem.shard == shard, WorkItem.dedup_key == dedup_key)
    )


def interventions(item_id: int, *, shard: int = 0) -> list[WorkItemIntervention]:
    """What persons did to the item, oldest first."""
    return list(
        session().scalars(
            select(WorkItemIntervention)
            .where(WorkItemIntervention.item_id == item_id, WorkItemIntervention.shard == shard)
            .order_by(WorkItemIntervention.id)
        )
    )


def due_destinations(lane: str) -> list[str]:
    """Destinations with a due item, found by jumping through the index from one to the next.

    The cost grows with the number of destinations, not with the number of waiting items.
    """
    jump = text(
        """
        WITH RECURSIVE found(dest) AS (
            (SELECT dest FROM work_items
              WHERE lane = :lane AND state = 'ready' AND dest <> '' ORDER BY dest LIMIT 1)
            UNION ALL
            SELECT (SELECT w.dest FROM work_items w
                     WHERE w.lane = :lane AND w.state = 'ready' AND w.dest <> ''
                       AND w.dest > found.dest ORDER BY w.dest LIMIT 1)
              FROM found WHERE found.dest IS NOT NULL
        )
        SELECT dest FROM found
         WHERE dest IS NOT NULL AND EXISTS (
               SELECT 1 FROM work_items w
                WHERE w.lane = :lane AND w.state = 'ready' AND w.dest = found.dest
                  AND w.dest <> '' AND w.due_at <= now())
        """
    )
    return list(session().scalars(jump, {"lane": lane}))
