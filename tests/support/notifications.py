"""A hook of 贵州 that points at a world's simulator, and the scheduler's part in sending."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from app.core.db import db, session, transact
from app.exchange import partners
from app.exchange.models import Circuit
from app.notifications import hooks, messages
from app.notifications.courier import to_hooks
from app.notifications.models import LANE, NotificationHook
from app.organisations import queries as organisations
from app.workqueue.models import WorkItem
from tests.support.journey import World
from tests.support.people import GUIZHOU
from tests.support.timelimits import hour


@contextmanager
def hooked(world: World) -> Iterator[int]:
    """While it lasts 贵州 has a hook, the world's simulator behind it; yields its unit."""

    def set_up() -> int:
        unit = organisations.unit_with_code(GUIZHOU)
        assert unit is not None
        url = f"{partners.get(world.partner_id).callback_base}/notifications"
        hooks.set_up(unit, url, app_id=world.app_id, secret=world.secret, networks=["127.0.0.0/8"])
        return unit.id

    def take_away() -> None:
        session().execute(delete(NotificationHook))
        session().execute(delete(WorkItem).where(WorkItem.lane == LANE))
        session().execute(delete(Circuit).where(Circuit.dest.startswith("hook:")))

    with world.app.app_context():
        unit_id = transact(set_up)
        db.session.remove()
    try:
        yield unit_id
    finally:
        with world.app.app_context():
            transact(take_away)
            db.session.remove()


def send(world: World, moment: datetime) -> None:
    """The scheduler makes messages of what is due, and posts them."""
    with hour(moment), world.app.app_context():
        while transact(lambda: messages.gather(moment)):
            pass
        while to_hooks.deliver_due():
            pass
        db.session.remove()


def sent(world: World) -> list[dict[str, Any]]:
    """The notifications that the simulator took."""
    return [each.body for each in world.received() if each.operation == "notifications"]
