"""A destination in trouble rests, so that its queue neither burns attempts nor holds up others.

The state is in the database, not in each process: all nodes learn from one node's failures, a
restart does not begin by hammering a dead platform, and the monitor page can show it. It costs one
small row per destination in trouble and one DELETE that finds nothing per success.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, text

from app.core.db import session
from app.exchange.models import Circuit

THRESHOLD = 5
"""Failures in a row until a destination rests: 1 min, then 2, 4, 8, at most 10."""

_FAILED = text(
    """
    INSERT INTO circuits AS c (dest, failures, reason) VALUES (:dest, 1, :reason)
    ON CONFLICT (dest) DO UPDATE SET failures = c.failures + 1, reason = excluded.reason,
        open_until = CASE WHEN c.failures + 1 >= :threshold THEN
            now() + least(600, 60 * power(2, least(c.failures + 1 - :threshold, 8)))
                    * interval '1 second' END
    """
)


def failed(dest: str, reason: str) -> None:
    """Count a failure of the destination; from the fifth on it rests, and is probed in between."""
    session().execute(_FAILED, {"dest": dest, "reason": reason, "threshold": THRESHOLD})


def recovered(dest: str) -> None:
    """The destination answered: forget its failures."""
    session().execute(
        delete(Circuit).where(Circuit.dest == dest).execution_options(synchronize_session=False)
    )


def resting(dests: Sequence[str]) -> set[str]:
    """Those of the destinations that are not to be called now."""
    return set(
        session().scalars(
            select(Circuit.dest).where(Circuit.dest.in_(dests), Circuit.open_until > func.now())
        )
    )


def states(dests: Sequence[str]) -> dict[str, Circuit]:
    """The trouble of those of the destinations that have any."""
    rows = session().scalars(select(Circuit).where(Circuit.dest.in_(dests)))
    return {row.dest: row for row in rows}
