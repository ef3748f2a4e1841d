"""How long does the morning after take? `python -m tests.bench.night [tickets]`

So many tickets are received and nobody signs them in until their total is over. Then two schedulers
wake up, with every job that a time limit can set in motion, on a database of their own. Prints
JSON: seconds, pieces of work, and how many tickets have how many of each thing. Exit code 1 when
one was urged twice or never.
"""

import json
import sys
import tempfile
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from app.core import clock
from app.core.db import db, session, transact
from app.deadlines.models import Deadline
from app.exchange import partners
from app.factory import create_app
from tests.conftest import make_settings
from tests.support import nights, template
from tests.support.database import Server
from tests.support.people import GUIZHOU, hire

SCHEDULERS = 2


def main(tickets: int) -> int:
    """Measure on a database of its own."""
    server = Server()
    name = f"zb_night_{uuid.uuid4().hex[:8]}"
    server.create(name)
    try:
        url = server.url(name)
        app = _app(url)
        template.fill(app)
        with app.app_context():
            began = time.perf_counter()
            numbers, person = _evening(tickets)
            received = time.perf_counter() - began
            morning = _total_over()
            nights.call(numbers, morning)
            transact(lambda: session().execute(text("analyze")))
            db.engine.dispose()
        seconds, cpu, batches = _wake(url, morning)
        with app.app_context():
            clock.set_source(lambda: morning)
            left = nights.call(numbers, morning)
            found = nights.told(numbers, person)
            db.engine.dispose()
    finally:
        server.drop(name)
    shown = {what: dict(sorted(counts.items())) for what, counts in found.items()}
    told = {"received in": received, "schedulers need": seconds, "their CPU": cpu}
    figures = {key: round(value, 1) for key, value in told.items()}
    pieces = {"pieces of work": sum(batches), "largest batch": max(batches), "left": left}
    print(json.dumps({**figures, **pieces, "each has": shown}))
    return int(found["urges"] != Counter({1: tickets}))


def _evening(tickets: int) -> tuple[list[str], int]:
    """Tickets nobody will sign in, and somebody who will be told of that."""

    def set_up() -> tuple[int, int]:
        partner, _ = partners.create("night", {"name": "测试12345", "province_code": "520000"})
        return partner.id, hire(GUIZHOU).principal.user_id

    partner_id, person = transact(set_up)
    return nights.receive_many(partner_id, tickets, datetime.now(UTC)), person


def _total_over() -> datetime:
    """The morning after the night in which their total was over."""
    query = select(Deadline.due_at).where(Deadline.stage == "total").limit(1)
    return session().scalars(query).one() + timedelta(hours=14)


def _wake(url: str, morning: datetime) -> tuple[float, float, list[int]]:
    """Let the schedulers work; seconds, seconds of their processors, and the batches they did."""
    spawn = get_context("spawn")
    go, ready, answers = spawn.Event(), spawn.Queue(), spawn.Queue()
    nodes = [
        spawn.Process(target=schedule, args=(url, morning, go, ready, answers))
        for _ in range(SCHEDULERS)
    ]
    for node in nodes:
        node.start()
    for _ in nodes:
        ready.get()
    began = time.perf_counter()
    go.set()
    told = [answers.get() for _ in nodes]
    seconds = time.perf_counter() - began
    for node in nodes:
        node.join()
    return seconds, sum(cpu for cpu, _ in told), [size for _, sizes in told for size in sizes]


def schedule(url: str, morning: datetime, go: Any, ready: Any, answers: Any) -> None:
    """One scheduler process."""
    app, batches = _app(url), list[int]()
    clock.set_source(lambda: morning)
    with app.app_context():
        session().execute(text("select 1"))
        session().rollback()
        ready.put(True)
        go.wait()
        began = time.process_time()
        nights.wake(app, batches.append)
        cpu = time.process_time() - began
        db.engine.dispose()
    answers.put((cpu, batches))


def _app(url: str) -> Any:
    return create_app(make_settings(url, Path(tempfile.gettempdir())))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000))
