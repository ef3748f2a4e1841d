"""One walk of a shipped diagram, told task by task, stored and loaded between all steps."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from lxml import etree
from SpiffWorkflow.util.task import TaskState

from app.engine import timers, workflow
from app.tickets.rules import state_of
from tests.bpmn import shipped
from tests.bpmn.reduction import BPMN
from tests.bpmn.walking import ROOT, live, stored

if TYPE_CHECKING:
    from tests.conftest import MovableClock

_NEXT: dict[str, Any] = {"next_attempt_at": "2026-11-25T09:00:00+08:00"}

SHIPPED = sorted((ROOT / "bpmn").glob("*.bpmn"))
_REACHED = TaskState.WAITING | TaskState.READY | TaskState.STARTED | TaskState.COMPLETED
_ENDS = {
    end.get("id")
    for file in SHIPPED
    for end in etree.fromstring(file.read_bytes()).iter(f"{{{BPMN}}}endEvent")
}


class Path:
    """`flows` are the sequence flows taken, `ends` the end events reached, `states` what the
    ticket was called at each stop, all in order.
    """

    def __init__(self, main: str, begun: dict[str, Any], clock: "MovableClock") -> None:
        self.main, self.clock = main, clock
        self.flows: set[tuple[str, str]] = set()
        self.ends: list[str] = []
        self.states: list[str] = []
        self._seen: set[UUID] = set()
        self._keep(live(main, {**shipped.start_of(main, begun), **_NEXT}))

    def do(self, element: str, **values: Any) -> Self:
        """Somebody completes a waiting task."""
        task = next((t for t in self.flow.open_user_tasks() if t.element_id == element), None)
        assert task is not None, (element, self.waiting)
        workflow.complete(self.flow, task.task_id, values)
        return self._keep(self.flow)

    def tell(self, message: str, **payload: Any) -> Self:
        """A message arrives for which something waits."""
        wait = next((w for w in self.flow.waiting_messages() if w.name == message), None)
        assert wait is not None, (message, self.waiting)
        workflow.deliver(self.flow, wait.task_id, message, payload)
        return self._keep(self.flow)

    def time(self) -> Self:
        """The next timer goes off."""
        due = timers.next_due(self.flow)
        assert due is not None, self.waiting
        self.clock.moment = max(self.clock.moment, due + timedelta(seconds=1))
        workflow.advance(self.flow)
        return self._keep(self.flow)

    @property
    def waiting(self) -> list[str]:
        """What waits for a person."""
        return [task.element_id for task in self.flow.open_user_tasks()]

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.flow.is_completed())

    def _keep(self, flow: workflow.LiveWorkflow) -> Self:
        self._look(flow)
        self.flow = stored(flow, self.main)
        return self

    def _look(self, flow: workflow.LiveWorkflow) -> None:
        """Before pruning: where each new token came from, and which ends were reached."""
        for task in flow.all_tasks():
            if task.id not in self._seen and task.state & _REACHED:
                self._seen.add(task.id)
                if task.task_spec.bpmn_id is not None:
                    self.flows.add((_before(task), task.task_spec.bpmn_id))
        passed = [p for p in flow.passed() if p.element_id in _ENDS]
        self.ends += [p.element_id for p in passed]
        standing = [p.status for p in passed if p.status] or flow.standing()
        assert standing, ("nothing that waits is a state", self.waiting)
        assert len(set(standing) - {"suspended"}) == 1, standing
        self.states.append(state_of(standing, "", reworked=False))


def _before(task: Any) -> str:
    """The drawn element before this one; the engine has joins and splits of its own between."""
    above = task.parent
    while above is not None and above.task_spec.bpmn_id is None:
        above = above.parent
    return "" if above is None else str(above.task_spec.bpmn_id)
