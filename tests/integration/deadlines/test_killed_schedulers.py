"""Schedulers that are killed in the middle of it: nobody is urged twice and nobody is forgotten."""

import os
import random
import signal
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.core.db import session, transact
from app.deadlines.models import Deadline, DeadlineEvent
from app.workqueue.models import READY, WorkItem
from tests.integration.deadlines.conftest import Room, at
from tests.support.database import ROOT, Server

pytestmark = pytest.mark.usefixtures("context")

TICKETS = 400
NODE = """
import sys, uuid
from datetime import datetime
from pathlib import Path
from app.core.db import transact
from app.deadlines.enforcement import enforce_due
from app.deadlines.registry import reached
from app.factory import create_app
from app.workqueue import services
from tests.conftest import make_settings

@reached("red")
def urge(row, clock, step, now):
    if row.stage == "total":
        services.enqueue(sys.argv[2], uuid.uuid4().hex, payload={}, business_key=clock.business_key)

with create_app(make_settings(sys.argv[1], Path("."))).app_context():
    moment = datetime.fromisoformat(sys.argv[3])
    print("ready", flush=True)
    while True:
        transact(lambda: enforce_due(moment, 9))
"""


def test_schedulers_killed_at_any_moment_urge_each_ticket_once(
    server: Server, database: str, rooms: type[Room]
) -> None:
    tickets = [rooms() for _ in range(TICKETS)]
    for each in tickets:
        each.open()
    keys = {f"K{each.ticket_id}" for each in tickets}
    moment = at("2026-12-15 19:00")
    transact(
        lambda: session().execute(
            update(WorkItem)
            .where(WorkItem.business_key.in_(keys), WorkItem.due_at <= moment)
            .values(due_at=func.now())
        )
    )
    effects = f"urged-{uuid4().hex[:8]}"
    chance = random.Random(4)
    nodes = [_start(server.url(database), effects, moment.isoformat()) for _ in range(2)]
    kills = 0
    try:
        ends = time.monotonic() + 90
        while _left(keys) and time.monotonic() < ends:
            time.sleep(chance.uniform(0.05, 0.25))
            if kills < 4:
                victim = chance.randrange(2)
                nodes[victim].send_signal(signal.SIGKILL)
                nodes[victim].communicate(timeout=30)
                nodes[victim] = _start(server.url(database), effects, moment.isoformat())
                kills += 1
    finally:
        for node in nodes:
            node.kill()
            node.communicate(timeout=30)

    session().rollback()
    urged = session().execute(
        select(WorkItem.business_key, func.count())
        .where(WorkItem.lane == effects)
        .group_by(WorkItem.business_key)
    )
    turned = session().execute(
        select(Deadline.ticket_id, func.count())
        .join(DeadlineEvent, DeadlineEvent.deadline_id == Deadline.id)
        .where(Deadline.ticket_id.in_([each.ticket_id for each in tickets]))
        .where(Deadline.stage == "total", DeadlineEvent.event == "red")
        .group_by(Deadline.ticket_id)
    )
    assert kills >= 1
    assert dict(urged.all()) == dict.fromkeys(keys, 1)
    assert {count for _, count in turned} == {1}


def _start(url: str, effects: str, moment: str) -> "subprocess.Popen[str]":
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, url, effects, moment],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert node.stdout is not None
    assert node.stdout.readline() == "ready\n"
    return node


def _left(keys: set[str]) -> int:
    session().rollback()
    return (
        session().scalar(
            select(func.count())
            .select_from(WorkItem)
            .where(WorkItem.business_key.in_(keys), WorkItem.lane == "deadlines")
            .where(WorkItem.state == READY, WorkItem.due_at <= func.now())
        )
        or 0
    )
