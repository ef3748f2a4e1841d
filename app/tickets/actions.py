"""What people may do with a ticket at any time (随时操作): 催办, 延期, 收回 and the like.

An action is a form that raises an event into the ticket's diagram. The ticket page and the staff
API offer what is registered here; modules of `app.handlers` register with `@action`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from marshmallow import Schema

from app.core.db import session
from app.core.errors import NotAllowed
from app.engine import queries as engine
from app.engine import runner
from app.engine.registry import Actor, Variables
from app.engine.scalars import Scalar
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.access import actor_of
from app.tickets.models import Ticket
from app.tickets.services import moved_on


@dataclass(frozen=True)
class Request:
    """Somebody does something with a ticket: `values` is what the schema loaded."""

    ticket: Ticket
    values: dict[str, Any]
    principal: Principal
    now: datetime
    id: UUID = field(default_factory=uuid4)
    """Chosen by who asks: the same one again does nothing a second time."""

    @property
    def actor(self) -> Actor:
        """The engine's view of the person."""
        return actor_of(self.principal)

    def tell(
        self,
        name: str,
        payload: dict[str, Scalar],
        ends: Mapping[UUID, Variables] | None = None,
    ) -> None:
        """Raise the event in the ticket's diagram at once; StateConflict when nothing waits.

        `ends` are open tasks that it makes void.
        """
        state = runner.deliver_message(
            self.message_id,
            name,
            self.ticket.acceptance_no,
            payload,
            now=self.now,
            actor=self.actor,
            ends=ends,
        )
        if state != "delivered":
            raise moved_on(self.ticket)

    @property
    def message_id(self) -> str:
        """Of the event that this raises."""
        return f"action:{self.id}"


@dataclass(frozen=True)
class Action:
    """One of them. `states` are those of the ticket in which it is possible."""

    key: str
    title: str
    schema: Schema
    permission: str
    states: frozenset[str]
    run: Callable[[Request], None]
    offered: Callable[[Principal, Ticket], bool]
    """Whether this person has a reason to see it: the holder extends, the upper level recalls."""
    pending: Callable[[Ticket], bool]
    """Whether it has been asked for and not been answered: then it is not offered once more."""
    icon: str = ""
    help: str = ""


ACTIONS: dict[str, Action] = {}


def action(
    key: str,
    title: str,
    schema: type[Schema],
    *,
    permission: str,
    states: frozenset[str],
    offered: Callable[[Principal, Ticket], bool] = lambda principal, ticket: True,
    pending: Callable[[Ticket], bool] = lambda ticket: False,
    icon: str = "",
    help: str = "",
) -> Callable[[Callable[[Request], None]], Callable[[Request], None]]:
    """Register what `key` does. The function writes the rows and raises the event."""

    def register(run: Callable[[Request], None]) -> Callable[[Request], None]:
        ACTIONS[key] = Action(
            key, title, schema(), permission, states, run, offered, pending, icon=icon, help=help
        )
        return run

    return register


def offered_to(principal: Principal, ticket: Ticket) -> list[Action]:
    """What this person may do with this ticket now, in the order of registration."""
    return [each for each in ACTIONS.values() if _is_possible(each, principal, ticket)]


def perform(each: Action, request: Request) -> None:
    """Do it, or refuse with the reason: not permitted, or not in this state (EX-17).

    A request whose event the diagram has taken already is a repeat and changes nothing.
    """
    if not may(request.principal, each.permission):
        raise NotAllowed
    runner.hold(request.ticket.acceptance_no)
    session().refresh(request.ticket)
    if engine.message_is_known(request.message_id):
        return
    if request.ticket.status not in each.states:
        raise moved_on(request.ticket)
    if not each.offered(request.principal, request.ticket):
        raise NotAllowed(f"您的单位目前不能对此工单{each.title}", "ACTION_NOT_YOURS")
    each.run(request)


def _is_possible(each: Action, principal: Principal, ticket: Ticket) -> bool:
    return (
        ticket.status in each.states
        and may(principal, each.permission)
        and each.offered(principal, ticket)
        and not each.pending(ticket)
    )
