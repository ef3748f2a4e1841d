"""How fast are people told of lights? `python -m tests.bench.notifications [tickets]`

Two processes let deadlines turn a light with tickets, staff and a hook on a database of their own:
row, event and a notification for each person of the escalation. Prints JSON.
"""

import json
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.core.db import db, session, transact
from app.notifications import messages
from tests.bench.schedulers import Schedulers, application
from tests.support.database import Server

STAFF = (("county", 2, 1), ("city", 2, 1), ("province", 4, 1))
"""Level, operators and supervisors of a unit."""

_UNITS = (
    "insert into units (id, level, division_code, name) values (1, 'national', '000000000000', '')",
    """insert into units (id, level, division_code, name, parent_id)
       values (2, 'province', '520000000000', '', 1)""",
    """insert into units (id, level, division_code, name, parent_id)
       select 100 + g, 'city', '5203' || lpad(g::text, 8, '0'), '', 2
         from generate_series(1, 9) g""",
    """insert into units (id, level, division_code, name, parent_id)
       select 1000 + g, 'county', '5204' || lpad(g::text, 8, '0'), '', 101 + g % 9
         from generate_series(1, 100) g""",
)
_PEOPLE = """
    insert into users (username, password_hash, password_changed_at, must_change_password,
        display_name, position, phone, unit_id, roles, created_at)
    select u.id || :role || n, '', now(), false, '', '', '', u.id, array[:role], now()
      from units u, generate_series(1, :count) n where u.level = :level
"""
_HOOK = """
    insert into notification_hooks (unit_id, url, app_id, secrets, networks, quiet_from,
        quiet_until) values (2, 'https://a.cn', 'a', '', '[]', '21:00', '08:00')
"""
_TICKETS = """
    insert into tickets (id, acceptance_no, ticket_type, source, status, round, urgency,
        query_code, operator_no, called_at, caller_number_unknown, is_anonymous, is_confidential,
        declined_fields, division_unresolved, province_code, title, content, province_unit_id,
        city_unit_id, county_unit_id, submitted_at, due_at) overriding system value
    select g, 'B' || g, 'complaint', 'p12345_api', 'handling', 1, 1, '', '', now(), true, false,
        false, '[]', false, '520000000000', '', '', 2, u.parent_id, u.id, now(), now()
      from generate_series(1, :count) g join units u on u.id = 1001 + g % 100
"""
_CLOCKS = """
    insert into ticket_clocks (ticket_id, business_key, division_code, facts, policy, round)
    select id, acceptance_no, '520328000000', cast(:facts as jsonb), '1', 1 from tickets
"""
_DEADLINES = """
    insert into deadlines (ticket_id, round, stage, task_id, unit_id, state, "limit", basis, law,
        policy, calendar, facts, start_at, due_at, yellow_at, orange_at, provisional, squeezed,
        granted, paused, light, generation)
    select t.id, 1, 'handle', gen_random_uuid(), t.county_unit_id, 'running', '9wd', '',
        'practice', '1', 0, cast(:facts as jsonb), :start,
        now() + interval '3 days', :start, now(), false, false, '[]', interval '0', 'yellow', 0
      from tickets t
"""
_ITEMS = """
    insert into work_items (shard, lane, dedup_key, business_key, max_attempts, payload)
    select 0, 'deadlines', 'deadline:' || d.id || ':0:orange', 'B' || d.ticket_id, 9,
        jsonb_build_object('ticket', d.ticket_id, 'deadline', d.id, 'generation', 0)
      from deadlines d
"""


def seed(count: int) -> None:
    """So many tickets of a hundred counties whose handling turns orange now."""
    start = datetime.now(UTC) - timedelta(days=30)
    facts = {"ticket_type": "complaint", "source": "p12345_api", "received_at": start.isoformat()}
    values = {"count": count, "start": start, "facts": json.dumps(facts)}
    for statement in _UNITS:
        session().execute(text(statement))
    for level, operators, supervisors in STAFF:
        for role, number in ((f"{level}_operator", operators), ("supervisor", supervisors)):
            session().execute(text(_PEOPLE), {"level": level, "role": role, "count": number})
    for statement in (_HOOK, _TICKETS, _CLOCKS, _DEADLINES, _ITEMS):
        session().execute(text(statement), values)


def telling(url: str, count: int) -> dict[str, float]:
    """Deadlines that turn orange in a second, and whether somebody was told twice or not at all."""
    with application(url).app_context():
        transact(lambda: seed(count))
        session().execute(text("analyze"))
        session().commit()
        db.engine.dispose()
    seconds = Schedulers.of(url, ["deadlines"], number=2, seconds=600).work()
    with application(url).app_context():
        told, twice = (
            session()
            .execute(
                text(
                    "select count(*), count(*) filter (where n > 1) from (select count(*) as n"
                    " from notifications group by user_id, business_key) each"
                )
            )
            .one()
        )
        session().rollback()
        db.engine.dispose()
    if told != count * 5:
        raise SystemExit(f"{told} notifications of {count} lights")
    return {"per_second": round(count / seconds), "notifications": told, "duplicates": twice}


def gathering(url: str) -> dict[str, float]:
    """Persons whose waiting notifications become messages, in a second, by one process."""
    now, persons = datetime.now(UTC) + timedelta(days=1), 0
    with application(url).app_context():
        began = time.perf_counter()
        while found := transact(lambda: messages.gather(now)):
            persons += found
        seconds = time.perf_counter() - began
        sent = session().scalar(text("select count(*) from notification_messages"))
        session().rollback()
        db.engine.dispose()
    return {"rounds_per_second": round(persons / seconds, 1), "messages": sent or 0}


def main(count: int) -> None:
    """Measure on a database of its own."""
    server = Server()
    name = f"zb_bench_{uuid.uuid4().hex[:8]}"
    server.create(name)
    try:
        url = server.url(name)
        with application(url).app_context():
            db.create_all()
            db.engine.dispose()
        print(json.dumps({"turn orange and tell five people each": telling(url, count)}))
        print(json.dumps({"make messages": gathering(url)}))
    finally:
        server.drop(name)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
