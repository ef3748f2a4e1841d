"""The publish gate (发布检查): is this diagram safe to run?

SpiffWorkflow ignores or misreads a good part of BPMN without a word: a link event ends the process,
`-PT5S` waits five seconds, an event subprocess changes the shared diagram for everybody. What it
does not do as drawn is refused here, in words an analyst understands. Used by UI, CLI and tests.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from app.engine import (
    checks_content,
    checks_elements,
    checks_flow,
    checks_overdue,
    diagram,
    parser,
)
from app.engine.checks_model import Problem, Sheet, Vocabulary

__all__ = ["Problem", "Vocabulary", "check"]

MAX_ELEMENTS = 150
"""Per file; the parser recurses along the flow and would not survive thousands."""


def check(sources: Mapping[str, bytes], process_key: str, vocabulary: Vocabulary) -> list[Problem]:
    """All problems of the bundle (file name → XML), in drawing order; empty means publishable."""
    sheets, problems = _read(sources)
    if problems:
        return problems
    problems += _across(sheets, process_key)
    for sheet in sheets:
        problems += checks_elements.check(sheet)
        problems += checks_content.check(sheet, vocabulary)
        problems += checks_flow.check(sheet)
    problems += checks_overdue.check(sheets, vocabulary)
    if not problems:
        problems += _engine_refuses(sources, process_key)
    return list(dict.fromkeys(problems))


def _read(sources: Mapping[str, bytes]) -> tuple[list[Sheet], list[Problem]]:
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    for name, xml in sources.items():
        try:
            root = diagram.read(xml)
        except diagram.BadDiagram as error:
            problems.append(Problem("", name, "unreadable", f"文件“{name}”：{error}"))
            continue
        sheet = Sheet(name, root)
        if len(sheet.nodes) > MAX_ELEMENTS:
            text = f"文件“{name}”有 {len(sheet.nodes)} 个元素，超过 {MAX_ELEMENTS} 个，请拆成多张图"
            problems.append(Problem("", name, "too_large", text))
        sheets.append(sheet)
    return sheets, problems


def _across(sheets: list[Sheet], process_key: str) -> Iterator[Problem]:
    """What only shows when all files are seen together."""
    processes = {p.get("id"): (sheet, p) for sheet in sheets for p in sheet.processes}
    if process_key not in processes:
        yield Problem(process_key, "", "process_missing", f"找不到流程“{process_key}”")
    scopes = Counter(scope.get("id") for sheet in sheets for scope in sheet.scopes)
    errors = {code for sheet in sheets for code in sheet.caught_errors()}
    for sheet in sheets:
        for scope in sheet.scopes:
            if scopes[scope.get("id")] > 1:
                yield sheet.problem(scope, "duplicate_id", "流程或子流程的编号在所有文件中必须唯一")
        for call in sheet.all("callActivity"):
            called = call.get("calledElement") or ""
            if called not in processes:
                what = f"流程“{called}”" if called else "（未填写）"
                yield sheet.problem(call, "called_unknown", f"调用的流程不存在：{what}")
        for end in sheet.all("endEvent"):
            for definition in sheet.definitions(end, "errorEventDefinition"):
                if not errors & {sheet.error_code(definition), None}:
                    yield sheet.problem(end, "error_never_caught", "抛出的错误没有任何边界事件捕获")


def _engine_refuses(sources: Mapping[str, bytes], process_key: str) -> Iterator[Any]:
    """The last word: what passed every check above must also parse."""
    try:
        parser.parse(sources, process_key)
    except diagram.BadDiagram as error:
        yield Problem(process_key, "", "engine_refuses", str(error))
