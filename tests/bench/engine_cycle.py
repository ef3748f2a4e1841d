"""One cycle of the pure engine — load, complete, settle, prune, dump — after many rejections.

Run as `python -m tests.bench.engine_cycle`; prints JSON with milliseconds per cycle.
"""

import json
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from app.engine import codec, parser, pruning, timers, workflow
from app.engine.expressions import SafeEnvironment

DIAGRAM = Path(__file__).resolve().parents[1] / "support" / "diagrams" / "ticket_like.bpmn"
START: dict[str, Any] = {
    "ticket_id": 1,
    "handling_unit": 7,
    "review_result": "accept",
    "approved": False,
    "route": "down",
    "handled": "",
    "audit_result": "reject",
    "satisfied": True,
}
ROUND = ("investigate", "report", "county_audit")


def environment() -> SafeEnvironment:
    return SafeEnvironment(lambda name, params, data: {})


class Instance:
    """An instance that lives in bytes and is driven one complete cycle at a time."""

    def __init__(self, definition: parser.ParsedDefinition) -> None:
        self.definition = definition
        flow = workflow.new_workflow(definition, START, environment())
        self.raw = codec.dumps(flow, 1)

    def cycle(self, element_id: str, **values: Any) -> float:
        """Complete the open task at `element_id`; returns milliseconds."""
        flow, _ = codec.loads(self.raw, lambda _: self.definition, environment())
        task_id: uuid.UUID = next(
            task.task_id for task in flow.open_user_tasks() if task.element_id == element_id
        )
        began = time.perf_counter()
        flow, number = codec.loads(self.raw, lambda _: self.definition, environment())
        workflow.complete(flow, task_id, values)
        flow.passed()
        pruning.prune(flow)
        self.raw = codec.dumps(flow, number)
        timers.next_due(flow)
        return (time.perf_counter() - began) * 1000

    def reject(self, times: int) -> None:
        """Let the audit reject so many reports."""
        for _ in range(times):
            for element_id in ROUND:
                self.cycle(element_id, audit_result="reject")


def measure(rejections: int, rounds: int = 100) -> dict[str, Any]:
    """Statistics of the cycles after so many rejections."""
    definition = parser.parse({"ticket_like": DIAGRAM.read_bytes()}, "ticket_like")
    instance = Instance(definition)
    for element_id in ("sign", "review", "dispatch", "city_sign", "county_sign"):
        instance.cycle(element_id)
    instance.reject(rejections)
    spent = [
        instance.cycle(element_id, audit_result="reject")
        for _ in range(rounds)
        for element_id in ROUND
    ]
    cuts = statistics.quantiles(spent, n=100)
    return {
        "rejections": rejections,
        "cycles": len(spent),
        "median_ms": round(statistics.median(spent), 3),
        "p95_ms": round(cuts[94], 3),
        "p99_ms": round(cuts[98], 3),
        "state_bytes": len(instance.raw),
    }


if __name__ == "__main__":
    json.dump([measure(count) for count in (0, 100, 1000)], sys.stdout, indent=2)
    print()
