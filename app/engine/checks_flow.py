"""Publish gate, part three: gateways, flows, and whether everything can be reached and left."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.engine.checks_model import GATEWAYS, Problem, Sheet
from app.engine.diagram import MODEL, tag_of

_CHOOSERS = frozenset({"exclusiveGateway", "inclusiveGateway"})
_PASSIVE = frozenset({*GATEWAYS, "intermediateThrowEvent"})
"""Nothing happens in these: a circle of them alone can never end."""


def check(sheet: Sheet) -> Iterator[Problem]:
    """Problems of how the elements are connected."""
    yield from _flows(sheet)
    for node in sheet.nodes:
        if tag_of(node) in _CHOOSERS:
            yield from _chooser(sheet, node)
        elif tag_of(node) == "eventBasedGateway":
            yield from _event_gateway(sheet, node)
        else:
            yield from _plain(sheet, node)
    for scope in sheet.scopes:
        yield from _reachability(sheet, scope)


def _has_condition(flow: Any) -> bool:
    return flow.find(f"{MODEL}conditionExpression") is not None


def _flows(sheet: Sheet) -> Iterator[Problem]:
    for flow in sheet.flows:
        source = sheet.by_id.get(flow.get("sourceRef") or "")
        target = sheet.by_id.get(flow.get("targetRef") or "")
        if source is None or target is None:
            yield sheet.problem(flow, "flow_dangling", "连线的一端没有连到元素上")
        elif not (source.getparent() is target.getparent() is flow.getparent()):
            yield sheet.problem(flow, "flow_crosses", "连线不能跨越子流程或流程的边界")
        elif tag_of(target) in {"startEvent", "boundaryEvent"}:
            yield sheet.problem(flow, "flow_into_start", "连线不能进入开始事件或边界事件")
        elif tag_of(source) == "endEvent":
            yield sheet.problem(flow, "flow_out_of_end", "连线不能从结束事件引出")


def _chooser(sheet: Sheet, gateway: Any) -> Iterator[Problem]:
    flows = sheet.outgoing[gateway.get("id", "")]
    default = gateway.get("default")
    if default and default not in {flow.get("id") for flow in flows}:
        yield sheet.problem(gateway, "default_unknown", "默认连线不是本网关引出的连线")
    elif not default and (len(flows) > 1 or any(_has_condition(flow) for flow in flows)):
        text = "网关没有默认连线：条件都不满足时流程会出错"
        yield sheet.problem(gateway, "default_missing", text)
    for flow in flows:
        if flow.get("id") == default:
            if _has_condition(flow):
                yield sheet.problem(flow, "default_condition", "默认连线上的条件会被忽略，请删除")
        elif len(flows) > 1 and not _has_condition(flow):
            yield sheet.problem(flow, "condition_missing", "网关引出的连线缺少条件")


def _event_gateway(sheet: Sheet, gateway: Any) -> Iterator[Problem]:
    timers = 0
    for flow in sheet.outgoing[gateway.get("id", "")]:
        target = sheet.by_id.get(flow.get("targetRef") or "")
        if target is None:
            continue
        if tag_of(target) != "intermediateCatchEvent":
            yield sheet.problem(flow, "event_gateway_target", "事件网关后只能接中间捕获事件")
        elif len(sheet.incoming[target.get("id", "")]) > 1:
            yield sheet.problem(target, "event_gateway_target", "事件网关后的事件不能再有其他来路")
        timers += len(sheet.definitions(target, "timerEventDefinition"))
        if _has_condition(flow):
            yield sheet.problem(flow, "condition_ignored", "此连线上的条件会被忽略，请删除")
    if timers > 1:
        text = "事件网关后只能有一个定时：多个定时会互相覆盖"
        yield sheet.problem(gateway, "event_gateway_timers", text)


def _plain(sheet: Sheet, node: Any) -> Iterator[Problem]:
    """Whatever does not choose: conditions are ignored, and only a fork may have several exits."""
    flows = sheet.outgoing[node.get("id", "")]
    for flow in flows:
        if _has_condition(flow):
            yield sheet.problem(
                flow, "condition_ignored", "只有排他和包容网关的连线条件有效，请加网关"
            )
    if len(flows) > 1 and tag_of(node) != "parallelGateway":
        yield sheet.problem(node, "several_outgoing", "引出多条连线须用网关")
    if node.get("default"):
        yield sheet.problem(node, "default_ignored", "只有排他和包容网关才能设默认连线")


def _reachability(sheet: Sheet, scope: Any) -> Iterator[Problem]:
    nodes = {node.get("id", ""): node for node in sheet.nodes_in(scope)}
    forward: dict[str, list[str]] = defaultdict(list)
    backward: dict[str, list[str]] = defaultdict(list)
    for flow in scope.iterfind(f"{MODEL}sequenceFlow"):
        source, target = flow.get("sourceRef") or "", flow.get("targetRef") or ""
        forward[source].append(target)
        backward[target].append(source)
    passive = {i: [t for t in targets if t in nodes] for i, targets in forward.items()}
    for node_id, node in nodes.items():
        if tag_of(node) == "boundaryEvent":
            forward[node.get("attachedToRef") or ""].append(node_id)
    starts = [i for i, n in nodes.items() if tag_of(n) == "startEvent"]
    ends = [i for i, n in nodes.items() if tag_of(n) == "endEvent"]
    reached, leaves = _closure(starts, forward), _closure(ends, backward)
    for node_id, node in nodes.items():
        if starts and node_id not in reached:
            yield sheet.problem(node, "unreachable", "从开始事件走不到这里")
        elif ends and node_id not in leaves:
            yield sheet.problem(node, "no_way_out", "从这里走不到任何结束事件")
    idle = {i: n for i, n in nodes.items() if tag_of(n) in _PASSIVE}
    for node_id, node in idle.items():
        onward = {i: [t for t in passive.get(i, []) if t in idle] for i in idle}
        if node_id in _closure(onward[node_id], onward):
            yield sheet.problem(node, "endless_loop", "只由网关组成的循环永远不会停")


def _closure(start: Iterable[str], edges: Mapping[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        node_id = waiting.pop()
        if node_id not in seen:
            seen.add(node_id)
            waiting.extend(edges.get(node_id, ()))
    return seen
