"""Acceptance numbers (受理编号): `TT PPPPPP YYYYMMDD NNNNN C`, 22 characters (REQUIREMENTS 3.5)."""

import secrets
from datetime import date, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from stdnum.iso7064 import mod_37_36

from app.core.clock import BEIJING
from app.core.db import send, table_of
from app.tickets.models import NumberCounter
from app.tickets.types import TICKET_TYPES

_COUNTERS = table_of(NumberCounter)
_NEXT = (
    insert(_COUNTERS)
    .on_conflict_do_update(
        index_elements=[_COUNTERS.c.prefix, _COUNTERS.c.day],
        set_={"value": _COUNTERS.c.value + 1},
    )
    .returning(_COUNTERS.c.value)
)


def acceptance_number(ticket_type: str, division_code: str, now: datetime) -> str:
    """The next number of this type, province (or city) and day in Beijing."""
    return next_number(TICKET_TYPES[ticket_type].prefix, division_code, now)


def next_number(kind: str, division_code: str, now: datetime) -> str:
    """The next number that begins with these two letters.

    The counter row stays locked until the commit, so numbers are never given twice; gaps may be.
    """
    day = now.astimezone(BEIJING).date()
    prefix = f"{kind}{division_code[:6]}"
    return compose(prefix, day, next_value(prefix, day))


def next_value(prefix: str, day: date) -> int:
    """The next value of a counter, which stays locked until the commit."""
    value: int = send(_NEXT, {"prefix": prefix, "day": day, "value": 1}).scalar_one()
    return value


def compose(prefix: str, day: date, number: int) -> str:
    """The number with its ISO 7064 MOD 37,36 check character; beyond 99,999 a day it widens."""
    body = f"{prefix}{day:%Y%m%d}{number:05d}"
    return body + mod_37_36.calc_check_digit(body)


def ranges_of(division_code: str, day: date) -> list[tuple[str, str]]:
    """The numbers of a province's day, as half-open ranges in rising order, one a kind of number.

    The day stands in the number, so the unique index of numbers finds the tickets of a day.
    """
    kinds = sorted({row.prefix for row in TICKET_TYPES.values()})
    days = [f"{each:%Y%m%d}" for each in (day, day + timedelta(days=1))]
    return [
        (f"{kind}{division_code[:6]}{days[0]}", f"{kind}{division_code[:6]}{days[1]}")
        for kind in kinds
    ]


def is_well_formed(number: str) -> bool:
    """Whether the check character fits: a typing slip is seen before anybody searches."""
    return 22 <= len(number) <= 24 and bool(mod_37_36.is_valid(number))


def query_code() -> str:
    """Six random digits the citizen needs beside the number (查询码)."""
    return f"{secrets.randbelow(1_000_000):06d}"
