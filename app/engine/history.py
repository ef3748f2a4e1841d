"""The append-only history (流程轨迹) of one turn: numbered under the lock, written once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.core.db import send, table_of
from app.engine.models import ProcessEvent
from app.engine.registry import SYSTEM, Actor

_ADD = insert(table_of(ProcessEvent))
_BY_PERSON = frozenset({"user", "started", "cancelled"})


class History:
    """The events of one turn; `seq` is the last number given, without gaps."""

    def __init__(self, instance_id: int, seq: int, actor: Actor, now: datetime) -> None:
        self.seq = seq
        self.rows: list[dict[str, Any]] = []
        self._instance_id = instance_id
        self._actor = actor
        self._now = now

    def note(
        self,
        kind: str,
        element_id: str,
        name: str,
        *,
        task_id: UUID | None = None,
        decision: dict[str, Any] | None = None,
        started_at: datetime | None = None,
        by_actor: bool = False,
    ) -> None:
        """Add an event; what a person did carries the person, the rest is the system's.

        `by_actor`: the actor of the turn sent this message.
        """
        self.seq += 1
        actor = self._actor if by_actor or kind in _BY_PERSON else SYSTEM
        took = None if started_at is None else int((self._now - started_at).total_seconds())
        self.rows.append(
            {
                "instance_id": self._instance_id,
                "seq": self.seq,
                "at": self._now,
                "kind": kind,
                "element_id": element_id,
                "element_name": name,
                "task_id": task_id,
                "actor_id": actor.id,
                "actor_name": actor.name,
                "unit_id": actor.unit_id,
                "decision": decision,
                "duration_s": None if took is None else max(took, 0),
            }
        )

    def write(self) -> None:
        """Insert what was noted; a timer found not due yet by this node's clock leaves nothing."""
        if self.rows:
            send(_ADD, self.rows)
