"""Two processes on the same lane, and one that is killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.core.db import session, transact
from app.workqueue.models import DONE, WorkItem

ROOT = Path(__file__).resolve().parents[3]

WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from app.core.db import db, transact
from app.factory import create_app
from app.workqueue import services
from app.workqueue.registry import Lane
from tests.conftest import make_settings

url, lane, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])

def work(item, now):
    import time
    services.enqueue(lane + "-effect", f"{item.dedup_key}-effect-{item.attempts}", payload={})
    time.sleep(pause)

with create_app(make_settings(url, Path("."))).app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    while transact(lambda: services.process_database_lane(
            Lane(lane, work, 20), now=datetime.now(UTC))):
        print("batch", flush=True)
    db.engine.dispose()
"""

pytestmark = pytest.mark.usefixtures("context")


def start(url: str, lane: str, pause: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, lane, str(pause)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def fill(lane: str, items: int) -> None:
    transact(
        lambda: session().execute(
            text(
                "insert into work_items(shard, lane, dedup_key, max_attempts)"
                " select 0, :lane, :lane || g, 9 from generate_series(1, :items) g"
            ),
            {"lane": lane, "items": items},
        )
    )


def effects(lane: str) -> int:
    session().rollback()
    return session().scalar(
        select(func.count()).select_from(WorkItem).where(WorkItem.lane == lane + "-effect")
    )


def finished(lane: str) -> int:
    session().rollback()
    return session().scalar(
        select(func.count())
        .select_from(WorkItem)
        .where(WorkItem.lane == lane, WorkItem.state == DONE)
    )


def close(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)


def test_two_processes_do_every_item_exactly_once(
    server: object, database: str, lane_name: str
) -> None:
    fill(lane_name, 2000)
    workers = [start(server.url(database), lane_name, 0) for _ in range(2)]
    for worker in workers:
        go(worker)
    for worker in workers:
        close(worker)

    assert finished(lane_name) == 2000
    assert effects(lane_name) == 2000
    assert [worker.returncode for worker in workers] == [0, 0]


def test_a_killed_worker_leaves_nothing_half_done(
    server: object, database: str, lane_name: str
) -> None:
    fill(lane_name, 100)
    victim = start(server.url(database), lane_name, 0.02)
    go(victim)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "batch\n"
    time.sleep(0.1)
    victim.send_signal(signal.SIGKILL)
    close(victim)

    assert effects(lane_name) == finished(lane_name)
    assert finished(lane_name) < 100

    deadline = time.monotonic() + 20
    while finished(lane_name) < 100 and time.monotonic() < deadline:
        survivor = start(server.url(database), lane_name, 0)
        go(survivor)
        close(survivor)
    assert finished(lane_name) == effects(lane_name) == 100
