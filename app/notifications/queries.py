"""Reading notifications: one's own, and only of tickets that one may still read (custody)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import defer

from app.core.db import session
from app.divisions.rules import ROOT_CODE
from app.engine.models import UserTask
from app.exchange import circuit
from app.notifications.models import (
    DEAD,
    LANE,
    Notification,
    NotificationHook,
    NotificationMessage,
    NotificationPreference,
)
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import tasks_in_scope, visible_to
from app.workqueue import queries as workqueue

PAGE = 30
MOST = 100
"""Counts stop here: 99+ is all that a bell says."""


def seen_by(principal: Principal) -> ColumnElement[bool]:
    """The person's own, told to them as staff of the unit they are in, of tickets in its custody.

    A unit that was only asked for help sees what is about its task as long as that is open.
    """
    held = exists().where(Ticket.acceptance_no == Notification.business_key, visible_to(principal))
    asked = exists().where(UserTask.id == Notification.task_id, tasks_in_scope(principal))
    return (
        (Notification.user_id == principal.user_id)
        & (Notification.unit_id == principal.unit_id)
        & or_(Notification.business_key.is_(None), held, asked)
    )


def notifications(
    principal: Principal,
    *,
    unread: bool = False,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[Notification]:
    """Newest first, one more than `limit` when it goes on; `before` is the last id (keyset)."""
    query = select(Notification).where(seen_by(principal))
    if unread:
        query = query.where(Notification.read_at.is_(None))
    if before is not None:
        query = query.where(Notification.id < before)
    return session().scalars(query.order_by(Notification.id.desc()).limit(limit + 1)).all()


def unread_count(principal: Principal) -> int:
    """How many wait to be read, up to `MOST`."""
    some = (
        select(Notification.id)
        .where(seen_by(principal), Notification.read_at.is_(None))
        .limit(MOST)
        .subquery()
    )
    return session().scalar(select(func.count()).select_from(some)) or 0


def preference(user_id: int) -> NotificationPreference | None:
    """How somebody wants to be told; None when they have not said."""
    return session().get(NotificationPreference, user_id)


def hooks_by_province() -> dict[str, NotificationHook]:
    """The hooks that are on, by the first two digits of their province; the nation's is `00`."""
    rows = session().execute(
        select(Unit.division_code, NotificationHook)
        .join(NotificationHook, NotificationHook.unit_id == Unit.id)
        .where(NotificationHook.enabled)
        .options(defer(NotificationHook.secrets))
    )
    return {code[:2]: hook for code, hook in rows}


@dataclass(frozen=True)
class HookHealth:
    """How a hook is doing; `reason` is its trouble now, or why its newest message was given up."""

    unit_id: int
    unit_name: str
    url: str
    quiet_from: time
    quiet_until: time
    enabled: bool
    waiting: int
    dead: int
    failures_in_a_row: int
    resting_until: datetime | None
    reason: str | None


def hook_health(province_code: str | None = None) -> list[HookHealth]:
    """Every hook, or only a province's own (by its code of six digits), by division."""
    lost = (
        select(NotificationMessage.reason)
        .where(
            NotificationMessage.hook_unit_id == NotificationHook.unit_id,
            NotificationMessage.state == DEAD,
        )
        .order_by(NotificationMessage.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(NotificationHook, Unit.name, lost)
        .join(Unit, Unit.id == NotificationHook.unit_id)
        .options(defer(NotificationHook.secrets))
        .order_by(Unit.division_code)
    )
    if province_code is not None:
        query = query.where(Unit.division_code == province_code.ljust(12, "0"))
    rows = session().execute(query).all()
    counts: Counter[tuple[str, bool]] = Counter()
    for each in workqueue.unfinished_counts(LANE) if rows else ():
        counts[each.dest, each.state == DEAD] += each.items
    troubles = circuit.states([hook.dest for hook, *_ in rows]) if rows else {}
    found = []
    for hook, name, reason in rows:
        trouble = troubles.get(hook.dest)
        found.append(
            HookHealth(
                *(hook.unit_id, name, hook.url, hook.quiet_from, hook.quiet_until, hook.enabled),
                *(counts[hook.dest, False], counts[hook.dest, True]),
                trouble.failures if trouble else 0,
                trouble.open_until if trouble else None,
                trouble.reason if trouble else reason,
            )
        )
    return found


def hook_for(division_code: str, hooks: Mapping[str, NotificationHook]) -> NotificationHook | None:
    """The hook of the province a division lies in, or the nation's."""
    return hooks.get(division_code[:2]) or hooks.get(ROOT_CODE[:2])
