"""A night in which nothing runs: many tickets, all over when the schedulers come back.

Shared by the test of the suite and the measurement of thousands; call it in an application context.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import scheduler
from app.core.db import session, transact
from app.exchange.models import Partner
from app.scheduler import Job
from app.tickets import intake, services
from tests.support.journey import complaint

AT_ONCE = 50
JOBS = ("timers", "inbox", "deadlines", "lane:")
"""What a time limit can set in motion; the other jobs only forget and seal."""

_TOLD = """
    select (select count(*) from matters m where m.ticket_id = t.id and m.kind = 'urge') as urges,
           (select count(*) from user_tasks u where u.business_key = t.acceptance_no
               and u.element_id = 'answer_urge' and u.state = 'open') as urge_tasks,
           (select count(*) from process_events e
              join process_instances i on i.id = e.instance_id
             where i.business_key = t.acceptance_no and e.element_id = 'urge_sign_in') as drawn,
           count(*) filter (where stage = 'total' and event = 'red') as total_red,
           count(*) filter (where stage = 'sign_in' and event = 'red') as sign_in_red,
           count(*) filter (where event in ('yellow', 'orange')
               and exists (select from deadline_events later where later.deadline_id = d.id
                              and later.event = 'red')) as overtaken,
           (select count(*) from notifications n where n.business_key = t.acceptance_no
               and n.user_id = :person and n.kind = 'red') as told
      from tickets t join deadlines d on d.ticket_id = t.id
      left join deadline_events e on e.deadline_id = d.id
     where t.acceptance_no = any(:numbers) group by t.id
"""


def receive_many(
    partner_id: int, count: int, now: datetime, said: Callable[[], dict[str, Any]] = complaint
) -> list[str]:
    """So many tickets of a platform; returns their numbers."""

    def batch(size: int) -> list[str]:
        partner = session().get_one(Partner, partner_id)
        called_at = (now - timedelta(minutes=9)).isoformat()
        mode = partner.anonymity_mode
        read = [
            intake.read(
                "complaint", {**said(), "called_at": called_at}, now=now, anonymity_mode=mode
            )
            for _ in range(size)
        ]
        return [services.receive(each, partner, now).ticket.acceptance_no for each in read]

    sizes = [min(AT_ONCE, count - done) for done in range(0, count, AT_ONCE)]
    return [number for size in sizes for number in transact(partial(batch, size))]


def call(numbers: Sequence[str], moment: datetime) -> int:
    """The database's clock calls what is due by then; returns how much that is."""
    due = text(
        "update work_items set due_at = least(due_at, now()) where lane = 'deadlines'"
        " and state = 'ready' and business_key = any(:numbers) and due_at <= :moment returning id"
    )
    values = {"numbers": list(numbers), "moment": moment}
    return len(transact(lambda: session().execute(due, values).all()))


def wake(app: Flask, hears: Callable[[int], None] = lambda found: None) -> None:
    """A scheduler, woken up: its jobs until a round finds nothing; `hears` gets each batch."""

    def listening(job: Job) -> Job:
        def once(now: datetime) -> int:
            found = job.once(now)
            hears(found)
            return found

        return replace(job, once=once)

    jobs = [listening(job) for job in scheduler.jobs() if job.name.startswith(JOBS)]
    while sum(scheduler.drain(app, job, Event()) for job in jobs):
        pass


def told(numbers: Sequence[str], user_id: int) -> dict[str, Counter[int]]:
    """What became of the tickets: how many of them have how many of each thing."""
    values = {"numbers": list(numbers), "person": user_id}
    rows = transact(lambda: session().execute(text(_TOLD), values).mappings().all())
    return {name: Counter(row[name] for row in rows) for name in (rows[0] if rows else ())}
