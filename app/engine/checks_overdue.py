"""Publish gate, part four: overdue events (超时), which only the platform raises."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.engine.checks_model import Problem, Sheet, Vocabulary
from app.engine.diagram import MODEL, properties_of, tag_of
from app.engine.registry import OVERDUE


def check(sheets: Sequence[Sheet], vocabulary: Vocabulary) -> Iterator[Problem]:
    """Overdue events that could never happen: in a wrong place, or of a limit nobody there has."""
    for sheet in sheets:
        for event, key in _events(sheet):
            if tag_of(event) != "boundaryEvent":
                text = "超时消息只能画成活动的边界事件"
                yield sheet.problem(event, "overdue_place", text)
            elif _is_unknown(key, vocabulary):
                yield sheet.problem(event, "overdue_unknown", f"没有名为 {key} 的时限")
            elif _is_of_tasks(key, vocabulary):
                host = sheet.by_id.get(event.get("attachedToRef") or "")
                if host is not None and key not in _deadlines(sheets, host, frozenset()):
                    text = f"所附活动没有时限 {key}，此事件永远不会发生"
                    yield sheet.problem(event, "overdue_never", text)


def _events(sheet: Sheet) -> Iterator[tuple[Any, str]]:
    """(element, deadline key) of whatever waits for an overdue message."""
    holders = [(each, each.getparent()) for each in sheet.all("messageEventDefinition")]
    holders += [(each, each) for each in sheet.all("receiveTask")]
    for holder, event in holders:
        name = sheet.messages.get(holder.get("messageRef") or "", "")
        if name.startswith(OVERDUE):
            yield event, name.removeprefix(OVERDUE)


def _is_unknown(key: str, vocabulary: Vocabulary) -> bool:
    known = vocabulary.deadline_keys
    return known is not None and key not in known | (vocabulary.clock_keys or frozenset())


def _is_of_tasks(key: str, vocabulary: Vocabulary) -> bool:
    return vocabulary.deadline_keys is not None and key in vocabulary.deadline_keys


def _deadlines(sheets: Sequence[Sheet], activity: Any, seen: frozenset[str]) -> set[str]:
    """The deadline keys of the tasks in an activity, called processes among them."""
    found = {
        properties_of(task)["deadline"]
        for task in activity.iter(f"{MODEL}userTask")
        if "deadline" in properties_of(task)
    }
    for call in activity.iter(f"{MODEL}callActivity"):
        called = call.get("calledElement") or ""
        for other in sheets if called not in seen else ():
            for process in other.processes:
                if process.get("id") == called:
                    found |= _deadlines(sheets, process, seen | {called})
    return found
