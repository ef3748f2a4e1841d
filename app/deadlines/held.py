"""Rows of clocks while they are locked: plain objects, each table written by one statement.

Every step of every ticket moves its clock, and mapped objects cost there more than the statements.
The models of the same tables are for those who only read.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, Table, any_, bindparam, insert, select, update

from app.core.db import send, table_of
from app.deadlines import models
from app.deadlines.editions import NUMBERS
from app.deadlines.models import OPEN_STATES


@dataclass
class _Held:
    """A row with what it was when it was last read or written: only changes are written."""

    _was: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether it has not been written yet."""
        return not self._was

    def keep(self) -> None:
        """Note that it is as it was read or written."""
        self._was = self.values()

    def values(self) -> dict[str, Any]:
        """Its columns."""
        return {name: value for name, value in vars(self).items() if name != "_was"}

    def changes(self) -> dict[str, Any]:
        """The columns whose row says something else by now; none where there is no row yet."""
        was = self._was
        return {k: value for k, value in vars(self).items() if k in was and was[k] != value}

    def has_changed(self, *names: str) -> bool:
        """Whether one of these columns has; all of a new row have."""
        return self.is_new or any(self._was[name] != getattr(self, name) for name in names)


@dataclass
class ClockRow(_Held):
    """The clock of a ticket (时钟): see `models.TicketClock`."""

    ticket_id: int
    business_key: str
    division_code: str
    facts: dict[str, Any]
    policy: str
    round: int
    extension_asked_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass
class DeadlineRow(_Held):
    """A due date (时限): see `models.Deadline`. A new one has the id 0 until it is written."""

    id: int
    ticket_id: int
    round: int
    stage: str
    task_id: UUID | None
    unit_id: int | None
    state: str
    limit: str | None
    basis: str
    law: str
    policy: str
    calendar: int
    facts: dict[str, Any]
    start_at: datetime
    due_at: datetime
    yellow_at: datetime
    orange_at: datetime
    provisional: bool
    squeezed: bool
    granted: list[str]
    paused: timedelta
    light: str
    generation: int
    not_before: datetime | None = None
    paused_at: datetime | None = None
    closed_at: datetime | None = None
    on_time: bool | None = None

    @property
    def is_open(self) -> bool:
        """Whether it runs or stands still."""
        return self.state in OPEN_STATES


_Row = TypeVar("_Row", bound=_Held)


def lock(ticket_id: int) -> tuple[ClockRow, list[DeadlineRow], Sequence[int]] | None:
    """Lock a clock; with it come the deadlines of its round, oldest first, and `NUMBERS`.

    Where it waited for the lock, lights are still those of before: see `read_lights`.
    """
    found = send(_LOCK_WITH_ROUND, {"of": ticket_id}).all()
    if not found:
        return None
    rows = [_kept(DeadlineRow(*row[_CLOCK:_BOTH])) for row in found if row[_CLOCK] is not None]
    return _kept(ClockRow(*found[0][:_CLOCK])), rows, found[0][_BOTH:]


def lock_running(ticket_ids: Collection[int]) -> list[ClockRow]:
    """Lock the clocks of these tickets that have not ended, in one order for everybody."""
    return [_kept(ClockRow(*row)) for row in send(_LOCK_RUNNING, {"these": list(ticket_ids)})]


def deadlines(ids: Collection[int]) -> list[DeadlineRow]:
    """Deadlines whose clocks the caller has locked."""
    return [_kept(DeadlineRow(*row)) for row in send(_SOME, {"these": list(ids)})]


def of_rounds(clocks: Collection[ClockRow]) -> list[DeadlineRow]:
    """The deadlines of the rounds of these clocks, which the caller has locked; oldest first."""
    these = {"these": [each.ticket_id for each in clocks]}
    return [_kept(DeadlineRow(*row)) for row in send(_OF_ROUNDS, these)]


def read_lights(rows: Iterable[DeadlineRow]) -> None:
    """Read again the lights that a scheduler may have turned until the clock was locked."""
    known = {row.id: row for row in rows if not row.is_new}
    for deadline_id, light in send(_LIGHTS, {"these": list(known)}):
        known[deadline_id].light = known[deadline_id]._was["light"] = light


def write_clocks(rows: Collection[ClockRow]) -> None:
    """Write the clocks that have changed or are new."""
    fresh = [row for row in rows if row.is_new]
    if fresh:
        send(_ADD_CLOCKS, [row.values() for row in fresh])
        for row in fresh:
            row.keep()
    _write_changes(_CLOCKS, "ticket_id", rows)


def write_deadlines(rows: Collection[DeadlineRow]) -> None:
    """Write the deadlines that have changed or are new; those get their ids.

    One by one: two in a statement have too many values for the driver to remember how it read it.
    """
    _write_changes(_DEADLINES, "id", rows)
    for row in rows:
        if row.is_new:
            values = row.values()
            del values["id"]
            row.id = send(_ADD_DEADLINE, values).scalar_one()
            row.keep()


def write_events(values: list[dict[str, Any]]) -> None:
    """Write down what happened to deadlines."""
    if values:
        send(_ADD_EVENTS, values)


def _write_changes(table: Table, key: str, rows: Iterable[_Held]) -> None:
    """A statement for each set of columns that have changed; mostly there is one."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if changes := row.changes():
            alike.setdefault(tuple(changes), []).append({"of": getattr(row, key), **changes})
            row.keep()
    for values in alike.values():
        send(_UPDATES[table], values)


def _kept(row: _Row) -> _Row:
    row.keep()
    return row


def _columns(table: Table, of: type[_Held]) -> list[Column[Any]]:
    return [table.c[each.name] for each in fields(of) if each.init]


# Built once, and on the tables themselves.
_CLOCKS, _DEADLINES = table_of(models.TicketClock), table_of(models.Deadline)
_THESE = bindparam("these", type_=ARRAY(BigInteger))
_CLOCK_COLUMNS = _columns(_CLOCKS, ClockRow)
_DEADLINE_COLUMNS = _columns(_DEADLINES, DeadlineRow)
_CLOCK = len(_CLOCK_COLUMNS)
_BOTH = _CLOCK + len(_DEADLINE_COLUMNS)
_OF_ROUND = (_DEADLINES.c.ticket_id == _CLOCKS.c.ticket_id) & (
    _DEADLINES.c.round == _CLOCKS.c.round
)
_LOCK_WITH_ROUND = (
    select(*_CLOCK_COLUMNS, *_DEADLINE_COLUMNS, *NUMBERS)
    .select_from(_CLOCKS.outerjoin(_DEADLINES, _OF_ROUND))
    .where(_CLOCKS.c.ticket_id == bindparam("of"))
    .order_by(_DEADLINES.c.id)
    .with_for_update(of=_CLOCKS)
)
_LOCK_RUNNING = (
    select(*_CLOCK_COLUMNS)
    .where(_CLOCKS.c.ticket_id == any_(_THESE), _CLOCKS.c.closed_at.is_(None))
    .order_by(_CLOCKS.c.ticket_id)
    .with_for_update()
)
_SOME = select(*_DEADLINE_COLUMNS).where(_DEADLINES.c.id == any_(_THESE))
_OF_ROUNDS = (
    select(*_DEADLINE_COLUMNS)
    .join(_CLOCKS, _OF_ROUND)
    .where(_CLOCKS.c.ticket_id == any_(_THESE))
    .order_by(_DEADLINES.c.id)
)
_LIGHTS = select(_DEADLINES.c.id, _DEADLINES.c.light).where(_DEADLINES.c.id == any_(_THESE))
_ADD_CLOCKS, _ADD_EVENTS = insert(_CLOCKS), insert(table_of(models.DeadlineEvent))
_ADD_DEADLINE = insert(_DEADLINES).returning(_DEADLINES.c.id)
_UPDATES = {
    table: update(table).where(key == bindparam("of"))
    for table, key in ((_CLOCKS, _CLOCKS.c.ticket_id), (_DEADLINES, _DEADLINES.c.id))
}
