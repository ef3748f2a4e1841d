"""Planted bugs: the sweep must find them, or it proves nothing. Applied in a child process only."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from app import scheduler
from app.api import staff
from app.core.db import session
from app.deadlines import enforcement
from app.exchange import outbox, partners
from app.workqueue import services as workqueue

Mutant = Callable[[], None]
_LOCKS = re.compile(r" FOR UPDATE( OF [\w, ]+)?( SKIP LOCKED| NOWAIT)?")


def send_after_the_commit() -> None:
    """The classic dual write: the outgoing message has its own transaction, after the state's."""
    waiting: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    honest_send, honest_transact = outbox.send, staff.transact

    def send(partner: Any, *args: Any, **kwargs: Any) -> None:
        waiting.append((partner.app_id, args, kwargs))

    def transact(work: Callable[[], Any]) -> Any:
        waiting.clear()
        result = honest_transact(work)
        for app_id, args, kwargs in list(waiting):
            honest_transact(
                lambda a=app_id, g=args, k=kwargs: honest_send(partners.by_app_id(a), *g, **k)
            )
        return result

    outbox.send = send
    staff.transact = transact


def finish_before_the_step() -> None:
    """A time limit's work item is finished in a transaction of its own, before its step."""

    def enforce_due(now: datetime) -> int:
        items = workqueue.claim(enforcement.LANE, enforcement.BATCH)
        workqueue.mark_done(items)
        session().commit()
        enforcement._enforce(items, now)
        return len(items)

    scheduler.enforce_due = enforce_due


def lock_nothing() -> None:
    """Every SELECT loses its FOR UPDATE: claims, leases, instances and tasks are read unlocked."""

    def unlocked(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        return _LOCKS.sub("", statement), parameters

    event.listen(Engine, "before_cursor_execute", unlocked, retval=True)
