"""How fast are due items claimed, and is any claimed twice? `python -m tests.bench.claim [items]`

Two processes empty one lane, batch 100, on a clone of the test database; prints JSON. Then the same
number of items is put through `process_database_lane` (a savepoint each) to show that price.
"""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.clock import now
from app.core.db import db, session, transact
from app.factory import create_app
from app.workqueue import services
from app.workqueue.registry import Lane
from tests.conftest import make_settings
from tests.support.database import Server

BATCH = 100


def _claim_and_finish(lane: str) -> list[int]:
    items = services.claim(lane, BATCH)
    services.mark_done(items)
    return [item.id for item in items]


def _process(lane: str) -> list[int]:
    seen: list[int] = []
    nothing = Lane(lane, lambda item, moment: seen.append(item.id), BATCH)
    services.process_database_lane(nothing, now=now())
    return seen


WAYS: dict[str, Callable[[str], list[int]]] = {"claim": _claim_and_finish, "process": _process}


def empty_lane(url: str, lane: str, way: str, go: Any, answers: Any) -> None:
    """One worker: wait for the start, take batches until three in a row are empty."""
    app = create_app(make_settings(url, Path(tempfile.gettempdir())))
    taken: list[int] = []
    with app.app_context():
        session().execute(text("select 1"))
        session().rollback()
        go.wait()
        empty = 0
        while empty < 3:
            batch = transact(lambda: WAYS[way](lane))
            taken += batch
            empty = 0 if batch else empty + 1
        db.engine.dispose()
    answers.put(taken)


def measure(url: str, way: str, items: int) -> dict[str, Any]:
    """Fill a lane, let two processes empty it, compare what they took."""
    lane = f"bench-{uuid.uuid4().hex[:8]}"
    app = create_app(make_settings(url, Path(tempfile.gettempdir())))
    with app.app_context():
        transact(
            lambda: session().execute(
                text(
                    "insert into work_items(shard, lane, dedup_key, max_attempts)"
                    " select 0, :lane, :lane || g, 9 from generate_series(1, :items) g"
                ),
                {"lane": lane, "items": items},
            )
        )
        session().execute(text("analyze work_items"))
        session().commit()
        db.engine.dispose()
    spawn = get_context("spawn")
    go, answers = spawn.Event(), spawn.Queue()
    workers = [
        spawn.Process(target=empty_lane, args=(url, lane, way, go, answers)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    time.sleep(6)
    started = time.perf_counter()
    go.set()
    taken = [answers.get() for _ in workers]
    seconds = time.perf_counter() - started
    for worker in workers:
        worker.join()
    every = [item for each in taken for item in each]
    return {
        "way": way,
        "items": items,
        "taken": len(every),
        "duplicates": len(every) - len(set(every)),
        "by_worker": [len(each) for each in taken],
        "items_per_second": round(len(every) / seconds),
    }


def main(items: int) -> None:
    """Measure both ways on a database of its own."""
    server = Server()
    name = f"zb_bench_{uuid.uuid4().hex[:8]}"
    server.create(name)
    try:
        url = server.url(name)
        app = create_app(make_settings(url, Path(tempfile.gettempdir())))
        with app.app_context():
            db.create_all()
            db.engine.dispose()
        for way in WAYS:
            print(json.dumps(measure(url, way, items)))
    finally:
        server.drop(name)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
