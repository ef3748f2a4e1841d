"""A gateway that a hook points at, people to tell, and a province that no other test uses."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from app.core.db import db, session, transact
from app.exchange.models import Circuit
from app.notifications import hooks, messages
from app.notifications.courier import to_hooks
from app.notifications.models import (
    LANE,
    Notification,
    NotificationHook,
    NotificationMessage,
    NotificationPreference,
)
from app.notifications.services import Notice, To, notify
from app.organisations import queries as organisations
from app.simulator.behaviour import Behaviour
from app.simulator.config import SimulatorConfig
from app.simulator.server import create_simulator
from app.workqueue.models import WorkItem
from tests.support.journey import serving
from tests.support.people import Person, hire

PROVINCE = "540000000000"
SECRET = "the-gateway-s-own-secret"
_numbers = itertools.count()


class Gateway:
    """An SMS gateway: the simulator, with its memory."""

    def __init__(self, app: Flask, address: str) -> None:
        self.app, self.url = app, f"{address}/api/notifications"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [m.body for m in self.app.extensions["journal"].received]

    @property
    def refused(self) -> list[Any]:
        return self.app.extensions["journal"].refused

    def misbehave(self, mode: str, **values: Any) -> None:
        self.app.extensions["control"].set(Behaviour(mode, **values))


@pytest.fixture
def gateway(context: None, tmp_path: Path) -> Iterator[Gateway]:
    """西藏's hook points at it; afterwards there is neither hook nor anything to send."""
    config = SimulatorConfig("http://127.0.0.1:9", "sms", SECRET, tmp_path / "gateway.jsonl")
    simulator = create_simulator(config, pause=lambda seconds: None)
    with serving(simulator) as address:
        made = Gateway(simulator, address)
        transact(lambda: hooks.set_up(province(), made.url, app_id="sms", secret=SECRET))
        yield made
    session().rollback()
    for table in (Notification, NotificationMessage, NotificationHook, NotificationPreference):
        transact(lambda table=table: session().execute(delete(table)))
    transact(lambda: session().execute(delete(WorkItem).where(WorkItem.lane == LANE)))
    transact(lambda: session().execute(delete(Circuit).where(Circuit.dest.startswith("hook:"))))


def province() -> Any:
    unit = organisations.unit_with_code(PROVINCE)
    assert unit is not None
    return unit


@pytest.fixture
def staff(context: None) -> Callable[..., Person]:
    """Somebody of 西藏 with these roles."""
    return lambda *roles: transact(lambda: hire(PROVINCE, *roles))


@pytest.fixture
def clerk(staff: Callable[..., Person]) -> Person:
    """An operator of 西藏."""
    return staff("province_operator")


def tell(person: Person, now: datetime, kind: str = "yellow", **more: Any) -> str:
    """Tell one person something; returns the source."""
    source = f"test:{next(_numbers)}"
    to = (To(person.principal.unit_id, person_id=person.principal.user_id),)
    title = more.pop("title", f"第 {source} 件")
    transact(lambda: notify([Notice(source, kind, title, to, **more)], now))
    return source


def send(now: datetime) -> int:
    """What the scheduler does at this moment; counts the tries."""
    while transact(lambda: messages.gather(now)):
        pass
    found = to_hooks.deliver_due()
    db.session.remove()
    return found


def hurry() -> None:
    """Let the pause after a failure pass, and the hook have rested."""
    waiting = update(WorkItem).where(WorkItem.lane == LANE, WorkItem.state == "ready")
    transact(lambda: session().execute(waiting.values(due_at=func.now())))


def rows_of(person: Person) -> list[Notification]:
    """What a person was told, in order."""
    mine = Notification.user_id == person.principal.user_id
    return list(session().scalars(select(Notification).where(mine).order_by(Notification.id)))
