"""Which steps a deadline takes, and which it leaves out."""

from datetime import datetime

import pytest

from app.core.clock import BEIJING
from app.deadlines.ladder import STEPS, Marks, climb, fallen_back, following
from app.deadlines.policy import default
from app.deadlines.published import calendar


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


MARKS = Marks(at("2026-12-09 12:00"), at("2026-12-14 18:00"), at("2026-12-15 18:00"))


@pytest.mark.parametrize(
    ("reached", "now", "steps"),
    [
        ("green", "2026-12-09 11:59", []),
        ("green", "2026-12-09 12:00", ["yellow"]),
        ("yellow", "2026-12-10 12:00", []),
        ("green", "2026-12-14 18:00", ["orange"]),
        ("yellow", "2026-12-15 18:00", ["orange"]),
        ("orange", "2026-12-15 18:00", []),
        ("orange", "2026-12-15 18:00:01", ["red"]),
        ("green", "2026-12-15 18:00:01", ["red"]),
        ("green", "2026-12-16 18:00:01", ["red", "supervise"]),
        ("red", "2026-12-16 18:00", []),
        ("yellow", "2026-12-30 09:00", ["red", "supervise", "leaders", "notice"]),
        ("leaders", "2026-12-30 09:00", ["notice"]),
        ("notice", "2027-12-30 09:00", []),
    ],
)
def test_what_is_due_is_taken_and_overtaken_warnings_are_not(
    reached: str, now: str, steps: list[str]
) -> None:
    assert climb(reached, MARKS, at(now), default(), calendar()) == steps


@pytest.mark.parametrize(
    ("reached", "steps"), [("green", ["orange"]), ("yellow", ["orange"]), ("orange", [])]
)
def test_what_is_held_turns_no_further_than_orange(reached: str, steps: list[str]) -> None:
    found = climb(reached, MARKS, at("2026-12-30 09:00"), default(), calendar(), held=True)

    assert found == steps


@pytest.mark.parametrize(
    ("reached", "now", "held"),
    [
        ("green", "2026-12-01 09:00", "green"),
        ("orange", "2026-12-01 09:00", "green"),
        ("leaders", "2026-12-01 09:00", "green"),
        ("leaders", "2026-12-10 09:00", "yellow"),
        ("yellow", "2026-12-15 09:00", "yellow"),
        ("red", "2026-12-15 09:00", "orange"),
        ("green", "2026-12-30 09:00", "green"),
        ("leaders", "2026-12-30 09:00", "leaders"),
    ],
)
def test_a_moved_date_takes_back_what_is_not_yet_its_time(
    reached: str, now: str, held: str
) -> None:
    assert fallen_back(reached, MARKS, at(now)) == held


def test_the_steps_follow_one_another() -> None:
    assert [following(step) for step in STEPS] == [*STEPS[1:], None]
