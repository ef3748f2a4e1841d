"""Filling the table of divisions. Loading never deletes a code; retiring is in `revisions`."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.divisions import datafile
from app.divisions.datafile import Row
from app.divisions.models import Division, DivisionEdition

Progress = Callable[[int], None]
"""Told the number of rows sent so far."""

_CHUNK = 20_000
_COLUMNS = "code, name, level, parent_code, has_children"


@dataclass(frozen=True)
class Part:
    """Which rows to load: `depth` levels of the whole country, and some provinces entirely."""

    depth: int = 5
    whole_provinces: frozenset[str] = frozenset()
    """Twelve-digit codes of provinces of which every level is wanted."""

    def select(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Keep the rows of this part; a kept row's parent is always kept too."""
        whole = False
        for row in rows:
            if row.level == 1:
                whole = row.code in self.whole_provinces
            if whole or row.level <= self.depth:
                yield row

    def digest(self, path: Path) -> str:
        """Names this part of that file."""
        label = ",".join([datafile.digest(path), str(self.depth), *sorted(self.whole_provinces)])
        return hashlib.sha256(label.encode()).hexdigest()[:16]


EVERYTHING = Part()


def load(
    session: Session,
    part: Part = EVERYTHING,
    progress: Progress | None = None,
    path: Path = datafile.SHIPPED,
) -> int:
    """Load the shipped table and return the number of new or changed rows.

    1. The same file and part as last time: nothing is done, 0 is returned.
    2. An empty table is filled by COPY directly.
    3. Otherwise the rows are staged and merged: names and parents follow the file, rows the file
       does not know stay as they are.
    """
    digest = part.digest(path)
    if session.scalar(select(DivisionEdition.id).where(DivisionEdition.digest == digest).limit(1)):
        return 0
    rows = part.select(datafile.read(path))
    if session.scalar(select(Division.code).limit(1)) is None:
        changed = _copy(session, "divisions", rows, progress)
    else:
        changed = _merge(session, rows, progress)
    session.execute(text("analyze divisions"))
    session.add(DivisionEdition(digest=digest, changed_rows=changed))
    session.flush()
    return changed


def _merge(session: Session, rows: Iterable[Row], progress: Progress | None) -> int:
    session.execute(text("create temp table staged_divisions (like divisions) on commit drop"))
    _copy(session, "staged_divisions", rows, progress)
    merged: Any = session.execute(
        text(
            f"insert into divisions as d ({_COLUMNS})"  # noqa: S608 - constants only
            f" select {_COLUMNS} from staged_divisions"
            " on conflict (code) do update set name = excluded.name, level = excluded.level,"
            " parent_code = excluded.parent_code,"
            " has_children = d.has_children or excluded.has_children"
            " where (d.name, d.level, d.parent_code, d.has_children)"
            " is distinct from (excluded.name, excluded.level, excluded.parent_code,"
            " d.has_children or excluded.has_children)"
        )
    )
    session.execute(text("drop table staged_divisions"))
    session.expire_all()
    return int(merged.rowcount)


def _copy(session: Session, table: str, rows: Iterable[Row], progress: Progress | None) -> int:
    driver: Any = session.connection().connection.driver_connection
    lines = _copy_lines(rows)
    sent = 0
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({_COLUMNS}) from stdin") as copy:
        while chunk := list(islice(lines, _CHUNK)):
            copy.write("".join(chunk).encode())
            sent += len(chunk)
            if progress:
                progress(sent)
    return sent


def _copy_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Rows in COPY's text form; in tree order a row has children when the next one is deeper."""
    waiting: Row | None = None
    for row in rows:
        if waiting is not None:
            yield _copy_line(waiting, row.level > waiting.level)
        waiting = row
    if waiting is not None:
        yield _copy_line(waiting, has_children=False)


def _copy_line(row: Row, has_children: bool) -> str:
    name = row.name.replace("\\", "\\\\")
    parent = row.parent_code or "\\N"
    return f"{row.code}\t{name}\t{row.level}\t{parent}\t{has_children:d}\n"
