"""Who does the work of a lane. A room registers its function; the scheduler looks the lanes up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Item:
    """A claimed row, as the one who works on it sees it. `attempts` counts this attempt too."""

    shard: int
    id: int
    lane: str
    dedup_key: str
    business_key: str | None
    dest: str
    due_at: datetime
    attempts: int
    max_attempts: int
    payload: Any


Work = Callable[[Item, datetime], None]
"""Takes effect in the transaction that claimed the item; looks again whether it is still right."""


@dataclass(frozen=True)
class Lane:
    """A kind of background work: items in one transaction are `batch`."""

    name: str
    work: Work
    batch: int


_lanes: dict[str, Lane] = {}


def lane(name: str, *, batch: int = 50) -> Callable[[Work], Work]:
    """Register the function of a database lane: its whole effect is rows in our own database.

    Work that talks to the network does not belong here; it takes leases (`services.lease`).
    """

    def register(work: Work) -> Work:
        known = _lanes.get(name)
        if known is not None and known.work is not work:
            raise ValueError(f"lane {name!r} has a function already: {known.work.__qualname__}")
        _lanes[name] = Lane(name, work, batch)
        return work

    return register


def lane_named(name: str) -> Lane:
    """The lane of that name; KeyError when nobody registered it."""
    return _lanes[name]


def lanes() -> list[Lane]:
    """All database lanes, by name."""
    return sorted(_lanes.values(), key=lambda each: each.name)
