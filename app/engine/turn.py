"""One turn of an instance: before and after are compared, and what differs is written once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.core.db import send, table_of
from app.engine import addressing, codec, definitions, pruning, registry, rows, timers, workflow
from app.engine.errors import ActionIdReused
from app.engine.expressions import SafeEnvironment, element_of
from app.engine.failures import ActionFailed, Attempt, is_for_caller
from app.engine.history import History
from app.engine.models import (
    InboxMessage,
    ProcessAction,
    ProcessInstance,
)
from app.engine.outcomes import Outcome
from app.engine.registry import Actor, Change, Step, Variables

INSTANCE_COLUMNS = (
    ProcessInstance.id,
    ProcessInstance.process_key,
    ProcessInstance.business_key,
    ProcessInstance.definition_id,
    ProcessInstance.status,
    ProcessInstance.version,
    ProcessInstance.event_seq,
    ProcessInstance.state,
)

# The writes of every turn, on the tables themselves and built once: the mapped forms of the same
# statements cost three times the time, and history without decisions would go in piece by piece.
_INSTANCES = table_of(ProcessInstance)
_ACTIONS = table_of(ProcessAction)
_ADD_ACTION = pg_insert(_ACTIONS).on_conflict_do_nothing().returning(_ACTIONS.c.action_id)
_SAVE_INSTANCE = update(_INSTANCES).where(_INSTANCES.c.id == bindparam("of"))
_INBOX = table_of(InboxMessage)
_EARLIEST = (
    select(_INBOX.c.message_id, _INBOX.c.name, _INBOX.c.payload)
    .where(
        _INBOX.c.business_key == bindparam("key"),
        _INBOX.c.name == any_(bindparam("names", type_=ARRAY(Text))),
        _INBOX.c.state == "pending",
    )
    .order_by(_INBOX.c.received_at)
    .limit(1)
    .with_for_update()
)


class Turn:
    """One locked instance between load and save."""

    def __init__(
        self,
        instance_id: int,
        process_key: str,
        business_key: str,
        definition_id: int,
        *,
        version: int,
        event_seq: int,
        state: bytes | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        self.instance_id = instance_id
        self.process_key = process_key
        self.business_key = business_key
        self.definition_id = definition_id
        self.version = version
        self.state = state
        self.actor, self.now = actor, now
        self.is_new = state is None
        self.kind = ""
        self.request: dict[str, Any] = {}
        self.element_id: str | None = None
        self.unattended = False
        self.delivered: list[str] = []
        self.has_moved = False
        self._completed: dict[UUID, Variables] = {}
        self._withdrawn: set[UUID] = set()
        self._tasks_before: set[UUID] = set()
        self._waits_before: set[UUID] = set()
        self._history = History(instance_id, event_seq, actor, now)
        self._flow: workflow.LiveWorkflow | None = None

    @classmethod
    def fresh(
        cls,
        instance_id: int,
        process_key: str,
        business_key: str,
        definition_id: int,
        *,
        actor: Actor,
        now: datetime,
    ) -> Self:
        """A turn of an instance that was inserted in this transaction."""
        return cls(
            instance_id,
            process_key,
            business_key,
            definition_id,
            version=0,
            event_seq=0,
            state=None,
            actor=actor,
            now=now,
        )

    @classmethod
    def locked(cls, row: Row[*tuple[Any, ...]], *, actor: Actor, now: datetime) -> Self:
        """A turn of an instance whose row this transaction has locked."""
        return cls(
            row.id,
            row.process_key,
            row.business_key,
            row.definition_id,
            version=row.version,
            event_seq=row.event_seq,
            state=row.state,
            actor=actor,
            now=now,
        )

    @contextmanager
    def guard(
        self,
        kind: str,
        request: dict[str, Any],
        element_id: str | None = None,
        *,
        unattended: bool = False,
    ) -> Iterator[Self]:
        """Let refusals pass, and a database that is away; everything else becomes ActionFailed.

        `unattended`: the scheduler acts, and what it is refused becomes ActionFailed too.
        """
        self.kind, self.request, self.element_id = kind, request, element_id
        self.unattended = unattended
        with self._guarded():
            if self.state is not None:
                self._load(self.state)
            yield self

    def data_of(self, task_id: UUID) -> dict[str, Any]:
        """The variables one open task sees."""
        return next((t.data for t in self.flow.open_user_tasks() if t.task_id == task_id), {})

    @property
    def flow(self) -> workflow.LiveWorkflow:
        """The loaded workflow."""
        if self._flow is None:
            raise RuntimeError("the instance has ended and has no state")
        return self._flow

    def begin(self, variables: Variables) -> None:
        """Start the diagram and run it to its first waits."""
        self._history.note("started", self.process_key, "开始")
        parsed = definitions.parsed(self.definition_id)
        self._flow = workflow.new_workflow(parsed, dict(variables), self._environment())

    def complete(self, task_id: UUID, variables: Variables) -> None:
        """Complete one user task and run to the next waits."""
        self._completed[task_id] = variables
        workflow.complete(self.flow, task_id, dict(variables))

    def withdraw(self, ends: Mapping[UUID, Variables]) -> None:
        """End tasks that nobody has to do any more, where they are still open."""
        for task_id, variables in ends.items():
            if any(task.task_id == task_id for task in self.flow.open_user_tasks()):
                self._withdrawn.add(task_id)
                workflow.complete(self.flow, task_id, dict(variables))

    def deliver(
        self,
        name: str,
        payload: dict[str, Any],
        *,
        by_actor: bool = True,
        task_id: UUID | None = None,
    ) -> bool:
        """Hand a message to the one element it is for (`registry.message`); False for none.

        With `task_id` it is about that task: see `addressing.catcher`.
        """
        self.fire_due()
        about = registry.about(name)
        if about is None:
            wait = addressing.catcher(self.flow, name, task_id)
        else:
            wait = addressing.concerned(self.flow, name, about, payload.get(about))
        if wait is None:
            return False
        self._history.note("message", wait.element_id, name, decision=payload, by_actor=by_actor)
        workflow.deliver(self.flow, wait.task_id, name, payload)
        return True

    def fire_due(self) -> None:
        """Fire what is due, before anybody asks who waits: a timer may have taken the wait away."""
        if timers.anything_due(self.flow):
            self.has_moved = True
            workflow.advance(self.flow)

    def cancel(self, reason: str) -> None:
        """Cancel every open task."""
        self._history.note("cancelled", self.process_key, "终止", decision={"reason": reason})
        workflow.cancel(self.flow)

    def drain_inbox(self) -> None:
        """Deliver the early messages for which something waits now, each once."""
        self.fire_due()
        while names := {w.name for w in self.flow.waiting_messages()}:
            message = send(
                _EARLIEST, {"key": self.business_key, "names": list(names)}
            ).one_or_none()
            if message is None:
                return
            sent = message.message_id == self.request.get("message_id")
            if self.deliver(message.name, message.payload, by_actor=sent):
                rows.mark_message(message.message_id, "delivered", self.instance_id, self.now)
                self.delivered.append(message.message_id)
            elif registry.about(message.name) is not None:
                rows.mark_message(message.message_id, "unmatched", self.instance_id, self.now)

    def save(self, kind: str, action_id: UUID | None) -> Outcome:
        """Write the rows that differ, the history, the state and the action's answer."""
        with self._guarded():
            waits = {w.task_id: w for w in self.flow.waiting_messages()}
            if any(task_id not in self._waits_before for task_id in waits):
                self.drain_inbox()
                waits = {w.task_id: w for w in self.flow.waiting_messages()}
            tasks = {t.task_id: t for t in self.flow.open_user_tasks()}
            opened = [t for i, t in tasks.items() if i not in self._tasks_before]
            ended = self.flow.is_completed()
            status = "cancelled" if kind == "cancel" else "completed" if ended else "open"
            made = (self.instance_id, self.process_key, self.business_key, self.now)
            new_tasks = [rows.of_task(task, *made) for task in opened]
            ends = self._collect_events(status)
            closed = self._tasks_before - set(tasks)
            done = closed & set(self._completed)
            change = Change(
                self.process_key,
                self.business_key,
                status,
                new_tasks,
                ends or self.flow.standing(),
                frozenset(done),
                frozenset(closed - done),
                self.flow.last_data(),
                self.actor,
                self.now,
            )
            for observe in registry.observers_of(self.process_key):
                observe(change)
            rows.write_tasks(new_tasks, change.done, change.cancelled, self.actor, self.now)
            rows.write_waits(
                waits, self._waits_before, self.instance_id, self.business_key, self.now
            )
            self._history.write()
            pruning.prune(self.flow)
            state = None if status != "open" else codec.dumps(self.flow, self.definition_id)
            send(
                _SAVE_INSTANCE,
                {
                    "of": self.instance_id,
                    "status": status,
                    "version": self.version + 1,
                    "event_seq": self._history.seq,
                    "next_due": timers.next_due(self.flow) if status == "open" else None,
                    "state": state,
                    "ended_at": None if status == "open" else self.now,
                },
            )
            outcome = Outcome(
                self.instance_id,
                self.business_key,
                status,
                [
                    {
                        "task_id": str(row.id),
                        "element_id": row.element_id,
                        "name": row.name,
                        "unit_id": row.unit_id,
                    }
                    for row in new_tasks
                ],
            )
            if action_id is not None:
                values = {
                    "action_id": action_id,
                    "instance_id": self.instance_id,
                    "kind": kind,
                    "result": outcome.as_result(),
                }
                if send(_ADD_ACTION, values).first() is None:
                    raise ActionIdReused  # on another instance, at the same moment
            return outcome

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if is_for_caller(error, unattended=self.unattended):
                raise
            attempt = Attempt(
                instance_id=None if self.is_new else self.instance_id,
                process_key=self.process_key,
                business_key=self.business_key,
                action=self.kind,
                element_id=element_of(error) or self.element_id,
                request={**self.request, "actor": asdict(self.actor)},
                at=self.now,
            )
            raise ActionFailed(attempt, error) from error

    def _load(self, state: bytes) -> None:
        self._flow, _ = codec.loads(state, definitions.parsed, self._environment())
        self._tasks_before = {t.task_id for t in self._flow.open_user_tasks()}
        self._waits_before = {w.task_id for w in self._flow.waiting_messages()}

    def _environment(self) -> SafeEnvironment:
        return SafeEnvironment(self._call)

    def _call(self, name: str, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        step = Step(self.process_key, self.business_key, name, params, data, self.actor, self.now)
        result = registry.handler_named(name)(step) or {}
        return dict(result)

    def _collect_events(self, status: str) -> list[str]:
        """Note what was passed; the states that its ends mean, if the flow has ended with it."""
        passed = self.flow.passed()
        for step in passed:
            was_done = step.state == "completed" and step.task_id not in self._withdrawn
            self._history.note(
                step.kind if was_done else "cancelled",
                step.element_id,
                step.name,
                task_id=step.task_id,
                decision=self._completed.get(step.task_id),
                started_at=step.started_at,
            )
        if status == "open":
            return []
        self._history.note("ended", self.process_key, "结束")
        return [step.status for step in passed if step.kind == "end" and step.status]
