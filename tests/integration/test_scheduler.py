"""The scheduler as a process of its own and its single ticks."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import scheduler
from app.core.db import RecordedFailure, db, session, transact
from app.scheduler import Job
from app.workqueue import models, registry, services
from app.workqueue.models import DONE, WorkItem
from app.workqueue.registry import Item, Lane

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("context")

NODE = """
import sys, time
from pathlib import Path
from app import scheduler
from app.factory import create_app
from app.workqueue import services
from app.workqueue.registry import lane
from tests.conftest import make_settings

@lane(sys.argv[2], batch=5)
def work(item, now):
    time.sleep(float(sys.argv[3]))
    services.enqueue(sys.argv[2] + "-effect", item.dedup_key + "-effect", payload={})

print("ready", flush=True)
scheduler.run(create_app(make_settings(sys.argv[1], Path("."))))
print("stopped", flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def tables(app: Flask) -> None:
    """Whatever the template was built with, the queue's tables are there."""
    with app.app_context():
        db.metadata.create_all(
            db.engine, tables=[models.WorkItem.__table__, models.WorkItemIntervention.__table__]
        )


def start(url: str, lane: str, pause: float) -> subprocess.Popen[str]:
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, url, lane, str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert node.stdout is not None
    assert node.stdout.readline() == "ready\n"
    return node


def put(lane: str, items: int) -> None:
    def add() -> None:
        for _ in range(items):
            services.enqueue(lane, uuid.uuid4().hex, payload={})

    transact(add)


def count(lane: str, state: str) -> int:
    session().rollback()
    return session().scalar(
        select(func.count())
        .select_from(WorkItem)
        .where(WorkItem.lane == lane, WorkItem.state == state)
    )


def until(lane: str, items: int) -> bool:
    deadline = time.monotonic() + 30
    while count(lane, DONE) < items and time.monotonic() < deadline:
        time.sleep(0.05)
    return count(lane, DONE) == items


def stop(node: subprocess.Popen[str], number: int) -> str:
    node.send_signal(number)
    out, _ = node.communicate(timeout=30)
    return out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_drains_its_lanes_and_stops_when_told(
    server: object, database: str, number: int
) -> None:
    lane = f"lane-{uuid.uuid4().hex[:8]}"
    put(lane, 30)
    node = start(server.url(database), lane, 0)

    assert until(lane, 30)
    put(lane, 3)
    assert until(lane, 33)

    assert stop(node, number) == "stopped\n"
    assert node.returncode == 0


def test_a_node_that_is_told_to_stop_finishes_what_it_has_in_hand(
    server: object, database: str
) -> None:
    lane = f"lane-{uuid.uuid4().hex[:8]}"
    put(lane, 100)
    node = start(server.url(database), lane, 0.1)
    assert until(lane, 5) or count(lane, DONE) >= 5

    assert stop(node, signal.SIGTERM) == "stopped\n"

    done = count(lane, DONE)
    assert 5 <= done < 100
    assert done % 5 == 0
    assert count(f"{lane}-effect", "ready") == done


def test_two_nodes_do_every_item_once(server: object, database: str) -> None:
    lane = f"lane-{uuid.uuid4().hex[:8]}"
    nodes = [start(server.url(database), lane, 0.001) for _ in range(2)]
    put(lane, 300)

    assert until(lane, 300)

    assert [stop(node, signal.SIGTERM) for node in nodes] == ["stopped\n"] * 2
    assert count(f"{lane}-effect", "ready") == 300


def test_a_tick_goes_on_until_nothing_is_left(app: Flask) -> None:
    left = [3, 2, 1]
    moments: list[datetime] = []

    def once(now: datetime) -> int:
        moments.append(now)
        return left.pop() if left else 0

    assert scheduler.drain(app, Job("test", once, 1, 0), threading.Event()) == 6
    assert len(moments) == 4
    assert moments[0].tzinfo is UTC


def test_a_tick_ends_when_a_stop_is_asked_for(app: Flask) -> None:
    stop_event = threading.Event()

    def once(now: datetime) -> int:
        stop_event.set()
        return 1

    assert scheduler.drain(app, Job("test", once, 1, 0), stop_event) == 1


def test_a_tick_is_bounded(app: Flask) -> None:
    endless = Job("test", lambda now: 1, 1, 0)

    assert scheduler.drain(app, endless, threading.Event()) == scheduler.MOST_ROUNDS


def test_a_failing_job_is_rolled_back_and_left_to_the_next_tick(app: Flask) -> None:
    lane = f"lane-{uuid.uuid4().hex[:8]}"

    def once(now: datetime) -> int:
        services.enqueue(lane, "k" + lane, payload={})
        raise ZeroDivisionError

    assert scheduler.drain(app, Job("test", once, 1, 0), threading.Event()) == 0
    assert count(lane, "ready") == 0


def test_an_incident_is_recorded_and_the_next_piece_is_done(app: Flask) -> None:
    lane = f"lane-{uuid.uuid4().hex[:8]}"
    rounds = []

    class Incident(RecordedFailure):
        def record(self, session: object) -> None:
            services.enqueue(lane, "incident" + lane, payload={})

    def once(now: datetime) -> int:
        rounds.append(now)
        if len(rounds) == 1:
            raise Incident
        return 0

    scheduler.drain(app, Job("test", once, 1, 0), threading.Event())

    assert len(rounds) == 2
    assert count(lane, "ready") == 1


def test_every_registered_lane_has_a_job(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(item: Item, now: datetime) -> None:
        """Does nothing."""

    name = f"lane-{uuid.uuid4().hex[:8]}"
    monkeypatch.setitem(registry._lanes, name, Lane(name, work, 5))
    put(name, 7)

    [job] = [each for each in scheduler.jobs() if each.name == f"lane:{name}"]

    assert scheduler.drain(app, job, threading.Event()) == 7
    assert {"timers", "inbox", "forget-nonces"} <= {each.name for each in scheduler.jobs()}


@pytest.mark.parametrize("job", scheduler.JOBS, ids=lambda job: job.name)
def test_every_job_of_the_table_runs(app: Flask, job: Job) -> None:
    assert scheduler.drain(app, job, threading.Event()) >= 0
