"""A database lane whose effect can be counted: one row each time an item is worked on."""

from datetime import datetime

from sqlalchemy import text

from app.core.db import session
from app.workqueue import services
from app.workqueue.registry import Item, lane

LANE = "crash-effects"
TABLE = "create table crash_effects (dedup_key text not null, at timestamptz not null)"


@lane(LANE, batch=5)
def take_effect(item: Item, now: datetime) -> None:
    """Leave a trace; a second trace of one key is a violation."""
    session().execute(
        text("insert into crash_effects values (:key, :now)"), {"key": item.dedup_key, "now": now}
    )


def ask_for(acceptance_no: str, items: int) -> None:
    """Add the items of a ticket; every node does, and each counts once."""
    for number in range(items):
        services.enqueue(
            LANE, f"{LANE}:{acceptance_no}:{number}", payload={}, business_key=acceptance_no
        )
