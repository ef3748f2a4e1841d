"""Drops finished history that execution can never look at again (裁剪).

SpiffWorkflow keeps every task ever run; its cost grows with each rejection and at a tree depth of
1000 the instance stalls without an exception. What people need to know about the past is in the
history rows. Rules, each earned by a failing walk:

1. Between a kept task (anchor) and the lowest common ancestor of the open tasks below it, the chain
   is cut; where it branches, each branch is cut on its own.
2. A structure on the chain that may still be looked back at stays, with everything below it: a
   boundary split whose join is unfinished, a loop, a fork with a token parked at a waiting join.
3. The parent of an open task stays: a waiting task inherits the parent's data at every update.
4. A boundary event that fired beside its activity goes once its branch has ended.
5. A token parked at the end join does not pin the tree. Its data would be merged at the very end,
   in the order of arrival, so stubs under the root carry the data of the branches that ended.
6. A subprocess goes as soon as its task is finished or gone.
"""

import uuid
from itertools import groupby
from typing import Any

from SpiffWorkflow.bpmn.specs.control import (
    BoundaryEventJoin,
    EventSplit,
    StartEventJoin,
    _EndJoin,
)
from SpiffWorkflow.bpmn.specs.event_definitions.timer import CycleTimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.util.task import TaskState

from app.engine.workflow import LiveWorkflow

_OPEN = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def prune(workflow: LiveWorkflow) -> None:
    """Prune a settled instance in place. What was dropped is in the trail already."""
    for owner_id, subprocess in sorted(workflow.subprocesses.items(), key=lambda i: i[1].depth):
        owner = workflow.find(owner_id)
        if owner is None or owner.has_state(TaskState.FINISHED_MASK):
            for task in subprocess.tasks.values():
                workflow.event_manager.remove_task(task)
            del workflow.subprocesses[owner_id]
    for each in workflow.workflows():
        _Pruning(each).run()


class _Pruning:
    """One pass over one (sub)workflow."""

    def __init__(self, workflow: Any) -> None:
        self.workflow = workflow
        self.tasks: dict[uuid.UUID, Any] = workflow.tasks
        self.root = workflow.task_tree
        self.open_below: dict[uuid.UUID, int] = {}
        self.parked: set[Any] = set()
        """Join specs at which a token waits."""

    def run(self) -> None:
        if not self._count_open():
            if self.workflow.completed:
                self._keep_only_root()
            return
        before = len(self.tasks)
        ended = [t for t in self.tasks.values() if isinstance(t.task_spec, _EndJoin)]
        self._compress(self.root)
        if len(self._reachable()) < before:
            self._collect(ended)

    def _keep_only_root(self) -> None:
        for task_id in [i for i in self.tasks if i != self.root.id]:
            del self.tasks[task_id]
        self.root._children = []
        self.workflow.last_task = self.root

    def _count_open(self) -> bool:
        """Count for every task the open tasks in its branch, itself included."""
        pinning = [
            task
            for task in self.tasks.values()
            if task.state & _OPEN and not isinstance(task.task_spec, _EndJoin)
        ]
        for task in pinning:
            spec = task.task_spec
            if isinstance(spec, UnstructuredJoin):
                self.parked.add(spec)
            while task is not None:
                self.open_below[task.id] = self.open_below.get(task.id, 0) + 1
                task = self.tasks.get(task._parent)
        return bool(pinning)

    def _open_children(self, task: Any) -> list[Any]:
        return [self.tasks[i] for i in task._children if self.open_below.get(i)]

    def _compress(self, anchor: Any) -> None:
        """Shorten everything below `anchor`, which itself stays."""
        children = self._open_children(anchor)
        if isinstance(anchor.task_spec, LoopTask):
            return
        if len(children) != 1 or isinstance(anchor.task_spec, EventSplit):
            if _repeats(anchor):
                anchor._children = [i for i in anchor._children if self._lives(self.tasks[i])]
            elif isinstance(anchor.task_spec, EventSplit):
                anchor._children = [i for i in anchor._children if not self._is_spent(i)]
            for child in children:
                self._compress(child)
            return
        chain = self._chain(children[0])
        cut = next((t for t in chain if self._must_stay(t)), chain[-1])
        if not cut.has_state(TaskState.FINISHED_MASK):
            cut = self.tasks[cut._parent]
        if cut is anchor:
            cut = children[0]
        else:
            stays = self._must_stay(anchor)
            anchor._children = [
                cut.id if i == children[0].id else i
                for i in anchor._children
                if stays or i == children[0].id
            ]
            cut._parent = anchor.id
        self._compress(cut)

    def _lives(self, firing: Any) -> bool:
        """Whether a firing of a cycle timer holds a token still, if only one at the end join.

        The timer takes that one along when it is cancelled.
        """
        if self.open_below.get(firing.id):
            return True
        waiting = [firing]
        while waiting:
            task = waiting.pop()
            if task.state & _OPEN:
                return True
            waiting.extend(self.tasks[i] for i in task._children)
        return False

    def _is_spent(self, task_id: uuid.UUID) -> bool:
        """Whether a boundary event beside the activity has fired and its branch has ended.

        The join of the split cancels only those that still wait, so nobody misses it.
        """
        spec = self.tasks[task_id].task_spec
        if not isinstance(spec, BoundaryEvent) or spec.cancel_activity:
            return False
        waiting = [task_id]
        while waiting:
            task = self.tasks[waiting.pop()]
            if isinstance(task.task_spec, BoundaryEventJoin):
                continue
            if task.state & _OPEN and not isinstance(task.task_spec, _EndJoin):
                return False
            waiting.extend(task._children)
        return True

    def _chain(self, task: Any) -> list[Any]:
        """The single line of descendants from `task` down to where it branches or ends."""
        chain = [task]
        while len(below := self._open_children(task)) == 1 and not task.state & _OPEN:
            task = below[0]
            chain.append(task)
        return chain

    def _must_stay(self, task: Any) -> bool:
        """Whether a later join may still look back at this task or at its ended branches."""
        spec = task.task_spec
        if isinstance(spec, LoopTask):
            return not task.has_state(TaskState.FINISHED_MASK)
        if isinstance(spec, EventSplit):
            return self._split_is_open(task)
        return self._has_parked_token(task)

    def _split_is_open(self, split: Any) -> bool:
        """Joins of boundary and start events look only at the direct children of their split."""
        for child in (self.tasks[i] for i in split._children):
            if not child.has_state(TaskState.FINISHED_MASK):
                return True
            for grandchild in (self.tasks[i] for i in child._children):
                is_join = isinstance(grandchild.task_spec, BoundaryEventJoin | StartEventJoin)
                if is_join and grandchild.has_state(TaskState.DEFINITE_MASK):
                    return True
        return False

    def _has_parked_token(self, task: Any) -> bool:
        """Whether an ended branch off the chain arrived at a join that still waits."""
        if not self.parked or len(task._children) < 2:
            return False
        waiting = [i for i in task._children if not self.open_below.get(i)]
        while waiting:
            branch = self.tasks[waiting.pop()]
            if branch.task_spec in self.parked:
                return True
            waiting.extend(branch._children)
        return False

    def _reachable(self) -> set[uuid.UUID]:
        seen: set[uuid.UUID] = set()
        waiting = [self.root.id]
        while waiting:
            task_id = waiting.pop()
            seen.add(task_id)
            waiting.extend(self.tasks[task_id]._children)
        return seen

    def _collect(self, ended: list[Any]) -> None:
        """Delete what is no longer reachable, after saving the data of branches that ended."""
        kept = self._reachable()
        arrived = sorted(filter(_has_arrived, ended), key=lambda task: task.last_state_change)
        for is_kept, run in groupby(arrived, key=lambda task: task.id in kept):
            if not is_kept:
                kept |= self._stub(list(run))
        for task_id in [i for i in self.tasks if i not in kept]:
            del self.tasks[task_id]
        if self.workflow.last_task is not None and self.workflow.last_task.id not in self.tasks:
            self.workflow.last_task = self.root

    def _stub(self, lost: list[Any]) -> set[uuid.UUID]:
        """Hang the newest of these end joins under the root, its parent carrying all their data."""
        newest = lost[-1]
        parent = self.tasks[newest._parent]
        data: dict[str, Any] = {}
        for task in lost:
            data.update(self.tasks[task._parent].data)
        parent.data = data
        parent._parent = self.root.id
        parent._children = [newest.id]
        self.root._children.append(parent.id)
        below = [newest.id]
        stub = {parent.id}
        while below:
            task_id = below.pop()
            stub.add(task_id)
            below.extend(self.tasks[task_id]._children)
        return stub


def _has_arrived(task: Any) -> bool:
    """A predicted or future end join has carried no token to the end yet."""
    return task.state in (TaskState.WAITING, TaskState.CANCELLED, TaskState.COMPLETED)


def _repeats(task: Any) -> bool:
    """A cycle timer gets a new branch at each firing; the ended ones are dropped."""
    spec = task.task_spec
    return isinstance(spec, CatchingEvent) and isinstance(
        spec.event_definition, CycleTimerEventDefinition
    )
