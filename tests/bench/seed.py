"""A year of a million tickets over all provinces, written by SQL: rows as the product leaves them.

The newest 30,000 are open; a third of those wait at one province's unit (贵州), the rest at
counties, cities and provinces all over the country. Every ticket has its instance, the newest
300,000 have history and done tasks. All share one sealed caller.
"""

from typing import Any, LiteralString

import psycopg

from app.core.db import session
from app.core.sealed import keyring
from app.exchange import partners
from app.organisations.models import Unit
from app.security.identity import phone_hash

SECRET = "bench-only-secret-" + "0" * 32
CROWDED = "520000000000"
"""The province whose unit has a third of all open tasks."""
RECENT = 300_000
"""So many of the newest tickets have history and done tasks."""
SAMPLES = 400
"""So many tickets of the crowded province have a telephone number of their own to be found by."""


def app_id(province_code: str) -> str:
    """The application id of a province's platform."""
    return f"bench{province_code[:6]}"


def sample_phone(number: int) -> str:
    """The telephone number of a sample ticket."""
    return f"139{number:08d}"


def prepare() -> None:
    """One platform for each province; call it inside a transaction."""
    for unit in session().query(Unit).where(Unit.level == "province").order_by(Unit.id):
        profile = {"name": f"{unit.name[:20]}12345", "province_code": unit.division_code[:6]}
        partner, _ = partners.create(app_id(unit.division_code), profile)
        partner.secrets = [SECRET]
    session().flush()


def fill(uri: str, tickets: int) -> None:
    """Write the tickets and all that belongs to them, then vacuum and analyse."""
    values = _values(tickets)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no foreign key checks
        connection.execute("set synchronous_commit = off")
        connection.execute("set work_mem = '256MB'")
        connection.execute("set maintenance_work_mem = '1GB'")
        for statement in (_COUNTIES, _PLAN):
            connection.execute(statement, values)
        for table, statement in _TABLES:
            later = _drop_plain_indexes(connection, table)
            connection.execute(statement, values)
            for index in later:
                connection.execute(index)
        _give_phones(connection, values)
        connection.execute("reset maintenance_work_mem")
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")


def _values(tickets: int) -> dict[str, Any]:
    sealed = {
        name: keyring().seal(text.encode(), f"tickets.{name}")
        for name, text in (
            ("caller_name", "李某某"),
            ("contact_phone", "13800001234"),
            ("caller_address", "马山镇三组"),
            ("caller_number", "13800001234"),
        )
    }
    return {
        **sealed,
        "tickets": tickets,
        "open": min(30_000, tickets * 3 // 100),
        "recent": min(RECENT, tickets),
        "crowded": CROWDED,
        "content": "反映危房改造补助资金未按标准发放，要求补发差额。" * 6,
    }


def _drop_plain_indexes(connection: psycopg.Connection, table: str) -> list[Any]:
    """Drop what is quicker built at the end; returns the statements that build it again."""
    rows = connection.execute(
        "select i.indexdef, i.indexname from pg_indexes i where i.tablename = %s and not exists"
        " (select from pg_constraint c where c.conname = i.indexname)",
        (table,),
    ).fetchall()
    for _, name in rows:
        connection.execute(psycopg.sql.SQL("drop index {}").format(psycopg.sql.Identifier(name)))
    return [psycopg.sql.SQL(definition) for definition, _ in rows]


def _give_phones(connection: psycopg.Connection, values: dict[str, Any]) -> None:
    ids = connection.execute(
        "select t.id from tickets t where t.province_code = %(crowded)s order by t.id desc limit"
        f" {SAMPLES * 3}",
        values,
    ).fetchall()[::3]
    for number, (ticket_id,) in enumerate(ids):
        connection.execute(
            "update tickets set contact_phone_hash = %s where id = %s",
            (phone_hash(sample_phone(number)), ticket_id),
        )


_COUNTIES: LiteralString = """
create unlogged table bench_counties as
select row_number() over (partition by top.division_code = %(crowded)s order by c.id) as n,
       top.division_code = %(crowded)s as crowded,
       c.id as county_unit, c.division_code as county,
       case when above.level = 'city' then above.id end as city_unit,
       case when above.level = 'city' then above.division_code end as city,
       top.id as province_unit, top.division_code as province,
       (select id from partners p where p.province_code = left(top.division_code, 6)) as partner
from units c
join units above on above.id = c.parent_id
join units top on top.id = case when above.level = 'city' then above.parent_id else above.id end
where c.level = 'county'
"""

_PLAN: LiteralString = """
create unlogged table bench_plan as
with sizes as (
    select count(*) filter (where crowded) as crowded, count(*) filter (where not crowded) as others
    from bench_counties
), raw as (
    select g, g > %(tickets)s - %(open)s as is_open,
           case when g > %(tickets)s - %(open)s then g %% 3 = 0 else g %% 10 = 0 end as crowded,
           now() - (%(tickets)s - g) * interval '365 days' / %(tickets)s as at,
           random() as place, random() as step, random() as days
    from generate_series(1, %(tickets)s) g
)
select r.g, r.is_open, r.at, r.at + interval '7 days' + r.days * interval '14 days' as due_at,
       c.county_unit, c.county, c.city_unit, c.city, c.province_unit, c.province, c.partner,
       'TS' || left(c.province, 6) || to_char(r.at at time zone 'Asia/Shanghai', 'YYYYMMDD')
            || lpad(r.g::text, 7, '0') || 'X' as no,
       case when not r.is_open then 'archived'
            when r.crowded or r.step < 0.2 then
                (array['sign_in', 'review', 'dispatch', 'audit_by_province'])[1 + r.g %% 4]
            when r.step < 0.4 and c.city_unit is not null then
                (array['city_decide', 'audit_by_city'])[1 + r.g %% 2]
            else (array['county_sign_in', 'handle_by_county'])[1 + r.g %% 2] end as step
from raw r cross join sizes s
join bench_counties c on c.crowded = r.crowded
 and c.n = 1 + floor(r.place * case when r.crowded then s.crowded else s.others end)
order by r.g
"""

_TICKETS: LiteralString = """
insert into tickets (acceptance_no, external_ticket_no, partner_id, ticket_type, source, status,
    round, urgency, query_code, operator_no, called_at, caller_number_unknown, is_anonymous,
    is_confidential, caller_name, contact_phone, caller_address, caller_number,
    contact_phone_hash, caller_number_hash, declined_fields, division_code, division_unresolved,
    detail_address, province_code, city_code, county_code, title, content, target_info,
    problem_category, province_unit_id, city_unit_id, county_unit_id, submitted_at, due_at,
    completed_at, archived_at)
select no, 'B-' || g, partner, 'complaint', 'p12345_api',
    case step when 'sign_in' then 'submitted' when 'review' then 'reviewing'
              when 'dispatch' then 'dispatching' when 'county_sign_in' then 'delegated'
              when 'city_decide' then 'delegated' when 'handle_by_county' then 'handling'
              when 'archived' then 'archived' else 'auditing' end,
    1, 1 + (g %% 20 = 0)::int, lpad((g %% 1000000)::text, 6, '0'), 'B-0231',
    at - interval '9 minutes', false, g %% 12 = 0, false,
    %(caller_name)s, %(contact_phone)s, %(caller_address)s, %(caller_number)s,
    sha256(('p' || g %% 700000)::bytea), sha256(('c' || g %% 700000)::bytea), '[]', county, false,
    '三组', province, city, county, '反映危房改造补助资金未按标准发放 ' || g, %(content)s, '村委会',
    1 + g %% 8, province_unit,
    case when step in ('sign_in', 'review', 'dispatch') then null else city_unit end,
    case when step in ('sign_in', 'review', 'dispatch', 'city_decide') then null
         else county_unit end,
    at, due_at, case when not is_open then due_at end, case when not is_open then due_at end
from bench_plan order by g
"""

_INSTANCES: LiteralString = """
insert into process_instances (process_key, business_key, definition_id, status, version,
    event_seq, next_due, state, started_at, ended_at)
select 'ticket_transfer', no, d.id, case when is_open then 'open' else 'completed' end,
    6, 6, null, case when is_open then decode(repeat('5a', 1200), 'hex') end, at,
    case when not is_open then due_at end
from bench_plan
cross join (select id from process_definitions
            where process_key = 'ticket_transfer' and status = 'published') d
order by g
"""

_TASKS: LiteralString = """
insert into user_tasks (id, instance_id, process_key, business_key, element_id, name, lane, role,
    form, deadline_key, unit_id, assignee_id, assignee_name, state, version, opened_at, due_at,
    yellow_at, orange_at, sort_at, closed_at, closed_by, closed_by_name)
select gen_random_uuid(), i.id, 'ticket_transfer', p.no,
    case when k.k < 4 then 'sign_in' else p.step end,
    case when k.k < 4 then '签收' else '办理' end, 'lane',
    case when k.k = 4 and p.step in ('county_sign_in', 'handle_by_county') then 'county_operator'
         when k.k = 4 and p.step in ('city_decide', 'audit_by_city') then 'city_operator'
         else 'province_operator' end,
    'ticket.sign_in', 'sign_in',
    case when k.k = 4 and p.step in ('county_sign_in', 'handle_by_county') then p.county_unit
         when k.k = 4 and p.step in ('city_decide', 'audit_by_city') then p.city_unit
         else p.province_unit end,
    null, null, case when k.k < 4 then 'done' else 'open' end, 1, p.at, p.due_at,
    p.due_at - interval '4 days', p.due_at - interval '1 day', p.due_at,
    case when k.k < 4 then p.at end, case when k.k < 4 then 1 + p.g %% 5000 end,
    case when k.k < 4 then '王敏' end
from bench_plan p
join process_instances i on i.business_key = p.no and i.process_key = 'ticket_transfer'
cross join generate_series(1, 4) k(k)
where p.g > %(tickets)s - %(recent)s and (k.k < 4 or p.is_open)
order by p.g, k.k
"""

_EVENTS: LiteralString = """
insert into process_events (instance_id, seq, at, kind, element_id, element_name, task_id,
    actor_id, actor_name, unit_id, decision, duration_s)
select i.id, k.k, p.at, 'user', 'sign_in', '签收', null, 1, '王敏', p.province_unit,
    '{"review": "accept"}', 600
from bench_plan p
join process_instances i on i.business_key = p.no and i.process_key = 'ticket_transfer'
cross join generate_series(1, 6) k(k)
where p.g > %(tickets)s - %(recent)s
order by p.g, k.k
"""

_TABLES: tuple[tuple[str, LiteralString], ...] = (
    ("tickets", _TICKETS),
    ("process_instances", _INSTANCES),
    ("user_tasks", _TASKS),
    ("process_events", _EVENTS),
)
