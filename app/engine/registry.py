"""What diagrams may name: handlers of service tasks, forms of user tasks, messages, observers.

`factory` imports `app.handlers`, whose decorators fill these tables; no room imports a handler.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema

from app.engine.scalars import Scalar

Variables = dict[str, Scalar]

OVERDUE = "overdue."
"""Messages that a time limit is over (超时): this and the deadline key of the task, or of a limit
that no task has. They are raised by the platform and drawn on the border of activities."""
_OVERDUE_KEYS = frozenset({"overdue_id"})


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, or the system with `id` None."""

    id: int | None
    name: str
    unit_id: int | None = None
    position: str = ""
    phone: str = ""


SYSTEM = Actor(None, "系统")


@dataclass(frozen=True)
class Step:
    """One run of a service-task handler (a step): where it is and what it may read."""

    process_key: str
    business_key: str
    operation: str
    """The handler's name, as the diagram gives it."""
    params: Mapping[str, Any]
    data: Mapping[str, Any]
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class Submission:
    """A user task that a person is completing: `values` is what the form's schema loaded."""

    process_key: str
    business_key: str
    task_id: UUID
    element_id: str
    unit_id: int | None
    values: dict[str, Any]
    data: Mapping[str, Any]
    actor: Actor
    now: datetime
    ends: dict[UUID, Variables] = field(default_factory=dict)
    """Other open tasks that this decision makes void, with what the diagram then reads: the form
    adds them, they end as `cancelled`."""


@dataclass(frozen=True)
class Form:
    """A form (表单) a user task names: `schema` validates, `accept` writes the business rows."""

    key: str
    schema: Schema
    accept: Callable[[Submission], Variables]


@dataclass(frozen=True)
class HeldTask:
    """What completing a user task asks about it, its row being locked."""

    business_key: str
    element_id: str
    form: str | None
    role: str | None
    unit_id: int | None
    assignee_id: int | None
    assignee_name: str | None
    state: str
    version: int
    closed_by: int | None
    closed_by_name: str | None


@dataclass
class NewTask:
    """A user task that opens: its row is written when the observers have seen it."""

    id: UUID
    instance_id: int
    process_key: str
    business_key: str
    element_id: str
    name: str
    lane: str | None
    role: str | None
    form: str | None
    deadline_key: str | None
    unit_id: int | None
    opened_at: datetime
    due_at: datetime | None
    yellow_at: datetime
    orange_at: datetime
    sort_at: datetime


@dataclass
class Change:
    """What one action did to an instance, told to the observers in the same transaction.

    `opened` are about to be written: an observer may set their moments. `done` and `cancelled`
    are the tasks that ended. `standing` is what the diagram says of the matter's state (property
    `status`): of the elements that wait, the newest last, or of the ends when it has ended.
    """

    process_key: str
    business_key: str
    status: str
    opened: list[NewTask]
    standing: list[str]
    done: frozenset[UUID]
    cancelled: frozenset[UUID]
    data: Mapping[str, Any]
    actor: Actor
    now: datetime


Handler = Callable[[Step], Variables | None]
Observer = Callable[[Change], None]

_handlers: dict[str, Handler] = {}
_forms: dict[str, Form] = {}
_observers: dict[str, list[Observer]] = {}
_messages: dict[str, frozenset[str]] = {}
_about: dict[str, str] = {}


def handler(name: str) -> Callable[[Handler], Handler]:
    """Register the function a service task calls by `name`, e.g. `delegation.assign_unit`.

    The function returns only flat values that a later gateway reads, and is safe to run twice.
    """

    def register(function: Handler) -> Handler:
        if name in _handlers and _handlers[name] is not function:
            raise ValueError(f"handler {name} is registered twice")
        _handlers[name] = function
        return function

    return register


def form(
    key: str, schema: type[Schema]
) -> Callable[[Callable[[Submission], Variables]], Callable[[Submission], Variables]]:
    """Register the form `key`: the function writes the rows and returns flat variables."""

    def register(accept: Callable[[Submission], Variables]) -> Callable[[Submission], Variables]:
        _forms[key] = Form(key, schema(), accept)
        return accept

    return register


def observer(process_key: str) -> Callable[[Observer], Observer]:
    """Register a function told of every change of an instance of this process."""

    def register(function: Observer) -> Observer:
        _observers.setdefault(process_key, []).append(function)
        return function

    return register


def message(name: str, *keys: str, about: str | None = None) -> None:
    """Declare a message and the only payload keys that may enter the process variables.

    Several elements may wait for it at once. The one that has waited longest gets it, or with
    `about` the one that sees that variable with the value the message carries: where nothing does,
    what the message is about is over.
    """
    _messages[name] = frozenset(keys)
    if about is not None:
        _about[name] = about


def handler_named(name: str) -> Handler:
    """The handler, or KeyError (the publish gate refuses unknown names before that)."""
    return _handlers[name]


def form_named(key: str) -> Form | None:
    """The form, or None for a task without one."""
    return _forms.get(key)


def form_key(properties: Mapping[str, str], data: Mapping[str, Any]) -> str | None:
    """The form of a user task; `variant` names the variable whose value picks one of a family.

    `form` ticket.investigate with `variant` ticket_type is ticket.investigate.complaint where the
    variable says so. A value without a form is an error: the task could not be done by anybody.
    """
    form = properties.get("form")
    if form is None or "variant" not in properties:
        return form
    key = f"{form}.{data[properties['variant']]}"
    if key not in _forms:
        raise LookupError(f"there is no form {key}")
    return key


def observers_of(process_key: str) -> list[Observer]:
    """The observers of one process."""
    return _observers.get(process_key, [])


def message_keys(name: str) -> frozenset[str] | None:
    """Payload keys of a declared message; None when the message was never declared."""
    return _OVERDUE_KEYS if name.startswith(OVERDUE) else _messages.get(name)


def handler_names() -> frozenset[str]:
    """All registered handlers."""
    return frozenset(_handlers)


def form_keys() -> frozenset[str]:
    """All registered forms."""
    return frozenset(_forms)


def about(name: str) -> str | None:
    """The variable by which a message finds its element; None where any that waits will do."""
    return _about.get(name)


def message_names() -> frozenset[str]:
    """All declared messages."""
    return frozenset(_messages)
