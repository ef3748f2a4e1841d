"""A task whose form depends on a variable: the form is picked when the task opens."""

import pytest

from app.core.errors import Invalid
from app.engine import registry
from app.engine.failures import ActionFailed
from app.engine.registry import Form
from tests.integration.engine.conftest import Engine
from tests.integration.engine.flows import AmountForm, amount, line, new_key, user


@pytest.fixture
def family(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A process whose second task has a form for apples and one for pears."""
    for kind in ("apples", "pears"):
        form = Form(f"tests.weigh.{kind}", AmountForm(), amount)
        monkeypatch.setitem(registry._forms, form.key, form)
    key = new_key()
    second = user("two", form="tests.weigh", variant="fruit")
    engine.deploy(key, line(key, user("one"), second))
    return key


@pytest.mark.parametrize("fruit", ["apples", "pears"])
def test_the_variable_picks_the_form(engine: Engine, family: str, fruit: str) -> None:
    case = new_key("case")
    engine.start(family, case, fruit=fruit)
    engine.complete(engine.task(case).id)

    assert engine.task(case).form == f"tests.weigh.{fruit}"
    with pytest.raises(Invalid):
        engine.complete(engine.task(case).id, amount=10)


def test_the_form_is_that_of_the_moment_the_task_opens(engine: Engine, family: str) -> None:
    case = new_key("case")
    engine.start(family, case, fruit="apples")

    engine.complete(engine.task(case).id, fruit="pears")

    assert engine.task(case).form == "tests.weigh.pears"


@pytest.mark.parametrize("variables", [{"fruit": "plums"}, {}])
def test_a_task_that_nobody_could_do_does_not_open(
    engine: Engine, family: str, variables: dict[str, str]
) -> None:
    case = new_key("case")
    engine.start(family, case, **variables)

    with pytest.raises(ActionFailed):
        engine.complete(engine.task(case).id)

    assert engine.waiting(case) == ["one"]
    (incident,) = engine.incidents(case)
    assert incident.action == "complete_task"
