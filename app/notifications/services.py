"""Telling people: `notify` writes a row for each person, in the transaction of what it is about.

What is sent out besides leaves later (`messages`, `courier`); here only its moment is set.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text, update

from app.core.db import session
from app.deadlines import calendars, editions
from app.deadlines.editions import Edition
from app.notifications import queries
from app.notifications.errors import UnknownNotification
from app.notifications.models import Notification, NotificationHook, NotificationPreference
from app.notifications.rules import Quiet, send_at
from app.organisations.models import Unit
from app.security.models import User
from app.security.permissions import implied
from app.security.principal import Principal


@dataclass(frozen=True)
class To:
    """Whom: the unit's staff with one of the roles, or one person of the unit."""

    unit_id: int
    roles: frozenset[str] = frozenset()
    person_id: int | None = None


@dataclass(frozen=True)
class Notice:
    """What several people are told. `title` is shown and sent out: no citizen's data."""

    source: str
    """The same source never tells a person twice."""
    kind: str
    """One of `rules.KINDS`."""
    title: str
    to: tuple[To, ...]
    business_key: str | None = None
    task_id: UUID | None = None


def notify(notices: Sequence[Notice], now: datetime) -> None:
    """Tell everybody, by a handful of statements however many there are."""
    units = {to.unit_id for notice in notices for to in notice.to}
    people = _people(units) if units else {}
    if not people:
        return
    hooks = queries.hooks_by_province()
    edition = editions.current().calendar
    when = _When(hooks, edition, now)
    rows = [
        (notice, person, when.send_at(notice.kind, person))
        for notice in notices
        for person in _recipients(notice, people)
    ]
    if rows:
        session().execute(_ADD, _columns(rows, now))


def mark_read(principal: Principal, notification_id: int, now: datetime) -> Notification:
    """One of one's own is read; UnknownNotification when there is none of that number to see."""
    found = session().scalar(
        select(Notification)
        .where(Notification.id == notification_id, queries.seen_by(principal))
        .with_for_update()
    )
    if found is None:
        raise UnknownNotification
    found.read_at = found.read_at or now
    session().flush()
    return found


def mark_all_read(principal: Principal, up_to: int, now: datetime) -> int:
    """All that the person saw, up to the newest: what came meanwhile stays unread. Counts them."""
    mine = (Notification.user_id == principal.user_id) & Notification.read_at.is_(None)
    changed: Any = session().execute(
        update(Notification)
        .where(mine, Notification.id <= up_to)
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)


class _Person(NamedTuple):
    id: int
    unit_id: int
    roles: list[str]
    division_code: str
    daily: bool
    quiet_from: time | None
    quiet_until: time | None


_ADD = text(
    """
    insert into notifications (source, kind, title, business_key, task_id, user_id, unit_id,
                               send_at, created_at)
    select *, cast(:now as timestamptz) from unnest(
        cast(:source as text[]), cast(:kind as text[]), cast(:title as text[]),
        cast(:business_key as text[]), cast(:task_id as uuid[]), cast(:user_id as bigint[]),
        cast(:unit_id as bigint[]), cast(:send_at as timestamptz[]))
    on conflict do nothing
    """
)
"""One statement however many rows: a night's downtime writes hundreds of thousands."""

_NOTICE = ("source", "kind", "title", "business_key", "task_id")


def _columns(
    rows: Sequence[tuple[Notice, _Person, datetime | None]], now: datetime
) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [getattr(notice, name) for notice, _, _ in rows] for name in _NOTICE
    }
    return {
        **columns,
        "user_id": [person.id for _, person, _ in rows],
        "unit_id": [person.unit_id for _, person, _ in rows],
        "send_at": [at for _, _, at in rows],
        "now": now,
    }


def _people(unit_ids: Collection[int]) -> dict[int, list[_Person]]:
    """The staff of these units with how they want to be told."""
    found: dict[int, list[_Person]] = {}
    rows = session().execute(
        select(
            User.id,
            User.unit_id,
            User.roles,
            Unit.division_code,
            func.coalesce(NotificationPreference.daily_digest, False),
            NotificationPreference.quiet_from,
            NotificationPreference.quiet_until,
        )
        .join(Unit, Unit.id == User.unit_id)
        .outerjoin(NotificationPreference, NotificationPreference.user_id == User.id)
        .where(User.unit_id.in_(unit_ids), User.enabled)
        .order_by(User.id)
    )
    for row in rows:
        found.setdefault(row.unit_id, []).append(_Person(*row))
    return found


def _recipients(notice: Notice, people: dict[int, list[_Person]]) -> Iterable[_Person]:
    """Each person once."""
    found = {}
    for to in notice.to:
        for person in people.get(to.unit_id, ()):
            named = to.person_id == person.id
            if named or not to.roles.isdisjoint(implied(person.roles)):
                found[person.id] = person
    return found.values()


class _When:
    """The moment at which the hook may have a notification; None where there is no hook."""

    def __init__(self, hooks: dict[str, NotificationHook], edition: Edition, now: datetime) -> None:
        self.hooks, self.edition, self.now = hooks, edition, now
        self.known: dict[tuple[str, int], datetime | None] = {}

    def send_at(self, kind: str, person: _Person) -> datetime | None:
        if not self.hooks:
            return None
        key = (kind, person.id)
        if key not in self.known:
            self.known[key] = self._computed(kind, person)
        return self.known[key]

    def _computed(self, kind: str, person: _Person) -> datetime | None:
        hook = queries.hook_for(person.division_code, self.hooks)
        if hook is None:
            return None
        quiet = Quiet(hook.quiet_from, hook.quiet_until)
        if person.quiet_from is not None and person.quiet_until is not None:
            quiet = Quiet(person.quiet_from, person.quiet_until)
        calendar = calendars.of(person.division_code, self.edition)
        return send_at(kind, self.now, quiet, calendar, daily=person.daily)
