"""Publish gate, part two: expressions, scripts, timers, and the words of the vocabulary."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal

from app.engine import expressions
from app.engine.checks_model import Problem, Sheet, Vocabulary
from app.engine.diagram import MODEL, SPIFF, properties_of, tag_of

_ISO_LOOK = re.compile(r"[-+]?(P|R)[0-9TPYMWDHS./:Z+-]*", re.IGNORECASE)
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)W|(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)"
)
_TIMERS = ("timeDuration", "timeDate", "timeCycle")


def check(sheet: Sheet, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Problems of what is written into the elements."""
    for holder, source, mode, what in _programs(sheet):
        text = _refusal(source, mode)
        if text:
            yield sheet.problem(holder, "bad_expression", f"{what}有误：{text}")
    for definition in sheet.all("timerEventDefinition"):
        yield from _timer(sheet, definition)
    yield from _services(sheet, vocabulary)
    yield from _properties(sheet, vocabulary)


# ---------------------------------------------------------------- expressions


def _programs(sheet: Sheet) -> Iterator[tuple[Any, str, Literal["eval", "exec"], str]]:
    """(element, text, mode, what it is) of every piece of the language in the file."""
    for condition in sheet.all("conditionExpression"):
        yield condition.getparent(), condition.text or "", "eval", "连线条件"
    for task in sheet.all("scriptTask"):
        yield task, task.findtext(f"{MODEL}script") or "", "exec", "脚本"
    for condition in sheet.all("loopCondition"):
        yield condition, condition.text or "", "eval", "循环条件"
    for tag, what in (("preScript", "前置脚本"), ("postScript", "后置脚本")):
        for script in sheet.root.iter(SPIFF + tag):
            yield script, script.text or "", "exec", what
    for parameter in sheet.root.iter(f"{SPIFF}parameter"):
        yield parameter.getparent(), parameter.get("value") or "", "eval", "服务参数"
    for payload in sheet.root.iter(f"{SPIFF}payloadExpression"):
        yield payload.getparent(), payload.text or "", "eval", "信号内容"


def _refusal(source: str, mode: Literal["eval", "exec"]) -> str | None:
    try:
        expressions.validate(source, mode)
    except expressions.UnsafeExpression as error:
        return str(error)
    return None


# ---------------------------------------------------------------- timers


def _timer(sheet: Sheet, definition: Any) -> Iterator[Problem]:
    found = [(tag, e) for tag in _TIMERS for e in definition.iterfind(MODEL + tag)]
    event = definition.getparent()
    if len(found) != 1:
        yield sheet.problem(event, "timer_missing", "定时须填写且只填写一种：时长、时刻或周期")
        return
    tag, element = found[0]
    source = (element.text or "").strip()
    if _ISO_LOOK.fullmatch(source) and any(c.isdigit() for c in source):
        text = f'定时值 {source} 没有加引号，会被当成变量名，请写成 "{source}"'
        yield sheet.problem(event, "timer_unquoted", text)
        return
    refusal = _refusal(source, "eval")
    if refusal:
        yield sheet.problem(event, "bad_expression", f"定时值有误：{refusal}")
        return
    if tag == "timeCycle" and (
        tag_of(event) != "boundaryEvent" or event.get("cancelActivity") != "false"
    ):
        yield sheet.problem(event, "timer_cycle_place", "周期定时只能用在不中断的边界事件上")
    literal = _constant(source)
    if literal is not None:
        wrong = _LITERALS[tag](literal)
        if wrong:
            yield sheet.problem(event, "timer_value", f"定时值 {literal}：{wrong}")


def _constant(source: str) -> Any:
    """The value of an expression without variables; None when it has any or fails."""
    environment = expressions.SafeEnvironment(lambda name, params, data: {})
    try:
        return environment.evaluate(source, {})
    except NameError:
        return None
    except (ValueError, TypeError, ArithmeticError, IndexError):
        return ""


def _wrong_duration(value: Any) -> str | None:
    if not isinstance(value, str) or not value.startswith("P"):
        return '时长须以 P 开头，例如 "P3D" 或 "PT4H"（不能为负）'
    match = _DURATION.fullmatch(value)
    if match is None:
        return '不是有效的时长，例如 "P3D" 或 "PT4H"'
    weeks, years, months, *rest = (int(part or 0) for part in match.groups())
    if years or months:
        return "年和月长短不一，请用天或周"
    if not (weeks or any(rest)):
        return "时长不能为零"
    return None


def _wrong_date(value: Any) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return '不是有效的时刻，例如 "2026-12-01T18:00:00+08:00"'
    return None if moment.tzinfo else "时刻缺少时区，例如 +08:00"


def _wrong_cycle(value: Any) -> str | None:
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2 or not re.fullmatch(r"R\d*", parts[0]) or parts[0] == "R0":
        return '不是有效的周期，例如 "R3/PT1H"'
    return _wrong_duration(parts[1])


_LITERALS: dict[str, Callable[[Any], str | None]] = {
    "timeDuration": _wrong_duration,
    "timeDate": _wrong_date,
    "timeCycle": _wrong_cycle,
}


# ---------------------------------------------------------------- vocabulary


def _services(sheet: Sheet, vocabulary: Vocabulary) -> Iterator[Problem]:
    for task in sheet.all("serviceTask"):
        path = f"{MODEL}extensionElements/{SPIFF}serviceTaskOperator"
        operators = task.findall(path)
        name = operators[0].get("id") if operators else None
        if not name:
            yield sheet.problem(task, "operator_missing", "服务任务没有选择处理程序")
        elif vocabulary.handlers is not None and name not in vocabulary.handlers:
            yield sheet.problem(task, "handler_unknown", f"处理程序 {name} 不存在")
        for parameter in task.iter(f"{SPIFF}parameter"):
            if not parameter.get("id"):
                yield sheet.problem(task, "parameter_unnamed", "有一个服务参数没有名称")


def _properties(sheet: Sheet, vocabulary: Vocabulary) -> Iterator[Problem]:
    words = {
        "form": (vocabulary.forms, "form_unknown", "表单"),
        "role": (vocabulary.roles, "role_unknown", "角色"),
        "deadline": (vocabulary.deadline_keys, "deadline_unknown", "时限"),
        "unit": (vocabulary.units, "unit_unknown", "承办单位变量"),
    }
    for item in sheet.root.iter(f"{SPIFF}property"):
        if not item.get("name") or item.get("value") is None:
            yield sheet.problem(item, "property_incomplete", "有一个属性缺少名称或值")
    for node in sheet.nodes:
        properties = properties_of(node)
        if tag_of(node) == "userTask" and not properties.get("role"):
            yield sheet.problem(node, "role_missing", "用户任务没有指定角色，没有人能办理")
        if "variant" in properties:
            yield from _variant(sheet, node, properties, vocabulary)
        if "status" in properties:
            yield from _status(sheet, node, properties["status"], vocabulary)
        for key, value in properties.items():
            known, code, what = words.get(key, (None, "", ""))
            if key == "form" and "variant" in properties:
                continue  # a family of forms, judged above
            if known is not None and value not in known:
                yield sheet.problem(node, code, f"{what} {value} 不存在")


_WAITS = frozenset({"userTask", "receiveTask", "intermediateCatchEvent", "eventBasedGateway"})


def _status(sheet: Sheet, node: Any, value: str, vocabulary: Vocabulary) -> Iterator[Problem]:
    """A state can be meant where the diagram waits, and where it ends."""
    is_end = tag_of(node) == "endEvent"
    if not is_end and tag_of(node) not in _WAITS:
        text = "工单状态只能写在用户任务、等待的事件、事件网关和结束事件上"
        yield sheet.problem(node, "status_place", text)
        return
    before = [sheet.by_id.get(f.get("sourceRef")) for f in sheet.incoming[node.get("id")]]
    if any(each is not None and tag_of(each) == "eventBasedGateway" for each in before):
        yield sheet.problem(node, "status_place", "等待的是事件网关，请把工单状态写在网关上")
    known = vocabulary.ends if is_end else vocabulary.statuses
    if known is not None and value not in known:
        yield sheet.problem(node, "status_unknown", f"工单状态 {value} 不存在，或不能用在此处")


def _variant(
    sheet: Sheet, node: Any, properties: dict[str, str], vocabulary: Vocabulary
) -> Iterator[Problem]:
    """A task whose form depends on a variable: the family must have a member."""
    variable, form = properties["variant"], properties.get("form")
    if not variable.isidentifier() or variable.startswith("_"):
        yield sheet.problem(node, "variant_name", f"表单随变量 {variable} 变化，但变量名不合法")
    if not form:
        yield sheet.problem(node, "variant_without_form", "写了 variant，没有写 form")
    elif vocabulary.forms is not None and not any(
        known.startswith(f"{form}.") for known in vocabulary.forms
    ):
        yield sheet.problem(node, "form_unknown", f"表单 {form} 没有随变量变化的表单")
