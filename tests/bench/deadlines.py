"""How fast are due dates computed and enforced? `python -m tests.bench.deadlines [tickets]`

Two processes let deadlines turn red with their full effect (row, event, listener) on a database of
their own, then compute the same tickets anew after a change of the calendar; prints JSON.
"""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.db import db, session, transact
from app.deadlines import plan, policy, published, recompute
from app.deadlines.calendar import STANDARD
from app.deadlines.calendars import NATION, set_division
from app.deadlines.enforcement import enforce_due
from app.deadlines.plan import Facts
from app.deadlines.registry import reached
from app.engine.registry import SYSTEM
from app.factory import create_app
from app.workqueue import services
from tests.bench.figures import latencies
from tests.conftest import make_settings
from tests.support.database import Server

COUNTY = "520328000000"
_SEED = (
    """
    insert into ticket_clocks(ticket_id, business_key, division_code, facts, policy, round)
    select :first + g, 'B' || (:first + g), :division, cast(:facts as jsonb), '1', 1
      from generate_series(1, :count) g
    """,
    """
    insert into deadlines(ticket_id, round, stage, state, "limit", basis, law, policy, calendar,
        facts, start_at, due_at, yellow_at, orange_at, provisional, squeezed, granted, paused,
        light, generation)
    select :first + g, 1, 'total', 'running', '15wd', '', 'practice', '1', 0,
        cast(:facts as jsonb), :start, now(), :start, :start, false, false, '[]', interval '0',
        'orange', 0
      from generate_series(1, :count) g
    """,
    """
    insert into work_items(shard, lane, dedup_key, business_key, max_attempts, payload)
    select 0, 'deadlines', 'deadline:' || d.id || ':0:red', 'B' || d.ticket_id, 9,
        jsonb_build_object('ticket', d.ticket_id, 'deadline', d.id, 'generation', 0)
      from deadlines d where d.ticket_id > :first
    """,
)

_KEEP = """
    update ticket_clocks set closed_at = now() where ticket_id not in
        (select ticket_id from ticket_clocks order by ticket_id desc limit :count)
"""


def computing(count: int) -> dict[str, float]:
    """Milliseconds to compute every due date of one ticket."""
    facts = Facts("complaint", "p12345_api", datetime.now(UTC), delegated=True)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        plan.compute(facts, policy.default(), published.calendar())
        times.append((time.perf_counter() - began) * 1000)
    return latencies(times)


def _recompute_due(now: datetime) -> int:
    return services.process_database_lane(recompute.LANE, now=now)


WORK: dict[str, Callable[[datetime], int]] = {"red": enforce_due, "anew": _recompute_due}


def drain(url: str, work: str, go: Any, answers: Any) -> None:
    """One scheduler: wait for the start, work until three ticks in a row find nothing."""
    app = _app(url)
    heard = 0

    @reached("red")
    def listen(*_: object) -> None:
        nonlocal heard
        heard += 1

    with app.app_context():
        session().execute(text("select 1"))
        session().rollback()
        go.wait()
        empty = 0
        while empty < 3:
            found = transact(lambda: WORK[work](datetime.now(UTC)))
            empty = 0 if found else empty + 1
        db.engine.dispose()
    answers.put(heard)


def enforcing(url: str, count: int) -> dict[str, float]:
    """Deadlines that turn red in a minute, by two processes, and how many did so twice."""
    with _app(url).app_context():
        first = transact(lambda: seed(count))
        session().execute(text("analyze work_items"))
        session().commit()
    seconds, _ = _two(url, "red")
    with _app(url).app_context():
        red, twice = (
            session()
            .execute(
                text(
                    "select count(*), count(*) filter (where n > 1) from ("
                    " select count(*) as n from deadline_events e join deadlines d"
                    " on d.id = e.deadline_id where d.ticket_id > :first and event = 'red'"
                    " group by d.id) each"
                ),
                {"first": first},
            )
            .one()
        )
        session().rollback()
        db.engine.dispose()
    if red != count:
        raise SystemExit(f"{red} of {count} turned red")
    return {"per_second": round(count / seconds), "duplicates": twice}


def recomputing(url: str, count: int) -> dict[str, float]:
    """Tickets computed anew after a change of the calendar; one chain, so one process at a time."""
    with _app(url).app_context():
        transact(lambda: session().execute(text(_KEEP), {"count": count}))
        transact(
            lambda: set_division(
                NATION, [], [STANDARD], reason="", actor=SYSTEM, now=datetime.now(UTC)
            )
        )
        total = transact(
            lambda: recompute.begin(
                recompute.CALENDAR, datetime.now(UTC), reason="", actor_name=SYSTEM.name
            )
        )
        db.engine.dispose()
    seconds, _ = _two(url, "anew")
    return {"per_second": round(total / seconds), "errors": abs(total - count)}


def seed(count: int) -> int:
    """So many tickets whose total is due now; returns the id before the first."""
    first = time.time_ns() // 1000
    start = datetime.now(UTC) - timedelta(days=30)
    facts = Facts("complaint", "p12345_api", start).as_data()
    values = {
        "first": first,
        "count": count,
        "division": COUNTY,
        "facts": json.dumps(facts),
        "start": start,
    }
    for statement in _SEED:
        session().execute(text(statement), values)
    return first


def _two(url: str, work: str) -> tuple[float, list[int]]:
    spawn = get_context("spawn")
    go, answers = spawn.Event(), spawn.Queue()
    workers = [spawn.Process(target=drain, args=(url, work, go, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    time.sleep(8)
    began = time.perf_counter()
    go.set()
    heard = [answers.get() for _ in workers]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return seconds, heard


def _app(url: str) -> Any:
    return create_app(make_settings(url, Path(tempfile.gettempdir())))


def main(count: int) -> None:
    """Measure on a database of its own."""
    print(json.dumps({"compute one ticket": computing(500)}))
    server = Server()
    name = f"zb_bench_{uuid.uuid4().hex[:8]}"
    server.create(name)
    try:
        url = server.url(name)
        with _app(url).app_context():
            db.create_all()
            db.engine.dispose()
        print(json.dumps({"turn red": enforcing(url, count)}))
        print(json.dumps({"compute anew": recomputing(url, max(200, count // 10))}))
    finally:
        server.drop(name)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
