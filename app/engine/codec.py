"""Instance state to and from bytes, without the diagram (编解码).

    1 byte format | 8 bytes definition id | zstd( orjson document )

The document holds, per (sub)workflow, one array per task: parents before children, data as the
difference from the parent, elements by name. Predicted tasks are dropped; they are predicted again
when their parent runs, or at once where a join might look at them.
Stock JSON keys tasks by id and needs their order kept: PostgreSQL's JSONB reorders keys, and the
task data come back wrong without an error. Here order lives in arrays.
"""

import struct
import threading
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import zstandard
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from app.engine.expressions import SafeEnvironment, ScriptEngine
from app.engine.parser import ParsedDefinition
from app.engine.workflow import LiveSubWorkflow, LiveWorkflow, predict

FORMAT = 1
_HEADER = struct.Struct(">BQ")
_MAX_DOCUMENT = 64_000_000
_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_PREDICTED = TaskState.PREDICTED_MASK | TaskState.FUTURE
_OPEN = TaskState.WAITING | TaskState.READY | TaskState.STARTED
_MICRO = 1_000_000

Document = dict[str, Any]
UPGRADES: dict[int, Callable[[Document], Document]] = {}
"""Old format → function that turns its document into one of the next format."""


class UnknownFormat(ValueError):
    """The bytes were written by a newer version, or are no instance state at all."""


class _Zstd(threading.local):
    """A compressor and decompressor per thread: they must not be shared."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=3).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def dumps(workflow: LiveWorkflow, definition_id: int) -> bytes:
    """The state of a settled instance. TypeError when something in it is not plain JSON."""
    document: Document = {
        "top": _encode(workflow),
        "subs": [
            [owner_id.hex, *_encode(subprocess)]
            for owner_id, subprocess in sorted(
                workflow.subprocesses.items(), key=lambda item: item[1].depth
            )
        ],
    }
    packed = _zstd.compress(orjson.dumps(document, option=_OPTIONS))
    return _HEADER.pack(FORMAT, definition_id) + packed


def loads(
    raw: bytes,
    definition_of: Callable[[int], ParsedDefinition],
    environment: SafeEnvironment,
) -> tuple[LiveWorkflow, int]:
    """The instance as `dumps` saw it, on the definition it started with, and that one's id."""
    form, definition_id = _header(raw)
    document = orjson.loads(
        _zstd.decompress(memoryview(raw)[_HEADER.size :], max_output_size=_MAX_DOCUMENT)
    )
    while form != FORMAT:
        document = UPGRADES[form](document)
        form += 1
    parsed = definition_of(definition_id)
    workflow = LiveWorkflow(
        parsed.spec,
        parsed.subprocess_specs,
        script_engine=ScriptEngine(environment),
        deserializing=True,
    )
    waiting: list[Any] = []
    _decode(workflow, document["top"], waiting, parsed)
    for owner_hex, *body in document["subs"]:
        owner = workflow.find(uuid.UUID(owner_hex))
        if owner is None:
            raise UnknownFormat(f"subprocess of an unknown task {owner_hex}")
        subprocess = LiveSubWorkflow(
            parsed.subprocess_specs[owner.task_spec.spec], owner.id, workflow, deserializing=True
        )
        workflow.subprocesses[owner.id] = subprocess
        _decode(subprocess, body, waiting, parsed)
        subprocess.completed_event.connect(owner.task_spec._on_subworkflow_completed, owner)
    waiting.sort(key=lambda task: task.last_state_change)
    for task in waiting:
        workflow.event_manager.add_task(task)
    return workflow, definition_id


def definition_id_of(raw: bytes) -> int:
    """The definition an instance runs on, without unpacking its state."""
    return _header(raw)[1]


def _header(raw: bytes) -> tuple[int, int]:
    if len(raw) <= _HEADER.size:
        raise UnknownFormat("no instance state")
    form, definition_id = _HEADER.unpack_from(raw)
    if form != FORMAT and form not in UPGRADES:
        raise UnknownFormat(f"instance state of unknown format {form}")
    return form, definition_id


# ---------------------------------------------------------------- one workflow


def _encode(workflow: Any) -> list[Any]:
    tasks = workflow.tasks
    index: dict[uuid.UUID, int] = {}
    rows: list[Any] = []
    stack = [workflow.task_tree]
    while stack:
        task = stack.pop()
        if task._state & _PREDICTED:
            continue
        parent = tasks.get(task._parent)
        index[task.id] = len(rows)
        rows.append(
            [
                task.id.hex,
                -1 if parent is None else index[parent.id],
                task.task_spec.name,
                task._state,
                round(task.last_state_change * _MICRO),
                1 if task.triggered else 0,
                _internal(task) or 0,
                *(_difference(task.data, {} if parent is None else parent.data)),
            ]
        )
        stack.extend(tasks[child] for child in reversed(task._children))
    return [rows, workflow.data or 0, int(workflow.success), int(workflow.completed)]


def _internal(task: Any) -> dict[str, Any]:
    """Internal data without the empty list of seen events, which holds objects when not empty."""
    internal = task.internal_data
    if internal.get("seen_events") == []:
        return {key: value for key, value in internal.items() if key != "seen_events"}
    return internal  # type: ignore[no-any-return]


def _difference(data: dict[str, Any], base: dict[str, Any]) -> tuple[Any, Any]:
    """What to set and what to remove to get from `base` to `data`; `1` and `True` do differ."""
    if data == base and not data:
        return 0, 0
    changed = {
        key: value
        for key, value in data.items()
        if key not in base
        or (base[key] is not value and (base[key] != value or type(base[key]) is not type(value)))
    }
    removed = [key for key in base if key not in data]
    return changed or 0, removed or 0


def _decode(workflow: Any, body: list[Any], waiting: list[Any], parsed: ParsedDefinition) -> None:
    rows, data, success, completed = body
    specs = workflow.spec.task_specs
    tasks = workflow.tasks
    loaded: list[Any] = []
    for hex_id, parent_index, name, state, changed_at, triggered, internal, delta, removed in rows:
        # Task.__init__ would register a new id and notify; the fields are all it does otherwise.
        task = Task.__new__(Task)
        task.id = uuid.UUID(hex_id)
        task.workflow = workflow
        task.task_spec = specs[name]
        task._state = state
        task._children = []
        task.triggered = bool(triggered)
        task.thread_id = 0
        task.last_state_change = changed_at / _MICRO
        task.internal_data = internal or {}
        if parent_index < 0:
            task._parent = None
            task.data = {}
        else:
            parent = loaded[parent_index]
            parent._children.append(task.id)
            task._parent = parent.id
            task.data = dict(parent.data)
        if delta:
            task.data.update(delta)
        for key in removed or ():
            del task.data[key]
        tasks[task.id] = task
        loaded.append(task)
        if state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
            waiting.append(task)
    workflow.task_tree = workflow.last_task = loaded[0]
    workflow.data = data or {}
    workflow.success, workflow.completed = bool(success), bool(completed)
    if workflow.spec.name in parsed.joining:
        for task in loaded:
            if task._state & _OPEN:
                predict(task)
