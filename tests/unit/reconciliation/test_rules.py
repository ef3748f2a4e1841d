"""What both sides compare, so exactly that a vendor computes the same."""

import hashlib

import pytest

from app.reconciliation import rules
from app.reconciliation.rules import Difference, Digest, Ours, Theirs
from app.tickets.rules import CLOSED, STATES

NO, OWN = "TS5200002026112200042S", "GZ-1"


def ours(status: str = "handling", own: str | None = OWN) -> Ours:
    return Ours(NO, own, "complaint", status)


@pytest.mark.parametrize(
    ("mine", "their", "undelivered", "kind"),
    [
        (ours(), Theirs(OWN, NO, "open"), False, None),
        (ours(), Theirs(OWN, None, "open"), False, None),
        (ours(own=None), Theirs(NO, NO, "open"), False, None),
        (ours("archived"), Theirs(OWN, NO, "result"), False, None),
        (ours("callback_pending"), Theirs(OWN, NO, "result"), False, None),
        (ours("reworking"), Theirs(OWN, NO, "open"), False, None),
        (ours("withdrawn"), Theirs(OWN, NO, "withdrawn"), False, None),
        (ours("callback_pending"), Theirs(OWN, NO, "open"), False, "result_unconfirmed"),
        (ours("result_pending"), Theirs(OWN, NO, "result"), True, "result_unconfirmed"),
        (ours("withdrawn"), Theirs(OWN, NO, "open"), False, "state_differs"),
        (ours("handling"), Theirs(OWN, NO, "result"), False, "state_differs"),
        (ours(), Theirs(OWN, "TS1", "open"), False, "number_differs"),
        (ours(), Theirs("GZ-2", None, "open"), False, "missing_there"),
    ],
)
def test_a_ticket_agrees_or_differs_in_one_way(
    mine: Ours, their: Theirs, undelivered: bool, kind: str | None
) -> None:
    waiting = frozenset({NO}) if undelivered else frozenset()

    found, left = rules.compare([mine], {their.external_ticket_no: their}, waiting)

    assert [each.kind for each in found] == ([kind] if kind else [])
    assert left == ({"GZ-2"} if kind == "missing_there" else set())


def test_a_difference_names_both_numbers_and_both_views() -> None:
    theirs = {OWN: Theirs(OWN, NO, "open")}

    found, _ = rules.compare([ours("withdrawn")], theirs, frozenset())

    assert found == [Difference("state_differs", NO, OWN, "withdrawn", "open")]


def test_a_digest_is_that_of_the_lines_as_the_documents_say() -> None:
    digest = Digest()
    digest.add(NO, OWN, "result")
    digest.add("TS5200002026112200043Q", None, "open")
    said = f"{NO},{OWN},result\nTS5200002026112200043Q,,open\n"

    assert digest.hex()["sha256"] == hashlib.sha256(said.encode()).hexdigest()
    assert digest.hex()["sm3"] == hashlib.new("sm3", said.encode()).hexdigest()


def test_every_state_has_an_outcome_and_no_closed_one_is_open() -> None:
    assert {rules.outcome_of(status) for status in STATES} <= set(rules.OUTCOMES)
    assert {status for status in CLOSED if rules.outcome_of(status) == rules.OPEN} == set()
    assert set(rules.KINDS) == set(rules.REPAIRS)
