"""The simulator's memory: a JSON object a line, appended and synced, read again at a restart."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any

import orjson


@dataclass
class Received:
    """A message from the platform that was applied; `deliveries` counts it with its repeats."""

    no: int
    at: str
    operation: str
    key: str
    digest: str
    receipt_no: str
    body: dict[str, Any]
    deliveries: int = 1
    decisions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Submitted:
    """A ticket that was submitted to the platform, and its answer."""

    no: int
    at: str
    title: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class FollowedUp:
    """What was sent after a ticket, or to announce a call, and the platform's answer."""

    no: int
    at: str
    title: str
    acceptance_no: str
    values: dict[str, str]
    status: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """A delivery that was not applied, and why."""

    at: str
    operation: str
    status: int
    reason: str


class KeyReused(Exception):
    """The same Idempotency-Key came with another body."""


class Journal:
    """All that happened, in order. One process only; an append is on the disk before it counts."""

    def __init__(self, path: Path, receipt_prefix: str) -> None:
        self._prefix = receipt_prefix
        self._lock = RLock()
        self._by_key: dict[str, Received] = {}
        self.received: list[Received] = []
        self.submitted: list[Submitted] = []
        self.followed_up: list[FollowedUp] = []
        self.refused: list[Refused] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in self._intact_lines(path):
            self._apply(line)
        self._file = path.open("ab")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def receive(
        self, operation: str, key: str, digest: str, body: Mapping[str, Any], at: datetime
    ) -> tuple[Received, bool]:
        """Apply a delivery once per key: (message, was it a repeat). KeyReused on another body."""
        with self._lock:
            known = self._by_key.get(key)
            if known is not None:
                if known.digest != digest:
                    raise KeyReused
                self._append({"kind": "repeated", "key": key, "at": at.isoformat()})
                return known, True
            no = len(self.received) + 1
            self._append(
                {
                    "kind": "received",
                    "no": no,
                    "at": at.isoformat(),
                    "operation": operation,
                    "key": key,
                    "digest": digest,
                    "receipt_no": f"{self._prefix}-{at:%Y%m%d}-{no:06d}",
                    "body": dict(body),
                }
            )
            return self._by_key[key], False

    def refuse(self, operation: str, status: int, reason: str, at: datetime) -> None:
        """Note a delivery that was not applied."""
        with self._lock:
            self._append(
                {
                    "kind": "refused",
                    "at": at.isoformat(),
                    "operation": operation,
                    "status": status,
                    "reason": reason,
                }
            )

    def submit(
        self,
        title: str,
        body: Mapping[str, Any],
        status: int,
        answer: Mapping[str, Any],
        at: datetime,
    ) -> Submitted:
        """Note what was submitted to the platform and what it answered."""
        with self._lock:
            self._append(
                {
                    "kind": "submitted",
                    "no": len(self.submitted) + 1,
                    "at": at.isoformat(),
                    "title": title,
                    "body": dict(body),
                    "status": status,
                    "answer": dict(answer),
                }
            )
            return self.submitted[-1]

    def follow_up(
        self,
        title: str,
        acceptance_no: str,
        values: Mapping[str, str],
        status: int,
        answer: Mapping[str, Any],
        at: datetime,
    ) -> None:
        """Note what was sent after a ticket."""
        with self._lock:
            self._append(
                {
                    "kind": "followed_up",
                    "no": len(self.followed_up) + 1,
                    "at": at.isoformat(),
                    "title": title,
                    "acceptance_no": acceptance_no,
                    "values": dict(values),
                    "status": status,
                    "answer": dict(answer),
                }
            )

    def decide(self, no: int, decision: Mapping[str, Any], at: datetime) -> None:
        """Note a decision on a received request."""
        with self._lock:
            self._append({"kind": "decided", "no": no, "at": at.isoformat(), **decision})

    def message(self, no: int) -> Received | None:
        """A received message by number."""
        return self.received[no - 1] if 0 < no <= len(self.received) else None

    def sent_after(self, acceptance_no: str) -> list[FollowedUp]:
        """What was sent after this ticket, newest first."""
        with self._lock:
            return [f for f in reversed(self.followed_up) if f.acceptance_no == acceptance_no]

    def cancellation_of(self, request: Received) -> Received | None:
        """The message that took this request back (申请撤销), if one came."""
        number = request.body.get("request_no")
        with self._lock:
            return next(
                (
                    message
                    for message in self.received
                    if message.operation == "request-cancellations"
                    and message.body.get("request_no") == number
                ),
                None,
            )

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        kind = line.pop("kind")
        if kind == "received":
            message = Received(**line)
            self.received.append(message)
            self._by_key[message.key] = message
        elif kind == "repeated":
            self._by_key[line["key"]].deliveries += 1
        elif kind == "submitted":
            self.submitted.append(Submitted(**line))
        elif kind == "followed_up":
            self.followed_up.append(FollowedUp(**line))
        elif kind == "refused":
            self.refused.append(Refused(**line))
        elif kind == "decided":
            self.received[line["no"] - 1].decisions.append(line)

    @staticmethod
    def _intact_lines(path: Path) -> Iterator[dict[str, Any]]:
        """The lines of an earlier run; a last line torn by a crash was never answered: cut."""
        if not path.exists():
            return
        raw = path.read_bytes()
        end = raw.rfind(b"\n") + 1
        if end < len(raw):
            with path.open("r+b") as file:
                file.truncate(end)
        for line in raw[:end].splitlines():
            yield orjson.loads(line)
