"""Planted bugs: the sweep must find them, or it proves nothing. Applied in a child process only."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.postgresql.base import PGCompiler

from app.api import staff
from app.exchange import outbox, partners

Mutant = Callable[[], None]


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


def lock_nothing() -> None:
    """Every SELECT loses its FOR UPDATE: claims, leases, instances and tasks are read unlocked."""

    def no_clause(_self: PGCompiler, _select: Any, **_: Any) -> str:
        return ""

    PGCompiler.for_update_clause = no_clause
