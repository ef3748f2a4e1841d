"""The engine as an edge sees it: every verb in one transaction, on a clock that stands still."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.db import session, transact
from app.engine import claims, definitions, incidents, queries, runner
from app.engine.models import Incident, ProcessInstance, UserTask
from app.engine.outcomes import Outcome
from app.engine.registry import Actor
from tests.conftest import MovableClock
from tests.integration.engine.flows import registered

__all__ = ["registered"]

SOMEBODY = Actor(101, "周明远", 7, "科员", "0851-85500001")
SOMEBODY_ELSE = Actor(102, "吴阿依", 7, "科员", "0851-85500002")


class Engine:
    """The verbs, committed; and the rows they leave."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock

    @property
    def now(self) -> datetime:
        return self.clock()

    def deploy(self, key: str, *files: bytes) -> int:
        """Publish a bundle; returns the version's number."""
        sources = {f"{number}.bpmn": xml for number, xml in enumerate(files)}
        return transact(
            lambda: definitions.deploy(sources, key, deployed_by="测试", now=self.now).version
        )

    def start(
        self, key: str, business_key: str, action_id: uuid.UUID | None = None, **variables: Any
    ) -> Outcome:
        return transact(
            lambda: runner.start(
                key, business_key, variables, actor=SOMEBODY, now=self.now, action_id=action_id
            )
        )

    def complete(
        self,
        task_id: uuid.UUID | str,
        actor: Actor = SOMEBODY,
        *,
        action_id: uuid.UUID | None = None,
        version: int | None = None,
        **values: Any,
    ) -> Outcome:
        return transact(
            lambda: runner.complete_task(
                uuid.UUID(str(task_id)),
                values,
                actor=actor,
                now=self.now,
                action_id=action_id,
                version=version,
            )
        )

    def claim(self, task_id: uuid.UUID, actor: Actor = SOMEBODY) -> int:
        """Returns the version a form carries from now on."""
        return transact(
            lambda: claims.claim(task_id, actor=actor, authorise=lambda _: None).version
        )

    def unclaim(self, task_id: uuid.UUID, actor: Actor = SOMEBODY) -> int:
        return transact(
            lambda: claims.unclaim(task_id, actor=actor, authorise=lambda _: None).version
        )

    def send(
        self, business_key: str, name: str, message_id: str | None = None, **payload: Any
    ) -> str:
        return transact(
            lambda: runner.deliver_message(
                message_id or uuid.uuid4().hex, name, business_key, payload, now=self.now
            )
        )

    def raise_event(
        self,
        business_key: str,
        name: str,
        task_id: uuid.UUID | None = None,
        once: str | None = None,
        **payload: Any,
    ) -> bool:
        return transact(
            lambda: runner.raise_event(
                business_key,
                name,
                payload,
                actor=SOMEBODY,
                now=self.now,
                task_id=task_id,
                once=once,
            )
        )

    def fire_due(self, instance_id: int) -> Outcome | None:
        return transact(lambda: runner.fire_due(instance_id, now=self.now))

    def drain_inbox(self) -> int:
        """As the scheduler does: one at a time until there are no more."""
        total = 0
        while found := transact(lambda: runner.deliver_waiting_inbox(now=self.now)):
            total += found
        return total

    def cancel(self, instance_id: int, reason: str = "误建") -> Outcome:
        return transact(lambda: runner.cancel(instance_id, reason, actor=SOMEBODY, now=self.now))

    def retry(self, incident_id: int) -> None:
        transact(lambda: incidents.retry(incident_id, by="管理员", now=self.now) and None)

    def dismiss(self, incident_id: int) -> None:
        transact(lambda: incidents.dismiss(incident_id, by="管理员", now=self.now) and None)

    def tasks(self, business_key: str, state: str = "open") -> list[UserTask]:
        session().rollback()
        return list(
            session().scalars(
                select(UserTask)
                .where(UserTask.business_key == business_key, UserTask.state == state)
                .order_by(UserTask.element_id)
                .execution_options(populate_existing=True)
            )
        )

    def task(self, business_key: str) -> UserTask:
        (found,) = self.tasks(business_key)
        return found

    def waiting(self, business_key: str) -> list[str]:
        return [task.element_id for task in self.tasks(business_key)]

    def instance(self, business_key: str) -> ProcessInstance:
        session().rollback()
        return (
            session()
            .scalars(
                select(ProcessInstance)
                .where(ProcessInstance.business_key == business_key)
                .execution_options(populate_existing=True)
            )
            .one()
        )

    def view(self, business_key: str) -> dict[str, Any]:
        return queries.instance_view(self.instance(business_key).id)

    def incidents(self, business_key: str, state: str = "open") -> list[Incident]:
        session().rollback()
        return list(
            session().scalars(
                select(Incident)
                .where(Incident.business_key == business_key, Incident.state == state)
                .execution_options(populate_existing=True)
            )
        )


@pytest.fixture
def engine(context: None, clock: MovableClock, registered: None) -> Engine:
    """The engine in this test's application context."""
    return Engine(clock)


@pytest.fixture
def in_context(app: Flask) -> Callable[[Callable[[], Any]], Any]:
    """Run something in an application context of its own, as another thread must."""

    def run(work: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                return work()
            finally:
                session().rollback()
                session().close()

    return run


@pytest.fixture
def late_inbox(engine: Engine, in_context: Callable[[Callable[[], Any]], Any]) -> Any:
    """Start a case and let its message arrive so that neither sees the other's uncommitted row.

    The message is written while the start is not committed yet: only the scheduler's round can
    bring them together afterwards.
    """

    def arrange(key: str, business_key: str) -> None:
        def work() -> None:
            runner.start(key, business_key, {}, actor=SOMEBODY, now=engine.now)
            in_another_thread(
                lambda: in_context(lambda: engine.send(business_key, "tests.fact", fact="早到"))
            )

        transact(work)

    return arrange


def in_another_thread(work: Callable[[], Any]) -> None:
    """Run to the end in a thread of its own."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
