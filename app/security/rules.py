"""When too many failed sign-ins lock an account or an address (SEC-10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES = 5
WINDOW = timedelta(minutes=30)
"""Failures count together while they are closer than this, and a lock lasts as long."""


@dataclass(frozen=True)
class Strikes:
    """Failed sign-ins of one account or one address."""

    failures: int = 0
    since: datetime | None = None
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether sign-ins are refused at this moment, right password or not."""
        return self.locked_until is not None and now < self.locked_until

    def after_failure(self, now: datetime) -> "Strikes":
        """The strikes after one more failure; old ones and an ended lock are forgotten."""
        fresh = self.since is None or now - self.since >= WINDOW or self.locked_until is not None
        failures = 1 if fresh else self.failures + 1
        since = now if fresh else self.since
        return Strikes(failures, since, now + WINDOW if failures >= FAILURES else None)
