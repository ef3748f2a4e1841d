"""Which edition of the calendars and of the policies is in force, by one statement.

Every process keeps what it has read under these numbers, so that a change reaches all nodes with
their next transaction and nothing is read twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select

from app.core.db import session
from app.deadlines.models import CalendarChange, PolicyVersion

NUMBERS = tuple(
    select(number).scalar_subquery()
    for table in (CalendarChange, PolicyVersion)
    for number in (func.coalesce(func.max(table.id), 0), func.count(table.id))
)
"""Columns for a statement that asks for something else too."""
_CURRENT = select(*NUMBERS)


class Edition(NamedTuple):
    """The last change and how many there are: two may be committed in the other order."""

    last: int
    changes: int


UNCHANGED = Edition(0, 0)
"""Nobody has edited anything: the product's own."""


@dataclass(frozen=True)
class Editions:
    """Those of the calendars and of the policies."""

    calendar: Edition
    policy: Edition


def current() -> Editions:
    """The editions this transaction sees."""
    return of(session().execute(_CURRENT).one())


def of(numbers: Sequence[int]) -> Editions:
    """The editions from the values of `NUMBERS`."""
    return Editions(Edition(*numbers[:2]), Edition(*numbers[2:]))
