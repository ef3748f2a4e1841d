"""The publish gate: one row for each thing the engine would do otherwise than drawn."""

from itertools import pairwise

import pytest

from app.engine import parser
from app.engine.checks import Problem, Vocabulary, check
from tests.unit.engine.flows import DIAGRAMS, HEAD, bundle, flow_of

OPEN = Vocabulary()
STRICT = Vocabulary(
    handlers=frozenset({"delegation.assign_unit"}),
    forms=frozenset({"accept", "investigation", "audit"}),
    roles=frozenset({"operator", "handler", "auditor"}),
    deadline_keys=frozenset({"sign_in", "handle", "audit"}),
    statuses=frozenset({"submitted", "handling", "auditing"}),
    ends=frozenset({"archived"}),
    units=frozenset({"handling_unit"}),
)
START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
MESSAGE = '<bpmn:message id="m" name="decide.it"/>'


def user(element_id: str, inner: str = "", role: str = "handler") -> str:
    """A user task with a role."""
    return (
        f'<bpmn:userTask id="{element_id}" name="办理"><bpmn:extensionElements>'
        f'<spiffworkflow:properties><spiffworkflow:property name="role" value="{role}"/>'
        f"{inner}</spiffworkflow:properties></bpmn:extensionElements></bpmn:userTask>"
    )


def timer(kind: str, text: str, *, interrupting: bool = True) -> str:
    """A user task `u` with a boundary timer that leads to the end."""
    return (
        START + user("u") + '<bpmn:boundaryEvent id="t" attachedToRef="u" '
        f'cancelActivity="{str(interrupting).lower()}">'
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}>"
        "</bpmn:timerEventDefinition></bpmn:boundaryEvent>" + END + flow_of("s>u", "u>e", "t>e")
    )


def between(middle: str, *flows: str) -> str:
    """Start, these elements, end."""
    return START + middle + END + flow_of(*flows)


def task(tag: str, inner: str = "", attributes: str = "") -> str:
    """Start, one element `x`, end."""
    element = f'<bpmn:{tag} id="x" {attributes}>{inner}</bpmn:{tag}>'
    return between(element, "s>x", "x>e")


def extension(inner: str) -> str:
    return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"


def codes(xml: bytes, vocabulary: Vocabulary = OPEN) -> set[tuple[str, str]]:
    return {(p.element_id, p.code) for p in check({"main.bpmn": xml}, "main", vocabulary)}


OPERATOR = '<spiffworkflow:serviceTaskOperator id="a.b">{}</spiffworkflow:serviceTaskOperator>'
PARAMETER = "<spiffworkflow:parameters><spiffworkflow:parameter {}/></spiffworkflow:parameters>"
SUB = (
    '<bpmn:subProcess id="x" {}><bpmn:startEvent id="xs"/>{}<bpmn:endEvent id="xe"/>{}'
    "</bpmn:subProcess>"
)
CHOICE = '<bpmn:exclusiveGateway id="g" {}/>' + user("u")
EVENT_GATEWAY = (
    '<bpmn:eventBasedGateway id="g"/><bpmn:intermediateCatchEvent id="a">'
    '<bpmn:timerEventDefinition><bpmn:timeDuration>"PT1H"</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
)


def catching(definition: str, tag: str = "intermediateCatchEvent") -> str:
    return task(tag, definition)


MESSAGE_EVENT = '<bpmn:messageEventDefinition messageRef="m"/>'
REFUSED: dict[str, tuple[str, str, str]] = {
    # name: (process body, element id, code)
    "link event": (catching("<bpmn:linkEventDefinition/>"), "x", "link_event"),
    "compensation": (
        catching("<bpmn:compensateEventDefinition/>", "intermediateThrowEvent"),
        "x",
        "compensation",
    ),
    "conditional event": (
        catching("<bpmn:conditionalEventDefinition><bpmn:condition>n</bpmn:condition></bpmn:conditionalEventDefinition>"),
        "x",
        "conditional_event",
    ),
    "complex gateway": (task("complexGateway"), "x", "complex_gateway"),
    "ad-hoc subprocess": (task("adHocSubProcess"), "x", "ad_hoc"),
    "transaction": (task("transaction"), "x", "transaction"),
    "business rule": (task("businessRuleTask"), "x", "business_rule"),
    "manual task": (task("manualTask"), "x", "manual_task"),
    "task without type": (task("task"), "x", "untyped_task"),
    "send task": (task("sendTask"), "x", "send_task"),
    "multi-instance": (
        between(
            user("x").replace(
                "</bpmn:userTask>",
                "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3"
                "</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>",
            ),
            "s>x",
            "x>e",
        ),
        "x",
        "multi_instance",
    ),
    "loop without maximum": (
        between(
            user("x").replace(
                "</bpmn:userTask>",
                "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>n</bpmn:loopCondition>"
                "</bpmn:standardLoopCharacteristics></bpmn:userTask>",
            ),
            "s>x",
            "x>e",
        ),
        "x",
        "loop_maximum",
    ),
    "data object": (between('<bpmn:dataObject id="d"/>', "s>e"), "d", "data_object"),
    "event subprocess": (
        between(SUB.format('triggeredByEvent="true"', "", flow_of("xs>xe")), "s>e"),
        "x",
        "event_subprocess",
    ),
    "throws message": (catching(MESSAGE_EVENT, "intermediateThrowEvent"), "x", "throws_message"),
    "typed start": (
        f'<bpmn:startEvent id="s">{MESSAGE_EVENT}</bpmn:startEvent>' + END + flow_of("s>e"),
        "s",
        "typed_start",
    ),
    "two triggers": (
        catching(MESSAGE_EVENT + '<bpmn:signalEventDefinition signalRef="x"/>'),
        "x",
        "several_definitions",
    ),
    "event without trigger": (catching(""), "x", "definition_missing"),
    "message not chosen": (catching("<bpmn:messageEventDefinition/>"), "x", "message_unknown"),
    "definition with an id of its own": (
        catching('<bpmn:messageEventDefinition id="inside" messageRef="other"/>'),
        "x",
        "message_unknown",
    ),
    "message not declared": (
        catching('<bpmn:messageEventDefinition messageRef="other"/>'),
        "x",
        "message_unknown",
    ),
    "receive task without message": (task("receiveTask"), "x", "message_unknown"),
    "message variable": (
        catching(
            '<bpmn:messageEventDefinition messageRef="m"><bpmn:extensionElements>'
            "<spiffworkflow:messageVariable>v</spiffworkflow:messageVariable>"
            "</bpmn:extensionElements></bpmn:messageEventDefinition>"
        ),
        "x",
        "message_variable",
    ),
    "boundary on nothing": (
        between(
            f'<bpmn:boundaryEvent id="b" attachedToRef="no">{MESSAGE_EVENT}</bpmn:boundaryEvent>',
            "s>e",
            "b>e",
        ),
        "b",
        "attached_unknown",
    ),
    "boundary on gateway": (
        between(
            '<bpmn:exclusiveGateway id="g"/><bpmn:boundaryEvent id="b" attachedToRef="g">'
            f"{MESSAGE_EVENT}</bpmn:boundaryEvent>",
            "s>g",
            "g>e",
            "b>e",
        ),
        "b",
        "attached_unknown",
    ),
    "error boundary on user task": (
        between(
            user("u") + '<bpmn:boundaryEvent id="b" attachedToRef="u"><bpmn:errorEventDefinition/>'
            "</bpmn:boundaryEvent>",
            "s>u",
            "u>e",
            "b>e",
        ),
        "b",
        "error_never_caught",
    ),
    "error nobody catches": (
        START + END.replace("/>", "><bpmn:errorEventDefinition/></bpmn:endEvent>") + flow_of("s>e"),
        "e",
        "error_never_caught",
    ),
    "two starts": (
        between('<bpmn:startEvent id="s2"/>', "s>e", "s2>e"),
        "main",
        "several_starts",
    ),
    "no start": (END, "main", "start_missing"),
    "no end": (START, "main", "end_missing"),
    "reserved id Start": (
        '<bpmn:startEvent id="Start"/>' + END + flow_of("Start>e"),
        "Start",
        "reserved_id",
    ),
    "reserved id End": (
        START + '<bpmn:endEvent id="End"/>' + flow_of("s>End"),
        "End",
        "reserved_id",
    ),
    "duplicate id": (between(user("s_e"), "s>s_e", "s_e>e", "s>e"), "s_e", "duplicate_id"),
    "element without id": (between("<bpmn:userTask/>", "s>e"), "main", "id_missing"),
    "unsafe script": (
        task("scriptTask", "<bpmn:script>import os</bpmn:script>"),
        "x",
        "bad_expression",
    ),
    "empty script": (task("scriptTask"), "x", "bad_expression"),
    "unsafe pre-script": (
        task("userTask", extension("<spiffworkflow:preScript>open(1)</spiffworkflow:preScript>")),
        "x",
        "bad_expression",
    ),
    "unsafe parameter": (
        task(
            "serviceTask",
            extension(OPERATOR.format(PARAMETER.format('id="p" value="n.x"'))),
        ),
        "x",
        "bad_expression",
    ),
    "parameter without name": (
        task("serviceTask", extension(OPERATOR.format(PARAMETER.format('value="1"')))),
        "x",
        "parameter_unnamed",
    ),
    "service without operator": (task("serviceTask"), "x", "operator_missing"),
    "user task without role": (task("userTask"), "x", "role_missing"),
    "property without value": (
        between(user("x", '<spiffworkflow:property name="form"/>'), "s>x", "x>e"),
        "x",
        "property_incomplete",
    ),
    "called process unknown": (
        task("callActivity", attributes='calledElement="nowhere"'),
        "x",
        "called_unknown",
    ),
    "called process empty": (task("callActivity"), "x", "called_unknown"),
    "unquoted duration": (timer("timeDuration", "P3D"), "t", "timer_unquoted"),
    "unquoted negative duration": (timer("timeDuration", "-PT5S"), "t", "timer_unquoted"),
    "unquoted cycle": (timer("timeCycle", "R3/PT1H"), "t", "timer_unquoted"),
    "negative duration": (timer("timeDuration", '"-PT5S"'), "t", "timer_value"),
    "zero duration": (timer("timeDuration", '"PT0S"'), "t", "timer_value"),
    "nothing but P": (timer("timeDuration", '"P"'), "t", "timer_value"),
    "duration without P": (timer("timeDuration", '"1D"'), "t", "timer_value"),
    "composed zero": (timer("timeDuration", '"PT" + "0H"'), "t", "timer_value"),
    "number as duration": (timer("timeDuration", "5"), "t", "timer_value"),
    "months": (timer("timeDuration", '"P1M"'), "t", "timer_value"),
    "failing duration": (timer("timeDuration", '"P" + 1'), "t", "timer_value"),
    "date without zone": (timer("timeDate", '"2026-12-01T18:00:00"'), "t", "timer_value"),
    "no date": (timer("timeDate", '"tomorrow"'), "t", "timer_value"),
    "cron": (timer("timeCycle", '"0 8 * * *"', interrupting=False), "t", "timer_value"),
    "no repetition": (timer("timeCycle", '"R0/PT1H"', interrupting=False), "t", "timer_value"),
    "zero cycle": (timer("timeCycle", '"R3/PT0S"', interrupting=False), "t", "timer_value"),
    "interrupting cycle": (timer("timeCycle", '"R3/PT1H"'), "t", "timer_cycle_place"),
    "empty timer": (timer("documentation", ""), "t", "timer_missing"),
    "unsafe timer": (timer("timeDuration", "now.x"), "t", "bad_expression"),
    "gateway without default": (
        between(CHOICE.format(""), "s>g", "g>u if n == 1", "g>e if n == 2", "u>e"),
        "g",
        "default_missing",
    ),
    "single exit with condition": (
        between('<bpmn:inclusiveGateway id="g"/>', "s>g", "g>e if n"),
        "g",
        "default_missing",
    ),
    "default of another": (
        between(CHOICE.format('default="s_g"'), "s>g", "g>u if n", "g>e if n", "u>e"),
        "g",
        "default_unknown",
    ),
    "default with condition": (
        between(CHOICE.format('default="g_e"'), "s>g", "g>u if n", "g>e if n", "u>e"),
        "g_e",
        "default_condition",
    ),
    "exit without condition": (
        between(CHOICE.format('default="g_e"'), "s>g", "g>u", "g>e", "u>e"),
        "g_u",
        "condition_missing",
    ),
    "template condition": (
        between(CHOICE.format('default="g_e"'), "s>g", "g>u if ${n}", "g>e", "u>e"),
        "g_u",
        "bad_expression",
    ),
    "condition after a task": (between(user("u"), "s>u", "u>e if n"), "u_e", "condition_ignored"),
    "condition after a fork": (
        between('<bpmn:parallelGateway id="g"/>', "s>g", "g>e if n"),
        "g_e",
        "condition_ignored",
    ),
    "two exits of a task": (
        between(user("u") + user("v"), "s>u", "u>e", "u>v", "v>e"),
        "u",
        "several_outgoing",
    ),
    "event gateway to a task": (
        between('<bpmn:eventBasedGateway id="g"/>' + user("u"), "s>g", "g>u", "u>e"),
        "g_u",
        "event_gateway_target",
    ),
    "event gateway with two timers": (
        between(
            EVENT_GATEWAY + EVENT_GATEWAY.partition("/>")[2].replace('id="a"', 'id="b"'),
            "s>g",
            "g>a",
            "g>b",
            "a>e",
            "b>e",
        ),
        "g",
        "event_gateway_timers",
    ),
    "dangling flow": (between("", "s>e", "s>nowhere"), "s_nowhere", "flow_dangling"),
    "flow across": (
        between(SUB.format("", user("xu"), flow_of("xs>xu", "xu>xe")), "s>x", "x>e", "s>xu"),
        "s_xu",
        "flow_crosses",
    ),
    "flow into start": (between(user("u"), "s>u", "u>e", "u>s"), "u_s", "flow_into_start"),
    "flow out of end": (between(user("u"), "s>u", "u>e", "e>u"), "e_u", "flow_out_of_end"),
    "unreachable": (between(user("u"), "s>e", "u>e"), "u", "unreachable"),
    "dead end": (between(user("u"), "s>u"), "u", "no_way_out"),
    "circle of gateways": (
        between(
            '<bpmn:exclusiveGateway id="g"/><bpmn:exclusiveGateway id="h" default="h_g"/>',
            "s>g",
            "g>h",
            "h>g",
            "h>e if n",
        ),
        "g",
        "endless_loop",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "element", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_gate_refuses(body: str, element: str, code: str) -> None:
    problems = check({"main.bpmn": bundle(body, before=MESSAGE)}, "main", OPEN)

    assert (element, code) in {(p.element_id, p.code) for p in problems}
    assert all(p.message and any("一" <= c <= "鿿" for c in p.message) for p in problems)


ACCEPTED = {
    "variable as duration": timer("timeDuration", "wait_for"),
    "composed duration": timer("timeDuration", '"PT" + str(hours) + "H"'),
    "date variable": timer("timeDate", "due_at"),
    "date with zone": timer("timeDate", '"2026-12-01T18:00:00+08:00"'),
    "cycle beside": timer("timeCycle", '"R3/PT30M"', interrupting=False),
    "message": catching(MESSAGE_EVENT),
    "receive task": task("receiveTask", attributes='messageRef="m"'),
    "safe script": task("scriptTask", '<bpmn:script>done = n == 1 or "x" in t</bpmn:script>'),
    "merge gateway": between('<bpmn:exclusiveGateway id="g"/>', "s>g", "g>e"),
    "parameter without type": task(
        "serviceTask", extension(OPERATOR.format(PARAMETER.format('id="p" value="n"')))
    ),
    "subprocess": between(SUB.format("", user("xu"), flow_of("xs>xu", "xu>xe")), "s>x", "x>e"),
    "retry circle": between(
        '<bpmn:exclusiveGateway id="g"/>'
        + user("u")
        + '<bpmn:exclusiveGateway id="h" default="h_e"/>',
        "s>g",
        "g>u",
        "u>h",
        "h>g if n",
        "h>e",
    ),
    "comment and annotation": between(
        '<!-- note --><bpmn:textAnnotation id="n"><bpmn:text>x</bpmn:text></bpmn:textAnnotation>',
        "s>e",
    ),
    "calls itself": between(
        user("u") + '<bpmn:callActivity id="x" calledElement="main"/>', "s>u", "u>x", "x>e"
    ),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_gate_accepts(body: str) -> None:
    xml = bundle(body, before=MESSAGE)
    assert check({"main.bpmn": xml}, "main", OPEN) == []
    assert parser.parse({"main.bpmn": xml}, "main").process_key == "main"


@pytest.mark.parametrize("name", ["three_tasks", "ticket_like"])
def test_our_own_diagrams_pass(name: str) -> None:
    xml = (DIAGRAMS / f"{name}.bpmn").read_bytes()
    assert check({name: xml}, name, STRICT if name == "three_tasks" else OPEN) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('id="delegation.assign_unit"', 'id="delegation.assing"', "handler_unknown"),
        ('value="investigation"', 'value="investigatoin"', "form_unknown"),
        ('value="auditor"', 'value="autidor"', "role_unknown"),
        ('value="sign_in"', 'value="sing_in"', "deadline_unknown"),
        ('value="handling"', 'value="handeling"', "status_unknown"),
        ('value="handling_unit"', 'value="unit"', "unit_unknown"),
    ],
)
def test_misspelt_word_is_found(old: str, new: str, code: str) -> None:
    xml = (DIAGRAMS / "three_tasks.bpmn").read_text().replace(old, new).encode()

    (problem,) = check({"three_tasks": xml}, "three_tasks", STRICT)

    assert problem.code == code
    assert problem.element_name in problem.message
    assert check({"three_tasks": xml}, "three_tasks", OPEN) == []


STATUS = (
    "<bpmn:extensionElements><spiffworkflow:properties>"
    '<spiffworkflow:property name="status" value="{}"/>'
    "</spiffworkflow:properties></bpmn:extensionElements>"
)
CATCH = '<bpmn:intermediateCatchEvent id="{}">{}{}</bpmn:intermediateCatchEvent>'
BY_MESSAGE = '<bpmn:messageEventDefinition messageRef="m"/>'
BY_TIME = "<bpmn:timerEventDefinition><bpmn:timeDuration>&quot;P1D&quot;</bpmn:timeDuration>\
</bpmn:timerEventDefinition>"


def choice_of_events(gateway: str, catch: str) -> str:
    """An event gateway `g` before a message `c` and a timer, each with what stands in it."""
    return between(
        f'<bpmn:eventBasedGateway id="g">{gateway}</bpmn:eventBasedGateway>'
        + CATCH.format("c", catch, BY_MESSAGE)
        + CATCH.format("t", "", BY_TIME),
        *("s>g", "g>c", "g>t", "c>e", "t>e"),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (task("userTask", STATUS.format("handling")), {("x", "role_missing")}),
        (task("receiveTask", STATUS.format("handling"), 'messageRef="m"'), set()),
        (between(CATCH.format("c", STATUS.format("handling"), BY_MESSAGE), "s>c", "c>e"), set()),
        (
            between(CATCH.format("c", STATUS.format("archived"), BY_MESSAGE), "s>c", "c>e"),
            {("c", "status_unknown")},
        ),
        (choice_of_events(STATUS.format("handling"), ""), set()),
        (choice_of_events(STATUS.format("handeling"), ""), {("g", "status_unknown")}),
        (choice_of_events("", STATUS.format("handling")), {("c", "status_place")}),
        (task("scriptTask", f"{STATUS.format('handling')}<bpmn:script>a = 1</bpmn:script>"), "x"),
        (task("exclusiveGateway", STATUS.format("handling")), "x"),
        (
            START + f'<bpmn:endEvent id="e">{STATUS.format("archived")}</bpmn:endEvent>'
            f"{flow_of('s>e')}",
            set(),
        ),
        (
            START + f'<bpmn:endEvent id="e">{STATUS.format("handling")}</bpmn:endEvent>'
            f"{flow_of('s>e')}",
            {("e", "status_unknown")},
        ),
    ],
)
def test_a_state_stands_where_the_diagram_waits_or_ends(
    body: str, expected: set[tuple[str, str]] | str
) -> None:
    found = codes(bundle(body, before=MESSAGE), STRICT)

    assert found == ({(expected, "status_place")} if isinstance(expected, str) else expected)


PROPERTY = '<spiffworkflow:property name="{}" value="{}"/>'
FAMILY = Vocabulary(forms=frozenset({"investigate.complaint", "investigate", "audit"}))


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"form": "investigate", "variant": "ticket_type"}, None),
        ({"form": "investigate"}, None),
        ({"form": "audit", "variant": "ticket_type"}, "form_unknown"),
        ({"form": "investigate.complaint", "variant": "ticket_type"}, "form_unknown"),
        ({"form": "other", "variant": "ticket_type"}, "form_unknown"),
        ({"variant": "ticket_type"}, "variant_without_form"),
        ({"form": "investigate", "variant": "ticket type"}, "variant_name"),
        ({"form": "investigate", "variant": "_type"}, "variant_name"),
    ],
)
def test_a_family_of_forms_has_a_member_and_a_variable(
    properties: dict[str, str], code: str | None
) -> None:
    inner = "".join(PROPERTY.format(name, value) for name, value in properties.items())
    xml = bundle(between(user("u", inner), "s>u", "u>e"))

    assert codes(xml, FAMILY) == ({("u", code)} if code else set())


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    + HEAD
    + "<bpmn:documentation>&b;</bpmn:documentation></bpmn:definitions>"
)
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    + HEAD
    + "<bpmn:documentation>&a;</bpmn:documentation></bpmn:definitions>"
)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b"<html/>",
        b"<definitions/>",
        HEAD.encode(),
        LAUGHS.encode(),
        EXTERNAL.encode(),
        LAUGHS.encode("utf-16"),
        LAUGHS.replace('"1.0"', '"1.0" encoding="UTF-7"').encode("utf-7"),
        LAUGHS.replace('"1.0"', '"1.0" encoding="utf-16"').encode(),
        (HEAD + "<bpmn:documentation>&nbsp;</bpmn:documentation></bpmn:definitions>").encode(),
        bundle(between("", "s>e"))[:-3],
        bundle(between("", "s>e") + "<!--" + "x" * 2_000_000 + "-->"),
        b"\xff\xfe\x00\x00",
    ],
    ids=range(14),
)
def test_what_is_no_harmless_xml_is_unreadable(xml: bytes) -> None:
    assert {p.code for p in check({"f.bpmn": xml}, "main", OPEN)} == {"unreadable"}
    with pytest.raises(parser.BadDiagram):
        parser.parse({"f.bpmn": xml}, "main")


def test_byte_order_mark_is_no_problem() -> None:
    assert codes(b"\xef\xbb\xbf" + bundle(between("", "s>e"))) == set()


def test_process_must_be_there_and_executable() -> None:
    xml = bundle(between("", "s>e"), attributes='isExecutable="false"')
    assert codes(xml) == {("main", "not_executable")}
    assert check({"f": xml}, "other", OPEN)[0].code == "process_missing"
    empty = (HEAD + "</bpmn:definitions>").encode()
    assert {p.code for p in check({"f": empty}, "main", OPEN)} == {"process_missing"}


def test_called_diagram_may_be_in_another_file() -> None:
    main = bundle(task("callActivity", attributes='calledElement="part"'))
    part = bundle(between(user("u"), "s>u", "u>e")).replace(b'id="main"', b'id="part"')

    assert check({"main": main, "part": part}, "main", OPEN) == []
    assert parser.called_elements(main) == {"part"}
    assert parser.process_ids(part) == ["part"]
    parsed = parser.parse({"main": main, "part": part}, "main")
    assert list(parsed.subprocess_specs) == ["part"]
    assert parsed.user_tasks["part", "u"]["role"] == "handler"


def test_same_process_in_two_files_is_refused() -> None:
    xml = bundle(between("", "s>e"))
    problems = check({"a": xml, "b": xml}, "main", OPEN)
    assert {p.code for p in problems} == {"duplicate_id"}


def test_error_caught_in_the_calling_diagram_passes() -> None:
    error = '<bpmn:error id="er" errorCode="E1"/>'
    inner = (
        user("xu")
        + '<bpmn:endEvent id="xf"><bpmn:errorEventDefinition errorRef="er"/></bpmn:endEvent>'
    )
    body = between(
        SUB.format("", inner + '<bpmn:exclusiveGateway id="xg" default="xg_xe"/>',
                   flow_of("xs>xu", "xu>xg", "xg>xf if n", "xg>xe"))
        + '<bpmn:boundaryEvent id="b" attachedToRef="x"><bpmn:errorEventDefinition errorRef="er"/>'
        "</bpmn:boundaryEvent>",
        "s>x", "x>e", "b>e",
    )  # fmt: skip
    assert codes(bundle(body, before=error)) == set()


def test_every_problem_is_told_at_once_and_only_once() -> None:
    body = between(user("u") + '<bpmn:manualTask id="m"/>', "s>u", "u>m", "m>e if n")

    problems = check({"f": bundle(body)}, "main", STRICT)

    assert [p.code for p in problems] == ["manual_task", "condition_ignored"]
    assert len(set(problems)) == len(problems)
    assert isinstance(problems[0], Problem)


def test_longest_chain_that_passes_can_be_parsed() -> None:
    def chain(length: int) -> bytes:
        ids = ["s", *(f"u{i}" for i in range(length)), "e"]
        return bundle(between("".join(map(user, ids[1:-1])), *map(">".join, pairwise(ids))))

    assert codes(chain(148)) == set()
    assert {p.code for p in check({"f": chain(200)}, "main", OPEN)} == {"too_large"}
