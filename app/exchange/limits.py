"""How often somebody may call (限流): a bucket a caller, in the database, so that nodes share it.

A bucket is one moment, when it would be full again (GCRA): taking from it is one statement, refused
without a write when it is empty. Each runs on a connection of its own and is not part of anybody's
transaction: a request that fails has still been made, and one that takes long keeps nobody waiting.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text

from app.core import clock
from app.core.db import db, session
from app.core.errors import RateLimited
from app.exchange import rules
from app.exchange.models import RateBucket

FAILURES_PER_MINUTE = 300
"""So many wrong signatures a minute from one address; then they are refused without being counted.
Whoever signs rightly is let in all the same: neighbours do not pay for a guesser."""

_TAKE = text(
    """
    INSERT INTO rate_buckets AS b (key, full_at) VALUES (:key, now() + :step)
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(b.full_at, now()) + :step
     WHERE b.full_at <= now() + :room
    RETURNING true
    """
)
_LEFT = text(
    "SELECT extract(epoch FROM full_at - now() - :room) FROM rate_buckets WHERE key = :key"
)


def take(app_id: str, *, per_minute: int, burst: int) -> None:
    """Count a request of a partner; RateLimited when it comes too early."""
    seconds = _take(f"partner:{app_id}", per_minute, burst)
    if seconds is not None:
        raise RateLimited(seconds)


def count_failure(ip: str) -> None:
    """Count a wrong signature against the address it came from."""
    _take(rules.caller_key(ip), FAILURES_PER_MINUTE, FAILURES_PER_MINUTE)


def heed(ip: str) -> None:
    """RateLimited while an address has failed too often, for doors without a partner."""
    refuse_failing(
        session().scalar(select(RateBucket.full_at).where(RateBucket.key == rules.caller_key(ip)))
    )


def refuse_failing(full_at: datetime | None) -> None:
    """RateLimited when the failures of an address, by its bucket, have used up what it may."""
    if full_at is None:
        return
    step = timedelta(minutes=1) / FAILURES_PER_MINUTE
    ahead = full_at - clock.now() - step * (FAILURES_PER_MINUTE - 1)
    if ahead > timedelta(0):
        raise RateLimited(math.ceil(ahead.total_seconds()))


def forget(app_id: str) -> None:
    """Begin to count anew, under another rate; in the transaction that changes it."""
    mine = delete(RateBucket).where(RateBucket.key == f"partner:{app_id}")
    session().execute(mine.execution_options(synchronize_session=False))


def forget_full(now: datetime, *, limit: int = 5000) -> int:
    """Delete buckets that are full again and say nothing any more; returns how many."""
    full = select(RateBucket.key).where(RateBucket.full_at < now).limit(limit)
    gone = session().execute(
        delete(RateBucket)
        .where(RateBucket.key.in_(full.with_for_update(skip_locked=True)))
        .returning(RateBucket.key)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _take(key: str, per_minute: int, burst: int) -> int | None:
    """None when there was room; else the whole seconds until there is some again."""
    step = timedelta(minutes=1) / per_minute
    values: dict[str, Any] = {"key": key, "room": step * (burst - 1)}
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.execute(_TAKE, {**values, "step": step}).first() is not None:
            return None
        left = connection.execute(_LEFT, values).scalar()
    return max(1, math.ceil(left or 0))
