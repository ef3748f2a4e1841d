"""Time limits (时限): computed, enforced with full effect, computed anew. Sections of the bench."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any, LiteralString

import psycopg

from app import scheduler
from app.core.clock import BEIJING
from app.core.db import db, transact
from app.deadlines import calendars, plan, policy, published, recompute
from app.deadlines.plan import Facts
from app.deadlines.published import Day
from app.engine.registry import SYSTEM
from tests.bench import crowd
from tests.bench.figures import Figure, Goal, latencies
from tests.bench.schedulers import Schedulers, application
from tests.bench.stage import Stage

NO_ERRORS, NO_DUPLICATES = Goal("errors", most=0), Goal("duplicates", most=0)
ENFORCING, FOLLOWING, RECOMPUTING = 110, 30, 140
"""Seconds after which a part is stopped; its rate is that of what was done."""

_TAKEN: LiteralString = """
    with taken as (select deadline_id, event, count(*) as n from deadline_events
                    where event in ('yellow', 'orange', 'red') group by deadline_id, event),
         told as (select source, count(*) as n, count(distinct user_id) as persons
                    from notifications where source like 'deadline:%' group by source)
    select (select count(*) from taken),
           (select coalesce(sum(n - 1), 0) from taken),
           (select count(*) from taken t join deadlines d on d.id = t.deadline_id
             where d.light <> t.event),
           (select count(*) from taken t left join told on told.source
                = 'deadline:' || t.deadline_id || ':0:' || t.event where told.source is null),
           (select coalesce(sum(n), 0) from told),
           (select coalesce(sum(n - persons), 0) from told)
"""
_URGED: LiteralString = """
    with each as (select ticket_id, count(*) as n from matters where kind = 'urge' group by 1)
    select (select count(*) from each), (select coalesce(sum(n - 1), 0) from each),
           (select count(*) from user_tasks where element_id = 'answer_urge'),
           (select count(*) from deadline_events where event = 'red'),
           (select count(*) from incidents)
"""
_MOVED: LiteralString = """
    with each as (select deadline_id, generation, count(*) as n from deadline_events
                   where event = 'recomputed' group by 1, 2)
    select (select count(*) from each), (select coalesce(sum(n - 1), 0) from each),
           (select count(distinct ticket_id) from deadlines
             where state = 'running' and calendar < (select max(id) from calendar_changes)),
           (select count(distinct ticket_id) from deadlines where generation > 1)
"""


def computing(stage: Stage, scale: float) -> list[Figure]:
    """Every due date of one ticket, from its facts."""
    facts = Facts("complaint", "p12345_api", datetime.now(UTC), delegated=True)
    spent = [
        _timed(lambda: plan.compute(facts, policy.default(), published.calendar()))
        for _ in range(max(200, round(2000 * scale)))
    ]
    return [Figure("all due dates of a ticket", latencies(spent), (Goal("median_ms", most=1),))]


def enforcing(stage: Stage, scale: float) -> list[Figure]:
    """Due steps of lights by two schedulers, what follows them, and then a tick with none."""
    with stage.empty_database() as name:
        url, uri, count = stage.server.url(name), stage.server.uri(name), stage.events
        crowd.fill(url, uri, count, due=True)
        seconds = Schedulers.of(url, ["deadlines"], number=2, seconds=ENFORCING).work()
        taken, twice, dark, untold, told, told_twice = _asked(uri, _TAKEN)
        part = "" if taken == count else f", {taken:,} of them done in {ENFORCING} s"
        figures = [
            Figure(
                f"{count:,} due lights, 2 processes: row, event, notifications{part}",
                {
                    "per_minute": round(taken / seconds * 60),
                    "notifications": told,
                    "errors": dark + untold,
                    "duplicates": twice + told_twice,
                },
                (NO_ERRORS, NO_DUPLICATES),
            )
        ]
        if not part:
            figures += [_nothing_due(url, scale), *_following(url, uri)]
        return figures


def _following(url: str, uri: str) -> list[Figure]:
    """Urges of what is red: drawn overdue events raised, urges taken up by their diagrams."""
    jobs = ["lane:overdue", "inbox"]
    seconds = Schedulers.of(url, jobs, number=2, seconds=FOLLOWING).work()
    urged, twice, taken_up, red, incidents = _asked(uri, _URGED)
    return [
        Figure(
            "urges (自动催办) of red ones drawn and taken up, 2 processes",
            {
                "per_minute": round(taken_up / seconds * 60),
                "errors": incidents,
                "duplicates": twice,
            },
            (NO_ERRORS, NO_DUPLICATES),
            f"{urged:,} urged and {taken_up:,} taken up of {red:,}, within {FOLLOWING} s",
        )
    ]


def _nothing_due(url: str, scale: float) -> Figure:
    app = application(url)
    (job,) = [each for each in scheduler.jobs() if each.name == "deadlines"]
    scheduler.drain(app, job, Event())
    spent = [
        _timed(lambda: scheduler.drain(app, job, Event()))
        for _ in range(max(20, round(200 * scale)))
    ]
    with app.app_context():
        db.engine.dispose()
    return Figure("one tick of the deadlines, nothing due", latencies(spent))


def recomputing(stage: Stage, scale: float) -> list[Figure]:
    """A new holiday: every open ticket computed anew, read meanwhile, killed in the middle."""
    with stage.empty_database() as name:
        url, uri, count = stage.server.url(name), stage.server.uri(name), stage.events
        crowd.fill(url, uri, count, due=False)
        app = application(url)
        with app.app_context():
            total = transact(_new_holiday)
            seconds, killed_at, readings = _recompute(url, total)
            left = transact(recompute.running)
            db.engine.dispose()
        moved, twice, outdated, repeated = _asked(uri, _MOVED)
        done = total - outdated
    part = f", {done:,} of them done in {RECOMPUTING} s" if left else ""
    wrong = (0 if left else outdated) + repeated + (total != count + 1)
    return [
        Figure(
            f"{count:,} open tickets computed anew after a change of the calendar{part}",
            {"per_minute": round(done / seconds * 60), "errors": wrong, "duplicates": twice},
            (NO_ERRORS, NO_DUPLICATES),
            f"{moved:,} due dates moved; killed after {killed_at:,} and resumed;"
            f" progress read {readings:,} times",
        )
    ]


def _new_holiday() -> int:
    """A day off in the week after next; how many tickets that concerns."""
    now = datetime.now(UTC)
    day = _workday(now.astimezone(BEIJING).date() + timedelta(days=8))
    table = calendars.years()[day.year].days
    days = sorted([*table, Day(day, False, "测试")], key=lambda each: each.day)
    calendars.import_year(
        day.year, days, source="bench", reason="", actor=SYSTEM, now=now, official=False
    )
    return recompute.begin(recompute.CALENDAR, now, reason="", actor_name=SYSTEM.name)


def _workday(day: date) -> date:
    while not calendars.of().is_working_day(day):
        day += timedelta(days=1)
    return day


def _recompute(url: str, total: int) -> tuple[float, int, int]:
    """Seconds of work, how far it was when killed, and how often its progress was read."""
    readings, done = 0, 0

    def read() -> bool:
        nonlocal readings, done
        found = transact(recompute.running)
        readings += 1
        if found:
            if found[0].done < done:
                raise SystemExit("the progress went back")
            done = found[0].done
        return bool(found)

    seconds = _watched(url, lambda: read() and done < total // 2, RECOMPUTING / 2, kill=True)
    killed_at = done
    seconds += _watched(url, read, RECOMPUTING - seconds, kill=False)
    return seconds, killed_at, readings


def _watched(url: str, goes_on: Callable[[], bool], most: float, *, kill: bool) -> float:
    schedulers = Schedulers.of(url, ["lane:recompute"], number=1, seconds=most)
    (process,) = schedulers.processes
    began = time.perf_counter()
    schedulers.go.set()
    while process.is_alive() and goes_on() and time.perf_counter() - began < most:
        process.join(0.1)
    if kill:
        process.kill()
    process.join()
    return time.perf_counter() - began


def _asked(uri: str, question: LiteralString) -> tuple[Any, ...]:
    with psycopg.connect(uri) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return tuple(map(int, row))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
