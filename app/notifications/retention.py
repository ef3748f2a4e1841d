"""What the notifications room forgets, in small bites; the scheduler calls it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from app.core.db import session
from app.notifications.models import Notification, NotificationMessage

KEPT = timedelta(days=180)
"""Read or not: who has not read it in half a year finds the ticket in its lists."""


def forget(now: datetime, *, limit: int = 2000) -> int:
    """Delete what is older than `KEPT`, oldest first; returns how many rows.

    Ids grow with time, so the oldest are found by the key and need no index of their own.
    """
    oldest = select(Notification.id, Notification.created_at).order_by(Notification.id).limit(limit)
    first = oldest.subquery()
    old = select(first.c.id).where(first.c.created_at < now - KEPT)
    messages = (
        select(NotificationMessage.id)
        .where(NotificationMessage.created_at < now - KEPT)
        .order_by(NotificationMessage.created_at)
        .limit(limit)
    )
    gone = 0
    for table, ids in ((Notification, old), (NotificationMessage, messages)):
        result: Any = session().execute(
            delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False)
        )
        gone += result.rowcount
    return gone
