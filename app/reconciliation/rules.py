"""What both sides compare of a ticket (对账): its numbers, and how it ended as 12345 knows it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.hazmat.primitives import hashes

OPEN = "open"
RESULT = "result"
OUTCOMES = {
    OPEN: "办理中",
    RESULT: "已反馈结果",
    "returned": "已退单",
    "withdrawn": "已撤回",
    "merged": "已并单",
    "transferred_out": "已移送",
    "closed": "已办结（无须反馈）",
}
"""How a ticket stands between the two sides; the last word decides, not our inner steps."""

_BY_STATUS = {
    "result_pending": RESULT,
    "callback_pending": RESULT,
    "archived": RESULT,
    "returned": "returned",
    "withdrawn": "withdrawn",
    "merged": "merged",
    "transferred_out": "transferred_out",
    "answered": "closed",
    "wrong_transfer": "closed",
    "dropped": "closed",
}

MISSING_HERE, MISSING_THERE = "missing_here", "missing_there"
NUMBER_DIFFERS, STATE_DIFFERS = "number_differs", "state_differs"
UNCONFIRMED = "result_unconfirmed"
KINDS = {
    MISSING_HERE: "本平台缺少",
    MISSING_THERE: "12345缺少",
    NUMBER_DIFFERS: "编号不一致",
    STATE_DIFFERS: "状态不一致",
    UNCONFIRMED: "结果未确认",
}
"""What a difference can be."""
REPAIRS = {
    MISSING_HERE: "请12345重新提交",
    MISSING_THERE: "补发",
    NUMBER_DIFFERS: "补发编号和状态",
    STATE_DIFFERS: "补发",
    UNCONFIRMED: "重新推送结果",
}
"""What pressing the button does about it."""

KEPT = timedelta(days=90)
"""So long a day's comparison and its differences can be looked at."""
OLDEST = timedelta(days=30)
"""So far back a list may be sent."""


@dataclass(frozen=True)
class Ours:
    """A ticket of the day as we have it."""

    acceptance_no: str
    external_ticket_no: str | None
    ticket_type: str
    status: str

    @property
    def outcome(self) -> str:
        """How it stands between the two sides."""
        return outcome_of(self.status)


@dataclass(frozen=True)
class Theirs:
    """A ticket of the day as 12345 has it; `acceptance_no` where it knows it."""

    external_ticket_no: str
    acceptance_no: str | None
    outcome: str


@dataclass(frozen=True)
class Difference:
    """One ticket about which the two sides do not agree."""

    kind: str
    acceptance_no: str | None
    external_ticket_no: str | None
    ours: str | None
    theirs: str | None


def outcome_of(status: str) -> str:
    """The outcome behind one of our states."""
    return _BY_STATUS.get(status, OPEN)


class Digest:
    """SM3 and SHA-256 over lines, each ended by a line feed, in UTF-8."""

    def __init__(self) -> None:
        self._sm3, self._sha256 = hashes.Hash(hashes.SM3()), hashlib.sha256()

    def add(self, *fields: str | None) -> None:
        """One line: the fields with a comma between; what is missing is empty."""
        line = (",".join(each or "" for each in fields) + "\n").encode()
        self._sm3.update(line)
        self._sha256.update(line)

    def hex(self) -> dict[str, str]:
        """Both, in lower-case hexadecimal."""
        return {"sm3": self._sm3.copy().finalize().hex(), "sha256": self._sha256.hexdigest()}


def compare(
    ours: Iterable[Ours], theirs: Mapping[str, Theirs], undelivered: frozenset[str]
) -> tuple[list[Difference], set[str]]:
    """(differences, numbers of theirs that we have not among ours), by their ticket number.

    `undelivered` are our tickets whose result has not been confirmed. A ticket of ours without a
    number of theirs is found by ours.
    """
    by_ours = {each.acceptance_no: key for key, each in theirs.items() if each.acceptance_no}
    left = set(theirs)
    found = []
    for mine in ours:
        key = mine.external_ticket_no if mine.external_ticket_no in theirs else None
        key = key or by_ours.get(mine.acceptance_no)
        if key is not None:
            left.discard(key)
        kind = _difference(mine, theirs.get(key or ""), mine.acceptance_no in undelivered)
        if kind is not None:
            their = theirs.get(key or "")
            found.append(
                Difference(
                    kind,
                    mine.acceptance_no,
                    mine.external_ticket_no or (their.external_ticket_no if their else None),
                    mine.outcome,
                    their.outcome if their else None,
                )
            )
    return found, left


def _difference(mine: Ours, their: Theirs | None, undelivered: bool) -> str | None:
    if their is None:
        return MISSING_THERE
    if their.acceptance_no and their.acceptance_no != mine.acceptance_no:
        return NUMBER_DIFFERS
    if mine.outcome == RESULT and (undelivered or their.outcome == OPEN):
        return UNCONFIRMED
    return None if their.outcome == mine.outcome else STATE_DIFFERS


def is_over(day: date, today: date) -> bool:
    """Whether no more tickets can come on that day."""
    return day < today
