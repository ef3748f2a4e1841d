"""What the observers of a turn are told of the matter's state (property `status`)."""

import pytest

from app.engine import registry
from app.engine.registry import Change
from tests.integration.engine.conftest import Engine
from tests.integration.engine.flows import call, line, new_key, user

pytestmark = pytest.mark.usefixtures("context")


def ending(diagram: bytes, status: str) -> bytes:
    """The diagram, with a state at its end."""
    words = f'<spiffworkflow:property name="status" value="{status}" />'
    end = (
        '<bpmn:endEvent id="done"><bpmn:extensionElements><spiffworkflow:properties>'
        f"{words}</spiffworkflow:properties></bpmn:extensionElements></bpmn:endEvent>"
    )
    return diagram.replace(b'<bpmn:endEvent id="done" />', end.encode())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was said of the state, turn by turn, of any process."""
    heard: list[list[str]] = []

    def listen(change: Change) -> None:
        heard.append(change.standing)

    monkeypatch.setattr(registry, "observers_of", lambda key: [listen])
    return heard


def test_an_end_means_a_state_only_when_the_flow_has_ended_with_it(
    engine: Engine, told: list[list[str]]
) -> None:
    main, part, case = new_key(), new_key(), new_key("case")
    steps = line(
        main, user("one", status="reviewing"), call("ask", part), user("two", status="handling")
    )
    engine.deploy(main, ending(steps, "archived"), ending(line(part), "merged"))

    engine.start(main, case)
    engine.complete(engine.task(case).id)
    engine.complete(engine.task(case).id)

    assert told == [["reviewing"], ["handling"], ["archived"]]
