"""The engine's verbs: start, complete_task, deliver_message, raise_event, fire_due, cancel.

Each is one turn of an instance inside the caller's transaction: lock the instance row, look the
action id up (a repeat gets the first answer), load, change, settle, prune, write the rows that
differ, save. The caller is an edge and commits once. An unexpected exception comes out as
`ActionFailed`, which `transact` turns into an incident after the rollback.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import send, session, table_of
from app.core.errors import Conflict
from app.engine import definitions, entry, registry, rows, turn
from app.engine.errors import (
    ActionIdReused,
    InstanceExists,
    StaleVersion,
    TaskAlreadyDone,
    TaskClaimed,
    UnknownTask,
)
from app.engine.models import (
    InboxMessage,
    Incident,
    ProcessAction,
    ProcessInstance,
    UserTask,
    WaitingMessage,
)
from app.engine.outcomes import Outcome
from app.engine.registry import Actor, HeldTask, Submission, Variables
from app.engine.turn import Turn

Authorise = Callable[[HeldTask], None]

# Every start and completion runs these; they are built once.
_INSTANCES, _TASKS = table_of(ProcessInstance), table_of(UserTask)
_ADD_INSTANCE = insert(_INSTANCES).on_conflict_do_nothing().returning(_INSTANCES.c.id)
_LOCK_WITH_TASK = (
    select(*turn.INSTANCE_COLUMNS, *rows.HELD_TASK)
    .select_from(_INSTANCES.join(_TASKS, _TASKS.c.instance_id == _INSTANCES.c.id))
    .where(_TASKS.c.id == bindparam("task_id"))
    .with_for_update(of=(_INSTANCES, _TASKS))  # locked in this order
)
_NEXT_WAITING = (
    select(WaitingMessage.instance_id)
    .join(
        InboxMessage,
        (InboxMessage.business_key == WaitingMessage.business_key)
        & (InboxMessage.name == WaitingMessage.name)
        & (InboxMessage.state == "pending"),
    )
    .join(ProcessInstance, ProcessInstance.id == WaitingMessage.instance_id)
    .where(
        ProcessInstance.status == "open",
        ~exists().where(
            Incident.instance_id == WaitingMessage.instance_id,
            Incident.action == "deliver_message",
            Incident.state == "open",
        ),
    )
    .order_by(InboxMessage.received_at)
    .limit(1)
)
_ACTIONS = table_of(ProcessAction)
_ANSWER = select(_ACTIONS.c.result).where(_ACTIONS.c.action_id == bindparam("action_id"))


def start(
    process_key: str,
    business_key: str,
    variables: Variables,
    *,
    actor: Actor,
    now: datetime,
    action_id: UUID | None = None,
) -> Outcome:
    """Start an instance of the published version. One per process and business key (else 409)."""
    if (known := _started(action_id, business_key)) is not None:
        return known
    entry.require_flat(variables)
    definition_id = definitions.published(process_key)
    instance_id = send(
        _ADD_INSTANCE,
        {
            "process_key": process_key,
            "business_key": business_key,
            "definition_id": definition_id,
            "status": "open",
            "version": 0,
            "event_seq": 0,
            "started_at": now,
        },
    ).scalar()
    if instance_id is None:
        # The same request, sent twice at once: the other has committed while we waited for its row.
        if (known := _started(action_id, business_key)) is not None:
            return known
        raise InstanceExists(business_key)
    request = {"variables": variables}
    with Turn.fresh(
        instance_id, process_key, business_key, definition_id, actor=actor, now=now
    ).guard("start", request) as this:
        this.begin(variables)
    return this.save("start", action_id)


def complete_task(
    task_id: UUID,
    values: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
    action_id: UUID | None = None,
    version: int | None = None,
    authorise: Authorise | None = None,
) -> Outcome:
    """Complete a user task with what the person entered.

    With a form, `values` pass its schema (Invalid names every field) and its `accept` function
    writes the business rows; without one they must be flat and become variables as they are.
    `authorise` sees the task's row before anything happens and raises to refuse. The loser of a
    race gets TaskAlreadyDone, which names who did it.
    """
    instance = send(_LOCK_WITH_TASK, {"task_id": task_id}).one_or_none()
    if instance is None:
        raise UnknownTask
    task = HeldTask(*instance[len(turn.INSTANCE_COLUMNS) :])
    if authorise is not None:
        authorise(task)
    # Of an open task there is no answer yet; an id that another action has used, `save` refuses.
    if action_id is not None and task.state != "open" and (known := _answered(action_id)):
        if known.instance_id != instance.id:
            raise ActionIdReused
        return known
    _refuse_stale(task, actor, version)
    form = registry.form_named(task.form) if task.form else None
    entered = entry.cleaned(form, values)
    request = {"task_id": str(task_id), "values": values}
    with Turn.locked(instance, actor=actor, now=now).guard(
        "complete_task", request, task.element_id
    ) as this:
        if form is None:
            this.complete(task_id, entered)
        else:
            submission = Submission(
                process_key=instance.process_key,
                business_key=instance.business_key,
                task_id=task_id,
                element_id=task.element_id,
                unit_id=task.unit_id,
                values=entered,
                data=this.data_of(task_id),
                actor=actor,
                now=now,
            )
            variables = form.accept(submission)
            entry.require_flat(variables)
            this.complete(task_id, variables)
            this.withdraw(submission.ends)
    return this.save("complete_task", action_id)


def deliver_message(
    message_id: str,
    name: str,
    business_key: str,
    payload: dict[str, Any],
    *,
    now: datetime,
    actor: Actor = registry.SYSTEM,
    ends: Mapping[UUID, Variables] | None = None,
) -> str:
    """Take a message in once and hand it to exactly one waiting element of the business key.

    Returns `delivered`, `pending` (nothing waits yet: it is kept and delivered when something
    does) or `unmatched` (the process has ended). A repeated id changes nothing and returns what
    became of the first. `ends` are open tasks that the message makes void.
    """
    payload = entry.allowed(name, payload)
    if not rows.note_message(message_id, name, business_key, payload, "pending", now):
        return rows.message_state(message_id) or "pending"
    instance = _lock_by_key(business_key, name)
    if instance is None:
        return "pending"
    if instance.status in {"completed", "cancelled"}:
        rows.mark_message(message_id, "unmatched", instance.id, now)
        return "unmatched"
    if not _somebody_waits(instance.id, name):
        return "pending"
    request = {"message_id": message_id, "name": name, "payload": payload}
    delivered = _deliver_pending(instance, actor, now, request, ends or {})
    return "delivered" if message_id in delivered else "pending"


def post_message(
    message_id: str, name: str, business_key: str, payload: dict[str, Any], *, now: datetime
) -> None:
    """Put a message into the inbox from within a turn; it is delivered once something waits.

    For handlers, whose own instance is locked and moving: the end of this turn or the scheduler
    delivers it. A repeated id changes nothing.
    """
    rows.note_message(message_id, name, business_key, entry.allowed(name, payload), "pending", now)


def raise_event(
    business_key: str,
    name: str,
    payload: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
    task_id: UUID | None = None,
    once: str | None = None,
) -> bool:
    """Raise a business event now: the waiting element takes it, or False when none waits.

    Unlike a message it is not kept: a deadline that strikes a second after the task was done is
    nobody's concern. With `task_id` it is about that task, and only what is drawn on its border or
    around it takes it. `once` is its id: raised again it changes nothing and gets the first answer.
    """
    payload = entry.allowed(name, payload)
    instance = _lock_by_key(business_key, name)
    if instance is None or instance.status != "open":
        return False
    if once is not None and not rows.note_message(
        once, name, business_key, payload, "unmatched", now
    ):
        return rows.message_state(once) == "delivered"
    if not _somebody_waits(instance.id, name):
        return False
    request = {
        "name": name,
        "payload": payload,
        "task_id": None if task_id is None else str(task_id),
        "once": once,
    }
    with Turn.locked(instance, actor=actor, now=now).guard("raise_event", request) as this:
        delivered = this.deliver(name, payload, task_id=task_id)
    if delivered or this.has_moved:
        this.save("raise_event", None)
    if delivered and once is not None:
        rows.mark_message(once, "delivered", instance.id, now)
    return delivered


def fire_due(instance_id: int, *, now: datetime) -> Outcome | None:
    """Run the timers of one instance that are due; None when it is not open any more."""
    instance = _lock(ProcessInstance.id == instance_id)
    if instance is None or instance.status != "open":
        return None
    this = Turn.locked(instance, actor=registry.SYSTEM, now=now)
    with this.guard("fire_due", {}, unattended=True):
        this.fire_due()
    return this.save("fire_due", None)


def next_due_instance() -> int | None:
    """Lock and name one open instance with a due timer that no other node holds."""
    return session().scalar(
        select(ProcessInstance.id)
        .where(ProcessInstance.status == "open", ProcessInstance.next_due <= func.now())
        .order_by(ProcessInstance.next_due)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def cancel(instance_id: int, reason: str, *, actor: Actor, now: datetime) -> Outcome:
    """End an instance at once; its open tasks end as `cancelled`."""
    instance = _lock(ProcessInstance.id == instance_id)
    if instance is None:
        raise UnknownTask
    if instance.status in {"completed", "cancelled"}:
        raise Conflict("流程已结束", "INSTANCE_ENDED", current_state=instance.status)
    with Turn.locked(instance, actor=actor, now=now).guard("cancel", {"reason": reason}) as this:
        this.cancel(reason)
    return this.save("cancel", None)


def deliver_waiting_inbox(*, now: datetime) -> int:
    """Deliver one early message whose waiter has appeared meanwhile; returns how many went.

    An instance whose message broke is left to the retry of its incident; the others go on.
    """
    instance_id = session().scalar(_NEXT_WAITING)
    return 0 if instance_id is None else deliver_early(instance_id, now=now)


def deliver_early(instance_id: int, *, now: datetime) -> int:
    """Deliver the early messages of one instance; returns how many went."""
    instance = _lock(ProcessInstance.id == instance_id)
    if instance is None or instance.status != "open":
        return 0
    return len(_deliver_pending(instance, registry.SYSTEM, now, {}, {}))


def hold(*business_keys: str) -> None:
    """Lock the open instances of these keys, so that what is then read of them stays true.

    Instances are locked before anything else, as every verb does, and in one order.
    """
    session().execute(
        select(ProcessInstance.id)
        .where(ProcessInstance.business_key.in_(business_keys), ProcessInstance.status == "open")
        .order_by(ProcessInstance.id)
        .with_for_update()
    )


def _deliver_pending(
    instance: Row[*tuple[Any, ...]],
    actor: Actor,
    now: datetime,
    request: dict[str, Any],
    ends: Mapping[UUID, Variables],
) -> list[str]:
    this = Turn.locked(instance, actor=actor, now=now)
    with this.guard("deliver_message", request, unattended=not request):
        this.drain_inbox()
        this.withdraw(ends)
    if this.delivered or this.has_moved:
        this.save("deliver_message", None)
    return this.delivered


def _lock(condition: Any) -> Row[*tuple[Any, ...]] | None:
    """Lock one instance by a Core select: the hot path needs no mapped object."""
    return (
        session()
        .execute(select(*turn.INSTANCE_COLUMNS).where(condition).with_for_update())
        .one_or_none()
    )


def _lock_by_key(business_key: str, name: str) -> Row[*tuple[Any, ...]] | None:
    """Lock the instance of the key that waits for the name, or may yet, or else the newest."""
    waits = exists().where(
        WaitingMessage.instance_id == ProcessInstance.id, WaitingMessage.name == name
    )
    has_ended = ProcessInstance.status.in_(["completed", "cancelled"])
    return (
        session()
        .execute(
            select(*turn.INSTANCE_COLUMNS)
            .where(ProcessInstance.business_key == business_key)
            .order_by(waits.desc(), has_ended, ProcessInstance.id.desc())
            .limit(1)
            .with_for_update()
        )
        .one_or_none()
    )


def _refuse_stale(task: HeldTask, actor: Actor, version: int | None) -> None:
    """Refuse a task that is closed, claimed by another, or changed since the form was opened."""
    if task.state != "open":
        raise TaskAlreadyDone(task)
    if task.assignee_id is not None and task.assignee_id != actor.id:
        raise TaskClaimed(task.assignee_name)
    if version is not None and version != task.version:
        raise StaleVersion


def _answered(action_id: UUID) -> Outcome | None:
    found = send(_ANSWER, {"action_id": action_id}).scalar()
    return None if found is None else Outcome.from_result(found)


def _started(action_id: UUID | None, business_key: str) -> Outcome | None:
    known = None if action_id is None else _answered(action_id)
    if known is not None and known.business_key != business_key:
        raise ActionIdReused
    return known


def _somebody_waits(instance_id: int, name: str) -> bool:
    return (
        session().scalar(
            select(WaitingMessage.task_id)
            .where(WaitingMessage.instance_id == instance_id, WaitingMessage.name == name)
            .limit(1)
        )
        is not None
    )
