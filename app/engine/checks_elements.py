"""Publish gate, part one: elements the engine does not run as drawn, ids, and events."""

from collections import Counter
from collections.abc import Iterator

from app.engine.checks_model import ACTIVITIES, NODES, Problem, Sheet
from app.engine.diagram import SPIFF, tag_of

FORBIDDEN: dict[str, tuple[str, str]] = {
    "linkEventDefinition": ("link_event", "不支持链接事件：流程会在此处悄悄结束，请直接连线"),
    "compensateEventDefinition": ("compensation", "不支持补偿事件"),
    "cancelEventDefinition": ("cancel_event", "不支持取消事件"),
    "conditionalEventDefinition": (
        "conditional_event",
        "条件事件不会自动触发，请改用消息事件或网关",
    ),
    "complexGateway": ("complex_gateway", "不支持复杂网关"),
    "adHocSubProcess": ("ad_hoc", "不支持即席子流程"),
    "transaction": ("transaction", "不支持事务子流程，请改用普通子流程"),
    "businessRuleTask": ("business_rule", "不支持业务规则任务，请改用服务任务"),
    "manualTask": ("manual_task", "手工任务没有人能办理，请改用用户任务"),
    "task": ("untyped_task", "任务没有类型，请选择用户任务或服务任务"),
    "sendTask": ("send_task", "发送任务不会把消息送出系统，请改用服务任务"),
    "multiInstanceLoopCharacteristics": (
        "multi_instance",
        "不支持多实例：请改用并行网关或多次分派",
    ),
    "ioSpecification": ("io_specification", "不支持输入输出规格，变量直接读写"),
    "dataInputAssociation": ("data_association", "数据连线不参与执行，请删除"),
    "dataOutputAssociation": ("data_association", "数据连线不参与执行，请删除"),
    "dataObject": ("data_object", "数据对象不参与执行，请改用文本注释"),
    "dataStoreReference": ("data_store", "数据存储不参与执行，请改用文本注释"),
    "correlationProperty": ("correlation", "不支持消息关联键：消息按工单号送达"),
    "choreography": ("choreography", "不支持编排图"),
}
RESERVED = frozenset({"Start", "End", "Root", "StartEventSplit", "StartEventJoin"})
"""Names SpiffWorkflow gives to tasks of its own."""
_FOREIGN_TIMES = frozenset({"inputDataItem", "outputDataItem"})
_EVENT_MAY_HOLD: dict[str, frozenset[str]] = {
    "startEvent": frozenset(),
    "endEvent": frozenset({"error", "escalation", "signal", "terminate"}),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal"}),
    "intermediateThrowEvent": frozenset({"escalation", "signal"}),
    "boundaryEvent": frozenset({"message", "timer", "signal", "error", "escalation"}),
}


def check(sheet: Sheet) -> Iterator[Problem]:
    """Problems of single elements."""
    yield from _ids(sheet)
    yield from _processes(sheet)
    for element in sheet.root.iter():
        if tag_of(element) in FORBIDDEN:
            code, text = FORBIDDEN[tag_of(element)]
            yield sheet.problem(element, code, text)
    for scope in sheet.all("subProcess"):
        if scope.get("triggeredByEvent") == "true":
            text = "不支持事件子流程，请改用活动上的边界消息事件"
            yield sheet.problem(scope, "event_subprocess", text)
    yield from _events(sheet)
    yield from _receivers(sheet)
    for loop in sheet.all("standardLoopCharacteristics"):
        maximum = loop.get("loopMaximum") or ""
        if not (maximum.isdecimal() and 0 < int(maximum) <= 100):
            yield sheet.problem(loop, "loop_maximum", "循环须填写最大次数（1–100）")


def _ids(sheet: Sheet) -> Iterator[Problem]:
    elements = [e for e in sheet.root.iter() if tag_of(e) and tag_of(e) not in _FOREIGN_TIMES]
    times = Counter(e.get("id") for e in elements if e.get("id"))
    for element in elements:
        name = element.get("id")
        if name is None and (tag_of(element) in NODES or tag_of(element) == "process"):
            yield sheet.problem(element, "id_missing", f"有一个 {tag_of(element)} 没有编号")
        elif name in RESERVED or (name and name.endswith(".EndJoin")):
            yield sheet.problem(element, "reserved_id", f"编号 {name} 由引擎保留，请改名")
        elif name and times[name] > 1:
            yield sheet.problem(element, "duplicate_id", f"编号 {name} 重复")


def _processes(sheet: Sheet) -> Iterator[Problem]:
    if not sheet.processes:
        yield Problem("", sheet.name, "process_missing", f"文件“{sheet.name}”里没有流程")
    for process in sheet.processes:
        if process.get("isExecutable") == "false":
            yield sheet.problem(process, "not_executable", "流程没有勾选“可执行”")
    for scope in sheet.scopes:
        starts = [n for n in sheet.nodes_in(scope) if tag_of(n) == "startEvent"]
        ends = [n for n in sheet.nodes_in(scope) if tag_of(n) == "endEvent"]
        if not starts:
            yield sheet.problem(scope, "start_missing", "缺少开始事件")
        if len(starts) > 1:
            yield sheet.problem(scope, "several_starts", "只能有一个开始事件")
        if not ends:
            yield sheet.problem(scope, "end_missing", "缺少结束事件")


def _events(sheet: Sheet) -> Iterator[Problem]:
    for event in (n for n in sheet.nodes if tag_of(n) in _EVENT_MAY_HOLD):
        tag = tag_of(event)
        kinds = [tag_of(d).removesuffix("EventDefinition") for d in sheet.definitions(event)]
        if len(kinds) > 1:
            yield sheet.problem(event, "several_definitions", "一个事件只能有一种触发方式")
        for kind in kinds:
            if f"{kind}EventDefinition" in FORBIDDEN or kind in _EVENT_MAY_HOLD[tag]:
                continue
            if tag == "startEvent":
                text = "开始事件不能带触发方式：流程由系统启动"
                yield sheet.problem(event, "typed_start", text)
            elif kind == "message":
                text = "抛出的消息不会送出系统，请改用服务任务"
                yield sheet.problem(event, "throws_message", text)
            else:
                yield sheet.problem(event, "event_unsupported", f"此处不支持 {kind} 事件")
        if not kinds and tag in {"intermediateCatchEvent", "boundaryEvent"}:
            yield sheet.problem(event, "definition_missing", "事件没有触发方式（消息或定时）")
        if tag == "boundaryEvent":
            host = sheet.by_id.get(event.get("attachedToRef") or "")
            if host is None or tag_of(host) not in ACTIVITIES:
                yield sheet.problem(event, "attached_unknown", "边界事件没有附着在活动上")
            elif set(kinds) & {"error", "escalation"} and tag_of(host) not in {
                "subProcess",
                "callActivity",
            }:
                text = "错误和升级只能在子流程或调用活动的边界上捕获"
                yield sheet.problem(event, "error_never_caught", text)


def _receivers(sheet: Sheet) -> Iterator[Problem]:
    holders = [*sheet.all("messageEventDefinition"), *sheet.all("receiveTask")]
    for holder in holders:
        if not sheet.messages.get(holder.get("messageRef") or ""):
            yield sheet.problem(holder, "message_unknown", "没有选择消息，或消息没有名称")
        for tag in ("messageVariable", "messagePayload"):
            if next(holder.iter(SPIFF + tag), None) is not None:
                text = "消息内容直接并入变量，请删除消息变量和消息内容"
                yield sheet.problem(holder, "message_variable", text)
    for definition in sheet.all("signalEventDefinition"):
        if not definition.get("signalRef"):
            yield sheet.problem(definition, "signal_unknown", "没有选择信号")
