"""How the simulated platform is told to misbehave."""

import pytest

from app.simulator import behaviour
from app.simulator.behaviour import NORMAL, Behaviour, Control


def test_a_counted_behaviour_ends_by_itself() -> None:
    control = Control()
    control.set(Behaviour("fail", times=2))

    modes = [control.next_for("status-events").mode for _ in range(3)]

    assert modes == ["fail", "fail", "normal"]
    assert control.current == NORMAL


def test_an_uncounted_behaviour_stays() -> None:
    control = Control()
    control.set(Behaviour("reject"))

    assert {control.next_for("status-events").mode for _ in range(5)} == {"reject"}


def test_a_behaviour_may_concern_one_operation() -> None:
    control = Control()
    control.set(Behaviour("fail", times=1, operation="return-requests"))

    assert control.next_for("status-events").mode == "normal"
    assert control.next_for("return-requests").mode == "fail"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, NORMAL),
        ({"mode": "fail", "times": "3"}, Behaviour("fail", times=3)),
        ({"mode": "delay", "seconds": "2.5", "times": ""}, Behaviour("delay", 2.5)),
        (
            {"mode": "reject", "operation": "ticket-copies"},
            Behaviour("reject", 0, 0, "ticket-copies"),
        ),
    ],
)
def test_a_behaviour_is_read_from_a_form_or_json(
    values: dict[str, str], expected: Behaviour
) -> None:
    assert behaviour.read(values) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "explode"},
        {"seconds": "soon"},
        {"times": "x"},
        {"times": -1},
        {"seconds": -1},
        {"seconds": 1000},
        {"seconds": "nan"},
        {"times": [1]},
    ],
)
def test_nonsense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        behaviour.read({"mode": "fail", **values} if "mode" not in values else values)
