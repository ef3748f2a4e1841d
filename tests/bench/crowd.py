"""Many tickets in the hands of counties: one real ticket, and copies of every row it left.

The original is received and goes through the hands of its people. The copies have its engine state
with tasks of their own, stand in all counties of 贵州, and have what is awaited, clocks,
deadlines and work items. With `due`, a light of each copy is due, mixed as on a day: of twenty,
twelve are yellow, six orange and two red; one whose diagram draws what follows, one that urges by
itself.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import psycopg
import zstandard
from psycopg import sql
from sqlalchemy import select, text

from app.core.db import db, session, transact
from app.demo import advance
from app.engine.models import UserTask
from app.exchange import partners
from app.tickets import services
from app.tickets.intake import read
from tests.bench.schedulers import application
from tests.support.journey import complaint
from tests.support.people import GUIZHOU, MEITAN, ZUNYI, hire

_HEADER = 9
"""Bytes of an instance's state before the compressed document."""

_STAFF = """
    insert into users (username, password_hash, password_changed_at, must_change_password,
        display_name, position, phone, unit_id, roles, created_at)
    select u.id || :role || n, '', now(), false, '', '', '', u.id,
        array[case :role when 'operator' then u.level || '_operator' else :role end], now()
      from units u, generate_series(1, :number) n
     where u.level in ('province', 'city', 'county') and u.division_code like '52%'
"""
_COPIES: LiteralString = """
    create unlogged table bench_copies as
    with counties as (
        select row_number() over (order by c.id) - 1 as n, count(*) over () as number,
               c.id as county_unit, c.division_code as county,
               above.id as city_unit, above.division_code as city
          from units c join units above on above.id = c.parent_id and above.level = 'city'
         where c.level = 'county' and c.division_code like '52%%')
    select g, 'TS520000' || lpad(g::text, 12, '0') as no, county_unit, county, city_unit, city,
           case when not %(due)s then null when g %% 20 = 18 then 'handle' when g %% 20 = 19
                then 'total' when g %% 2 = 0 then 'handle' else 'total' end as stage,
           case when g %% 20 < 12 then 'yellow' when g %% 20 < 18 then 'orange' else 'red' end
                as step,
           null::bytea as state
      from generate_series(1, %(count)s) g join counties on counties.n = g %% counties.number
"""
_UNIT: LiteralString = """
    case o.unit_id when {county} then c.county_unit when {city} then c.city_unit
                   else o.unit_id end
"""
_OTHER: dict[str, dict[str, LiteralString]] = {
    "tickets": {
        "id": "o.id + c.g",
        "acceptance_no": "c.no",
        "external_ticket_no": "'B-' || c.g",
        "division_code": "c.county",
        "county_code": "c.county",
        "city_code": "c.city",
        "county_unit_id": "c.county_unit",
        "city_unit_id": "c.city_unit",
    },
    "process_instances": {"id": "o.id + c.g", "business_key": "c.no", "state": "c.state"},
    "user_tasks": {
        "id": "md5(o.id::text || c.g)::uuid",
        "instance_id": "o.instance_id + c.g",
        "business_key": "c.no",
        "unit_id": _UNIT,
    },
    "waiting_messages": {
        "task_id": "md5(o.task_id::text || c.g)::uuid",
        "instance_id": "o.instance_id + c.g",
        "business_key": "c.no",
    },
    "ticket_clocks": {
        "ticket_id": "o.ticket_id + c.g",
        "business_key": "c.no",
        "division_code": "c.county",
    },
    "deadlines": {
        "ticket_id": "o.ticket_id + c.g",
        "task_id": "md5(o.task_id::text || c.g)::uuid",
        "unit_id": _UNIT,
        "light": """case when o.stage is distinct from c.stage then o.light
            when c.step = 'yellow' then 'green' when c.step = 'orange' then 'yellow'
            else 'orange' end""",
        "yellow_at": """case when o.stage = c.stage then now() - interval '3 hours'
            else o.yellow_at end""",
        "orange_at": """case when o.stage is distinct from c.stage then o.orange_at
            when c.step = 'yellow' then now() + interval '1 day'
            else now() - interval '2 hours' end""",
        "due_at": """case when o.stage is distinct from c.stage then o.due_at
            when c.step = 'red' then now() - interval '1 hour'
            else now() + interval '2 days' end""",
    },
}
"""What is a copy's own, by table; every other column is the original's."""

_OF_ORIGINAL: dict[str, LiteralString] = {
    "tickets": "acceptance_no",
    "ticket_clocks": "business_key",
    "deadlines": "(select acceptance_no from tickets t where t.id = o.ticket_id)",
}
_ITEMS: LiteralString = """
    insert into work_items (shard, lane, dedup_key, business_key, max_attempts, due_at, payload)
    select 0, 'deadlines', 'deadline:' || d.id || ':0:' || n.step, c.no, 9,
           case when d.stage = c.stage then now() when n.step = 'yellow' then d.yellow_at
                when n.step = 'orange' then d.orange_at else d.due_at end,
           jsonb_build_object('ticket', d.ticket_id, 'deadline', d.id, 'generation', 0)
      from deadlines d join tickets t on t.id = d.ticket_id
      join bench_copies c on c.no = t.acceptance_no
      cross join lateral (select case d.light when 'green' then 'yellow' when 'yellow'
                                 then 'orange' else 'red' end as step) n
     where d.state = 'running'
"""


def fill(url: str, uri: str, count: int, *, due: bool) -> None:
    """Write so many copies into a database that has units and diagrams only."""
    with application(url).app_context():
        number = _original()
        transact(_employ)
        db.engine.dispose()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no foreign key checks
        connection.execute("set synchronous_commit = off")
        connection.execute("set work_mem = '128MB'")
        connection.execute(_COPIES, {"count": count, "due": due})
        units = _copy_states(connection, number, count)
        for table, own in _OTHER.items():
            connection.execute(_statement(connection, table, own, units), {"number": number})
        connection.execute(_ITEMS)
        connection.execute("drop table bench_copies")
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")


def _original() -> str:
    """A ticket that a county handles."""

    def receive() -> str:
        profile = {"name": "测试12345", "province_code": GUIZHOU[:6]}
        partner, _ = partners.create("crowd", profile)
        for place in (GUIZHOU, ZUNYI, MEITAN):
            hire(place)
        taken = read(
            "complaint",
            complaint(division_code=MEITAN),
            now=datetime.now(UTC),
            anonymity_mode=partner.anonymity_mode,
        )
        return services.receive(taken, partner, datetime.now(UTC)).ticket.acceptance_no

    number = transact(receive)
    handled = select(UserTask.id).where(UserTask.state == "open", UserTask.deadline_key == "handle")
    while transact(lambda: session().scalar(handled)) is None:
        if not transact(lambda: advance(number, datetime.now(UTC))):
            raise SystemExit("the ticket never came to its county")
    return number


def _employ() -> None:
    for role, number in (("operator", 2), ("supervisor", 1)):
        session().execute(text(_STAFF), {"role": role, "number": number})


def _copy_states(
    connection: psycopg.Connection, number: str, count: int
) -> dict[str, sql.Composable]:
    """Give every copy its engine state; returns the units of the original."""
    row = connection.execute(
        "select i.state, t.id, t.county_unit_id, t.city_unit_id from process_instances i"
        " join tickets t on t.acceptance_no = i.business_key where i.business_key = %s",
        (number,),
    ).fetchone()
    assert row is not None
    state, ticket_id, county, city = row
    own = connection.execute(
        "select id from user_tasks where business_key = %(of)s union"
        " select task_id from waiting_messages where business_key = %(of)s",
        {"of": number},
    ).fetchall()
    write = _writer(state, ticket_id, county, city, [each[0] for each in own])
    connection.execute("create temporary table states (g bigint, state bytea)")
    places = connection.execute("select g, county_unit, city_unit from bench_copies").fetchall()
    with connection.cursor().copy("copy states from stdin (format binary)") as copy:
        copy.set_types(["int8", "bytea"])
        for g, county_unit, city_unit in places:
            copy.write_row((g, write(g, county_unit, city_unit)))
    connection.execute("update bench_copies c set state = s.state from states s where s.g = c.g")
    return {"county": sql.Literal(county), "city": sql.Literal(city)}


def _writer(
    state: bytes, ticket_id: int, county: int, city: int, own: list[UUID]
) -> Callable[[int, int, int], bytes]:
    """A function that writes the original's state with the ids of a copy in it."""
    packer = zstandard.ZstdCompressor(level=3)
    document = zstandard.ZstdDecompressor().decompress(state[_HEADER:]).decode()
    fields = {f'"ticket_id":{ticket_id}', f'"county_unit_id":{county}', f'"city_unit_id":{city}'}
    ids = {each.hex: str(each) for each in own}
    parts = re.split(
        rf"((?:{'|'.join(map(re.escape, fields))})(?=[,}}])|{'|'.join(ids)})", document
    )

    def written(g: int, county_unit: int, city_unit: int) -> Iterator[str]:
        news = {"ticket": ticket_id + g, "county_unit": county_unit, "city_unit": city_unit}
        for part in parts:
            if part in ids:
                yield hashlib.md5(f"{ids[part]}{g}".encode(), usedforsecurity=False).hexdigest()
            elif part in fields:
                name = part.split('"')[1]
                yield f'"{name}":{news[name.removesuffix("_id")]}'
            else:
                yield part

    return lambda *to: state[:_HEADER] + packer.compress("".join(written(*to)).encode())


def _statement(
    connection: psycopg.Connection,
    table: str,
    own: dict[str, LiteralString],
    units: dict[str, sql.Composable],
) -> sql.Composed:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_name = %s"
        " and not (table_name = 'deadlines' and column_name = 'id')"
        " and is_generated = 'NEVER' order by ordinal_position",
        (table,),
    ).fetchall()
    names = [row[0] for row in rows]
    values = [
        sql.SQL(own[name]).format(**units) if name in own else sql.Identifier("o", name)
        for name in names
    ]
    return sql.SQL(
        "insert into {table} ({names}) overriding system value select {values}"
        " from {table} o cross join bench_copies c where {of} = %(number)s order by c.g"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(values),
        of=sql.SQL(_OF_ORIGINAL.get(table, "business_key")),
    )
