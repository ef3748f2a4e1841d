"""The ticking: APScheduler calls short functions and stores nothing; the rows know what is due.

Any number of nodes may run one (`run`), never inside a web worker. A tick drains its work in small
transactions; SKIP LOCKED keeps nodes apart, so a second node only makes it faster.
"""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event, current_thread, main_thread
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from app.core import clock
from app.core.db import RecordedFailure, transact
from app.core.logs import logger
from app.deadlines.enforcement import enforce_due
from app.engine import runner
from app.exchange import limits, retention
from app.exchange.courier import Couriers
from app.exchange.delivery import to_partners
from app.files import services as files
from app.notifications import alarms, messages
from app.notifications import retention as old_notifications
from app.notifications.courier import to_hooks
from app.pages import services as pages
from app.reconciliation import services as reconciliation
from app.security import seals
from app.security import services as security
from app.workqueue import registry, services

Once = Callable[[datetime], int]
"""One bounded piece of work in one transaction; returns how much it found, 0 when no more."""

MOST_ROUNDS = 200
"""A tick ends after so many pieces; the next tick goes on. Keeps a stop request from waiting."""


@dataclass(frozen=True)
class Job:
    """An entry of the table: what, how often, and spread by how much."""

    name: str
    once: Once
    seconds: float
    jitter: float


def _fire_due_instance(now: datetime) -> int:
    """One process instance whose timer is due (定时器), in its own transaction."""
    instance_id = runner.next_due_instance()
    if instance_id is None:
        return 0
    runner.fire_due(instance_id, now=now)
    return 1


def _deliver_waiting_inbox(now: datetime) -> int:
    """Messages that came before their instance waited for them."""
    return runner.deliver_waiting_inbox(now=now)


def _enforce_deadlines(now: datetime) -> int:
    """Lights and escalation of time limits (时限) that are due."""
    return enforce_due(now)


def _gather_notifications(now: datetime) -> int:
    """Notifications that may leave the house become messages, one a person."""
    return messages.gather(now)


def _alarm(now: datetime) -> int:
    """What administrators have to be told."""
    alarms.tell(now)
    return 0


def _forget_notifications(now: datetime) -> int:
    """Notifications of half a year ago, with what was sent of them."""
    return old_notifications.forget(now)


def _forget_nonces(now: datetime) -> int:
    return retention.forget_expired_nonces(now)


def _forget_attempts(now: datetime) -> int:
    return retention.forget_old_attempts(now)


def _forget_rates(now: datetime) -> int:
    """Counts of callers who have been quiet long enough."""
    return limits.forget_full(now)


def _forget_sessions(now: datetime) -> int:
    """Sessions and failure counts that have run out."""
    return security.sweep(now)


def _forget_page_sessions(now: datetime) -> int:
    """Page invocations of yesterday, with the caller's number in them."""
    return pages.forget_old(now)


def _reconcile(now: datetime) -> int:
    """A day of a platform: its list compared, or looked at without one (对账)."""
    return reconciliation.compare_next(now)


def _forget_reconciliations(now: datetime) -> int:
    return reconciliation.forget_old(now)


def _seal_access_log(now: datetime) -> int:
    return seals.seal(now)


def _sweep_files(now: datetime) -> int:
    """Forgotten drafts and files without a row; it walks the folder, so one round an hour."""
    files.sweep_orphans(now)
    return 0


JOBS: tuple[Job, ...] = (
    Job("timers", _fire_due_instance, 1, 0.3),
    Job("inbox", _deliver_waiting_inbox, 5, 1),
    Job("deadlines", _enforce_deadlines, 1, 0.3),
    Job("notifications", _gather_notifications, 5, 1),
    Job("alarms", _alarm, 3600, 300),
    Job("forget-notifications", _forget_notifications, 3600, 300),
    Job("forget-nonces", _forget_nonces, 300, 60),
    Job("forget-attempts", _forget_attempts, 3600, 300),
    Job("forget-rates", _forget_rates, 300, 60),
    Job("forget-sessions", _forget_sessions, 600, 60),
    Job("forget-page-sessions", _forget_page_sessions, 600, 60),
    Job("reconcile", _reconcile, 10, 2),
    Job("forget-reconciliations", _forget_reconciliations, 3600, 300),
    Job("seal-access-log", _seal_access_log, 60, 10),
    Job("sweep-files", _sweep_files, 3600, 600),
)
"""Every regular job. Each database lane of the work queue gets one more, each second."""


def jobs() -> list[Job]:
    """The table, with a job for each lane that some room has registered."""
    return [*JOBS, *(_lane_job(lane) for lane in registry.lanes())]


def drain(app: Flask, job: Job, stop: Event) -> int:
    """One tick: do pieces until there are no more, or a stop is asked for; returns the sum.

    A piece that fails has been rolled back; it is logged and left to the next tick.
    """
    total = 0
    with app.app_context():
        for _ in range(MOST_ROUNDS):
            if stop.is_set():
                break
            try:
                found = transact(lambda: job.once(clock.now()))
            except RecordedFailure as failure:
                # An incident was written and its instance is out of the way: go on with the next.
                logger().warning("job_incident", job=job.name, reason=type(failure).__name__)
                found = 1
            except Exception as error:
                logger().error("job_failed", job=job.name, reason=type(error).__name__)
                break
            if not found:
                break
            total += found
    return total


def run(app: Flask, stop: Event | None = None) -> None:
    """Tick until `stop` is set (or SIGTERM, SIGINT), then let everything in hand finish."""
    stop = stop or Event()
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    couriers = {
        "outbound": Couriers(app, to_partners),
        "hooks": Couriers(app, to_hooks, threads=4),
    }
    table = jobs()
    ticking = BackgroundScheduler(
        timezone=UTC,
        executors={"default": {"type": "threadpool", "max_workers": len(table) + len(couriers)}},
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )
    for job in table:
        _add(ticking, job.name, partial(drain, app, job, stop), job.seconds, job.jitter)
    for name, each in couriers.items():
        _add(ticking, name, partial(_send_couriers, name, each), 1, 0.3)
    ticking.start()
    logger().info("scheduler_started", jobs=[job.name for job in table] + list(couriers))
    try:
        stop.wait()
    finally:
        stop.set()
        ticking.shutdown(wait=True)
        for each in couriers.values():
            each.stop()
        logger().info("scheduler_stopped")


def _lane_job(lane: registry.Lane) -> Job:
    def once(now: datetime) -> int:
        return services.process_database_lane(lane, now=now)

    return Job(f"lane:{lane.name}", once, 1, 0.3)


def _send_couriers(name: str, couriers: Couriers) -> None:
    try:
        couriers.tick()
    except Exception as error:
        logger().error("job_failed", job=name, reason=type(error).__name__)


def _add(
    ticking: Any, name: str, tick: Callable[[], object], seconds: float, jitter: float
) -> None:
    trigger = IntervalTrigger(seconds=seconds, jitter=jitter, timezone=UTC)
    ticking.add_job(tick, trigger, id=name, name=name, next_run_time=datetime.now(UTC))
