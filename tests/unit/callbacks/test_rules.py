"""Who calls the petitioner back, and when the matter is handled again."""

import pytest

from app.callbacks import rules


@pytest.mark.parametrize(
    ("by_seats", "from_12345", "called_back", "who"),
    [
        (True, False, True, "agent"),
        (True, True, True, "agent"),
        (False, True, True, "p12345"),
        (False, False, True, "nobody"),
        (False, True, False, "none"),
        (True, False, False, "none"),
    ],
)
def test_12345_calls_about_its_tickets_and_our_seats_about_calls(
    by_seats: bool, from_12345: bool, called_back: bool, who: str
) -> None:
    assert rules.who_calls(by_seats=by_seats, from_12345=from_12345, called_back=called_back) == who


@pytest.mark.parametrize(
    ("satisfaction", "asked", "again"),
    [
        (1, False, False),
        (2, False, False),
        (3, False, True),
        (4, False, False),
        (5, False, False),
        (None, True, True),
        (1, True, True),
    ],
)
def test_dissatisfaction_or_a_request_asks_for_another_round(
    satisfaction: int | None, asked: bool, again: bool
) -> None:
    assert rules.wants_rework(satisfaction, asked=asked) is again
