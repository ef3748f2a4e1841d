"""What was measured: figures with their goals, and how they are shown."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A limit on one value of a figure; exactly one of `most` and `least` is set."""

    key: str
    most: float | None = None
    least: float | None = None

    def met_by(self, values: Mapping[str, float]) -> bool:
        """Whether the value is on the right side."""
        value = values[self.key]
        return value <= self.most if self.most is not None else value >= (self.least or 0)

    def __str__(self) -> str:
        name, unit = NAMES[self.key]
        if self.most == 0:
            return f"no {name}"
        sign, limit = ("≤", self.most) if self.most is not None else ("≥", self.least)
        return f"{name} {sign} {limit:,g}{unit}"


NAMES = {
    "median_ms": ("median", " ms"),
    "p95_ms": ("p95", " ms"),
    "p99_ms": ("p99", " ms"),
    "per_second": ("", "/s"),
    "per_minute": ("", "/min"),
    "max_ms": ("slowest", " ms"),
    "errors": ("errors", ""),
    "duplicates": ("duplicates", ""),
    "mb": ("", " MB"),
    "blocks": ("", " blocks read"),
}


@dataclass(frozen=True)
class Figure:
    """One line of the table, of one run."""

    what: str
    values: dict[str, float]
    goals: tuple[Goal, ...] = ()
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether every goal is met; None when it has none."""
        return all(goal.met_by(self.values) for goal in self.goals) if self.goals else None

    def as_json(self) -> dict[str, Any]:
        """What is stored in the results."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Figure":
        """A stored figure."""
        goals = tuple(Goal(**goal) for goal in stored["goals"])
        return cls(stored["what"], dict(stored["values"]), goals, stored["note"])


@dataclass
class Load:
    """What the clients saw, and what it cost the machine."""

    spent_ms: list[float] = field(default_factory=list)
    seconds: float = 0
    errors: int = 0
    client_cpu_s: float = 0
    web_cpu_s: float = 0
    database_cpu_s: float = 0

    def values(self) -> dict[str, float]:
        """Latencies, rate, and CPU milliseconds a request."""
        count = len(self.spent_ms)
        per_request = 1000 / count
        return {
            **latencies(self.spent_ms),
            "per_second": round(count / self.seconds, 1),
            "errors": self.errors,
            "web_cpu_ms": round(self.web_cpu_s * per_request, 2),
            "database_cpu_ms": round(self.database_cpu_s * per_request, 2),
            "client_cpu_ms": round(self.client_cpu_s * per_request, 2),
        }


def latencies(spent_ms: Sequence[float]) -> dict[str, float]:
    """Count, median, p95, p99 and the slowest, of milliseconds."""
    cuts = statistics.quantiles(spent_ms, n=100, method="inclusive")
    return {
        "count": len(spent_ms),
        "median_ms": round(statistics.median(spent_ms), 2),
        "p95_ms": round(cuts[94], 2),
        "p99_ms": round(cuts[98], 2),
        "max_ms": round(max(spent_ms), 2),
    }
