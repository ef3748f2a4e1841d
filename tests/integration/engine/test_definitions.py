"""Versions of diagrams: immutable, pinned, checked; running instances finish on their own."""

import pytest
from sqlalchemy import select

from app.core.db import session
from app.engine import definitions
from app.engine.drawings import drawings
from app.engine.errors import DefinitionRefused, UnknownDefinition
from app.engine.models import ProcessDefinition
from tests.integration.engine.conftest import Engine
from tests.integration.engine.flows import (
    HEAD,
    call,
    line,
    new_key,
    service,
    timer,
    user,
)


def rows(key: str) -> list[tuple[int, str]]:
    """Version and status of every version of a process."""
    found = session().execute(
        select(ProcessDefinition.version, ProcessDefinition.status)
        .where(ProcessDefinition.process_key == key)
        .order_by(ProcessDefinition.version)
    )
    return [tuple(row) for row in found]


def test_an_instance_finishes_on_the_version_it_began_with(engine: Engine) -> None:
    key, old, new = new_key(), new_key("case"), new_key("case")
    engine.deploy(key, line(key, user("one"), user("two")))
    engine.start(key, old)

    assert engine.deploy(key, line(key, user("one"), user("changed"))) == 2
    engine.start(key, new)
    definitions.forget_parsed()
    for case in (old, new):
        engine.complete(engine.task(case).id)

    assert engine.waiting(old) == ["two"]
    assert engine.waiting(new) == ["changed"]
    assert rows(key) == [(1, "superseded"), (2, "published")]
    assert engine.view(old)["definition_version"] == 1


def test_the_same_bundle_again_is_the_same_version(engine: Engine) -> None:
    key = new_key()
    first, second = line(key, user("one")), line(key, user("two"))

    assert [engine.deploy(key, first) for _ in range(2)] == [1, 1]
    assert engine.deploy(key, second) == 2
    assert engine.deploy(key, first) == 1  # back to the old one

    assert rows(key) == [(1, "published"), (2, "superseded")]


def test_a_called_diagram_is_pinned_with_its_caller(engine: Engine) -> None:
    inner, outer = new_key("inner"), new_key("outer")
    caller = line(outer, call("sub", inner), user("after"))
    engine.deploy(outer, caller, line(inner, user("old")))
    case = new_key("case")
    engine.start(outer, case)

    assert engine.deploy(outer, caller, line(inner, user("new"))) == 2
    engine.deploy(inner, line(inner, user("alone")))
    definitions.forget_parsed()
    assert engine.waiting(case) == ["old"]
    engine.complete(engine.task(case).id)
    assert engine.waiting(case) == ["after"]

    later = new_key("case")
    engine.start(outer, later)
    assert engine.waiting(later) == ["new"]


def test_a_version_keeps_its_drawing_and_its_title(engine: Engine) -> None:
    key = new_key()
    xml = line(key, user("one"), title="样例流程")
    engine.deploy(key, xml)
    made = (
        session()
        .scalars(select(ProcessDefinition).where(ProcessDefinition.process_key == key))
        .one()
    )

    assert (made.title, made.deployed_by) == ("样例流程", "测试")
    assert drawings(made.id)[key].xml == xml.decode()
    with pytest.raises(UnknownDefinition):
        drawings(2**40)


def test_a_diagram_is_refused_with_every_problem_by_element(engine: Engine) -> None:
    key = new_key()
    bad = line(
        key,
        service("call", "no.such_handler"),
        user("task", form="no.form", role="nobody", deadline="never", status="odd", unit="mine"),
        timer("pause", "-PT5S"),
        call("sub", "no_such_process"),
    )

    with pytest.raises(DefinitionRefused) as refused:
        engine.deploy(key, bad)

    named = {(e.field, e.rule) for e in refused.value.errors}
    assert named >= {
        ("call", "handler_unknown"),
        ("task", "form_unknown"),
        ("task", "role_unknown"),
        ("task", "deadline_unknown"),
        ("task", "status_unknown"),
        ("task", "unit_unknown"),
        ("pause", "timer_value"),
        ("sub", "called_unknown"),
    }
    assert refused.value.code == "DIAGRAM_REFUSED"
    assert all("“" in e.message or "：" in e.message for e in refused.value.errors)
    assert rows(key) == []


@pytest.mark.parametrize(
    "body",
    [
        '<bpmn:scriptTask id="s" name="s"><bpmn:script>import os</bpmn:script></bpmn:scriptTask>',
        '<bpmn:scriptTask id="s" name="s"><bpmn:script>x = ().__class__</bpmn:script>'
        "</bpmn:scriptTask>",
        '<bpmn:manualTask id="s" name="s" />',
        '<bpmn:sendTask id="s" name="s" />',
        '<bpmn:userTask id="s" name="s" />',
    ],
)
def test_what_cannot_run_safely_is_not_published(engine: Engine, body: str) -> None:
    key = new_key()

    with pytest.raises(DefinitionRefused) as refused:
        engine.deploy(key, line(key, body))

    assert {e.field for e in refused.value.errors} == {"s"}


@pytest.mark.parametrize(
    "xml",
    [
        b"not xml",
        b"",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + HEAD.encode() + b"</bpmn:definitions>",
        b"<html></html>",
    ],
)
def test_what_is_no_diagram_is_refused(engine: Engine, xml: bytes) -> None:
    with pytest.raises(DefinitionRefused):
        engine.deploy(new_key(), xml)
