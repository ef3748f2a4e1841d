"""Two versions of a report side by side (对比), with what was changed marked (EX-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from app.files.models import Attachment
from app.tickets.models import Report
from app.ui.reports import facts_of

Piece = tuple[str, bool]
"""Some text, and whether it is marked."""
_LONGEST = 4000
"""Beyond this both texts are marked as a whole: comparing them would take too long."""
_LEAST_ALIKE = 0.3
"""Texts less alike than this share only single characters, and marks would hide the sense."""


@dataclass(frozen=True)
class Row:
    """One fact of both versions, cut where they differ."""

    label: str
    left: list[Piece]
    right: list[Piece]
    changed: bool


def comparison(
    reports: Sequence[Report], files: Sequence[Attachment], left: int | None, right: int | None
) -> dict[str, Any] | None:
    """Versions `left` and `right`, by default the last two; None when there is but one."""
    by_version = {report.version: report for report in sorted(reports, key=lambda r: r.version)}
    if len(by_version) < 2:
        return None
    versions = list(by_version)
    newer = right if right in by_version else versions[-1]
    older = left if left in by_version else None
    if older is None or older == newer:
        others = [version for version in versions if version != newer]
        older = max((v for v in others if v < newer), default=others[0])
    one, other = by_version[older], by_version[newer]
    rows = compared(_facts(one, files), _facts(other, files))
    return {
        "versions": versions,
        "left": one.version,
        "right": other.version,
        "noun": one.noun,
        "rows": rows,
        "changes": sum(row.changed for row in rows),
    }


def compared(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]) -> list[Row]:
    """Facts beside each other, in the order of the right side, by their labels."""
    before, after = dict(left), dict(right)
    labels = list(dict.fromkeys([*after, *before]))
    return [_row(label, before.get(label, ""), after.get(label, "")) for label in labels]


def _row(label: str, left: str, right: str) -> Row:
    if left == right:
        same = [(left, False)] if left else []
        return Row(label, same, same, changed=False)
    cut = _cut(left, right)
    return Row(label, [p for p in cut[0] if p[0]], [p for p in cut[1] if p[0]], changed=True)


def _cut(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    if max(len(left), len(right)) > _LONGEST:
        return [(left, True)], [(right, True)]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return [(left, True)], [(right, True)]
    lefts, rights = [], []
    for kind, a, b, c, d in matcher.get_opcodes():
        lefts.append((left[a:b], kind != "equal"))
        rights.append((right[c:d], kind != "equal"))
    return lefts, rights


def _facts(report: Report, files: Sequence[Attachment]) -> list[tuple[str, str]]:
    names = "；".join(file.name for file in files if file.task_id == report.task_id)
    return [("提交人", report.author_name), *facts_of(report), ("附件", names)]
