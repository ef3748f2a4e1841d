"""Who may do which task: the unit's staff with the task's role."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select

from app.core.db import session
from app.core.errors import NotAllowed
from app.engine.errors import TaskAlreadyDone, UnknownTask
from app.engine.models import UserTask
from app.engine.registry import Actor, HeldTask
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.rules import STATES


def actor_of(principal: Principal) -> Actor:
    """The engine's view of a person."""
    return Actor(
        principal.user_id,
        principal.display_name,
        principal.unit_id,
        principal.position,
        principal.phone,
    )


def may_do(principal: Principal, task: UserTask) -> bool:
    """Whether the task belongs to this person's unit and role."""
    return (task.unit_id is None or task.unit_id == principal.unit_id) and (
        task.role is None or task.role in principal.roles
    )


def guard(principal: Principal) -> Callable[[UserTask | HeldTask], None]:
    """A check for the engine: another unit's task does not exist, another role's is refused."""

    def check(task: UserTask | HeldTask) -> None:
        if task.unit_id is not None and task.unit_id != principal.unit_id:
            raise UnknownTask
        if task.role is not None and task.role not in principal.roles:
            raise NotAllowed("您的岗位不能办理此环节", "ROLE_REQUIRED")

    return check


@contextmanager
def telling_state() -> Iterator[None]:
    """Around what people do with a task: of one that is done, say where its ticket is (EX-17)."""
    try:
        yield
    except TaskAlreadyDone as refusal:
        numbered = select(Ticket.status).where(Ticket.acceptance_no == refusal.business_key)
        if (status := session().scalar(numbered)) is not None:
            refusal.details["current_state"] = status
            refusal.message = f"{refusal.who}，工单当前为“{STATES[status]}”"
        raise
