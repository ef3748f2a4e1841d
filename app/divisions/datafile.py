"""The shipped table of divisions as one small file, and the only code that knows its form.

The file is xz-compressed UTF-8. Each line is `level<TAB>step<TAB>name`: the code is the code of
the line before plus `step`, and the parent is the nearest earlier line of a higher level. So the
tree is written down, not derived from digits, and an orphan cannot be expressed.
"""

import hashlib
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

SHIPPED = Path(__file__).parent / "data" / "divisions.tsv.xz"
"""Made by `assets/divisions/build.py` from the public statistical list of 2023-06-30."""


class Row(NamedTuple):
    """One division as data; parents come before their children."""

    code: str
    name: str
    level: int
    parent_code: str | None


def read(path: Path = SHIPPED) -> Iterator[Row]:
    """Stream the rows in tree order without holding the file in memory."""
    ancestors: list[tuple[int, str]] = []
    number = 0
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            level_text, step, name = line.rstrip("\n").split("\t")
            level = int(level_text)
            number += int(step)
            code = f"{number:012d}"
            while ancestors and ancestors[-1][0] >= level:
                ancestors.pop()
            yield Row(code, name, level, ancestors[-1][1] if ancestors else None)
            ancestors.append((level, code))


def write(rows: Iterable[Row], path: Path) -> int:
    """Write rows as one file and return their number; the same rows give the same bytes."""
    ordered = _tree_order(rows)
    previous = 0
    lines = []
    for row in ordered:
        number = int(row.code)
        lines.append(f"{row.level}\t{number - previous}\t{row.name}\n")
        previous = number
    raw = "".join(lines).encode()
    path.write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
    return len(ordered)


def digest(path: Path = SHIPPED) -> str:
    """Names the content of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _tree_order(rows: Iterable[Row]) -> list[Row]:
    children: dict[str | None, list[Row]] = {}
    total = 0
    for row in rows:
        children.setdefault(row.parent_code, []).append(row)
        total += 1
    ordered: list[Row] = []
    waiting = sorted(children.get(None, []), reverse=True)
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting.extend(sorted(children.get(row.code, []), reverse=True))
    if len(ordered) != total:
        raise ValueError(f"{total - len(ordered)} divisions have no parent in the table")
    return ordered
