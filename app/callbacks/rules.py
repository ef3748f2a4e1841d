"""Decisions about callbacks (回访) as plain functions."""

from app.tickets.codes import DISSATISFIED

AUTOMATIC_REWORKS = 1
"""EX-09: any further round is the province's decision."""


def who_calls(*, by_seats: bool, from_12345: bool, called_back: bool) -> str:
    """Whose callback a result waits for: `agent`, `p12345` or `nobody`; `none` when for nothing.

    Who wrote a letter was answered directly, and the nation asks for itself: nobody calls, and the
    ticket rests for as long (已办结) before it is filed.
    """
    if not called_back:
        return "none"
    if by_seats:
        return "agent"
    return "p12345" if from_12345 else "nobody"


def wants_rework(satisfaction: int | None, *, asked: bool) -> bool:
    """Whether the petitioner is not done with it: 不满意, or 重办 asked for."""
    return asked or satisfaction == DISSATISFIED
