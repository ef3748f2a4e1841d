"""What comparing a day costs, and counting a request: `python -m tests.bench.exchange`.

Writes a day of tickets of one platform into a database of its own; prints JSON.
"""

import json
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.core.errors import RateLimited
from app.exchange import limits, partners
from app.exchange.models import Partner
from app.factory import create_app
from app.organisations.models import Unit
from app.reconciliation import queries, services
from tests.bench.figures import latencies
from tests.conftest import make_settings
from tests.support.database import Server

PROVINCE = "520000"
PAGE = 5000
_TICKETS = """
    insert into tickets(acceptance_no, external_ticket_no, partner_id, ticket_type, source, status,
        round, urgency, query_code, operator_no, called_at, caller_number_unknown, is_anonymous,
        is_confidential, declined_fields, division_unresolved, province_code, title, content,
        province_unit_id, submitted_at, due_at)
    select 'TS520000' || :day || lpad(g::text, 6, '0') || '0', 'B-' || g, :partner, 'complaint',
        'p12345_api', case when g % 3 = 0 then 'archived' else 'handling' end, 1, 1, '000000', 'B',
        now(), true, true, false, '[]', false, '520000000000', 'B', 'B', :unit, now(), now()
      from generate_series(1, :count) g
"""


def prepare(count: int) -> int:
    """A platform and its day of so many tickets; the platform's id."""
    unit = Unit(level="national", name="测试", division_code="000000000000")
    session().add(unit)
    partner, _ = partners.create(
        f"b{uuid.uuid4().hex[:10]}", {"name": "测试12345", "province_code": PROVINCE}
    )
    session().flush()
    values = {"day": f"{today():%Y%m%d}", "partner": partner.id, "unit": unit.id, "count": count}
    session().execute(text(_TICKETS), values)
    return partner.id


def today() -> date:
    """The day in Beijing."""
    return datetime.now(UTC).astimezone(BEIJING).date()


def reconciling(partner_id: int, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each part of a day; errors: differences found beside those planted."""
    day = today()

    def partner() -> Partner:
        return session().get_one(Partner, partner_id)

    figures = {"summary and digests": timed(lambda: queries.summary(partner(), day))}
    last = queries.tickets_of(partner(), day, "", PAGE)[-1].acceptance_no
    pages = [timed(lambda: queries.tickets_of(partner(), day, last, 1000)) for _ in range(20)]
    figures["a page of 1,000"] = latencies([each["median_ms"] for each in pages])
    theirs = [
        {
            "external_ticket_no": f"B-{n}",
            "acceptance_no": None,
            "outcome": "result" if n % 3 == 0 else "open",
        }
        for n in range(1, count + 1)
        if n % 1000
    ]
    parts = [theirs[start : start + PAGE] for start in range(0, len(theirs), PAGE)]
    sent = {"date": day, "list_id": "bench", "pages": len(parts)}
    took = [
        timed(lambda: take(partner(), {**sent, "page": number, "tickets": part}))  # noqa: B023
        for number, part in enumerate(parts, 1)
    ]
    figures["take a page of 5,000 in"] = latencies([each["median_ms"] for each in took])
    compared = timed(lambda: transact(lambda: services.compare_next(datetime.now(UTC))))
    run = queries.of_day(partner(), day)
    found = run.differences if run else None
    figures["compare the whole day"] = {**compared, "errors": abs((found or 0) - count // 1000)}
    session().rollback()
    return figures


def take(partner: Partner, sent: dict[str, Any]) -> None:
    """A page of the platform's list."""
    transact(lambda: services.take_page(partner, sent, datetime.now(UTC)))


def counting(url: str, seconds: float, callers: int) -> dict[str, float]:
    """Requests of one partner counted by four threads at once, or of four by one each."""
    app = create_app(make_settings(url, Path(tempfile.gettempdir())))
    times: list[float] = []
    until = time.perf_counter() + seconds

    def call(number: int) -> None:
        with app.app_context():
            while time.perf_counter() < until:
                began = time.perf_counter()
                with suppress(RateLimited):
                    limits.take(f"b{number % callers}", per_minute=60_000, burst=60_000)
                times.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        db.engine.dispose()
    return {**latencies(times), "per_second": round(len(times) / seconds)}


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """How long it took, once."""
    began = time.perf_counter()
    work()
    return {"median_ms": round((time.perf_counter() - began) * 1000, 1)}


def measure(server: Server, count: int) -> dict[str, dict[str, float]]:
    """Everything, on a database of its own."""
    name = f"zb_bench_{uuid.uuid4().hex[:8]}"
    server.create(name)
    try:
        url = server.url(name)
        app = create_app(make_settings(url, Path(tempfile.gettempdir())))
        with app.app_context():
            db.create_all()
            partner_id = transact(lambda: prepare(count))
            session().execute(text("analyze tickets"))
            session().commit()
            figures = reconciling(partner_id, count)
            db.session.remove()
            db.engine.dispose()
        figures["count a request, 4 threads, 1 partner"] = counting(url, 3, 1)
        figures["count a request, 4 threads, 4 partners"] = counting(url, 3, 4)
        return figures
    finally:
        server.drop(name)


def main(count: int) -> None:
    """Print one figure a line."""
    for what, values in measure(Server(), count).items():
        print(json.dumps({what: values}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
