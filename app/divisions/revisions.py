"""Bringing the table in line with a newer one from the customer: look first, then apply.

A code is never deleted: what the newer table no longer has is retired, with a successor when one
is given, so that old tickets keep their place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from app.core.errors import FieldError, Invalid
from app.divisions.datafile import Row
from app.divisions.models import Division, DivisionEdition
from app.divisions.rules import is_code

_CHUNK = 5_000


@dataclass(frozen=True)
class Revision:
    """What would change (差异): shown to an administrator before anything is written."""

    added: tuple[Row, ...]
    changed: tuple[Row, ...]
    """New name, level or parent, or a retired code that is back in force."""
    retired: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the table is already so."""
        return not (self.added or self.changed or self.retired)


def compare(session: Session, rows: Iterable[Row], within: str | None = None) -> Revision:
    """Compare a newer table with ours. Raises Invalid naming every wrong row.

    `within` says that `rows` is complete for that division and all below it: codes missing there
    are to be retired. Without it nothing is retired, so that a list of additions is safe.
    """
    newer = {row.code: row for row in rows}
    ours = _existing(session, newer)
    _check(session, newer)
    added = tuple(row for code, row in newer.items() if code not in ours)
    changed = tuple(
        row for code, row in newer.items() if code in ours and _differs(ours[code], row)
    )
    missing = [code for code in _codes_within(session, within) if code not in newer]
    return Revision(added, changed, tuple(missing))


def apply(
    session: Session, revision: Revision, on: date, successors: Mapping[str, str] | None = None
) -> None:
    """Write a revision that holds from day `on`; `successors` maps retired codes to new ones."""
    if revision.is_empty:
        return
    successors = successors or {}
    session.add_all(
        Division(**row._asdict(), has_children=False, valid_from=on) for row in revision.added
    )
    for row in revision.changed:
        division = session.get_one(Division, row.code)
        division.name, division.level, division.parent_code = row.name, row.level, row.parent_code
        division.valid_to = division.replaced_by = None
    for code in revision.retired:
        division = session.get_one(Division, code)
        division.valid_to, division.replaced_by = on, successors.get(code)
    session.flush()
    _check_successors(session, successors)
    _refresh_has_children(session)
    session.add(DivisionEdition(digest=_digest(revision), changed_rows=_size(revision)))
    session.flush()


def _existing(session: Session, codes: Iterable[str]) -> dict[str, Division]:
    wanted = list(codes)
    found: dict[str, Division] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for division in session.scalars(select(Division).where(Division.code.in_(chunk))):
            found[division.code] = division
    return found


def _check(session: Session, newer: dict[str, Row]) -> None:
    outside = {row.parent_code for row in newer.values() if row.parent_code} - newer.keys()
    parents = _existing(session, outside)
    errors = []
    for row in newer.values():
        if not is_code(row.code):
            errors.append(FieldError(row.code, "code", "区划编码须为12位数字"))
        if not row.name.strip():
            errors.append(FieldError(row.code, "name", "区划名称不能为空"))
        above = newer.get(row.parent_code or "") or parents.get(row.parent_code or "")
        if (row.parent_code is None) != (row.level == 1):
            errors.append(FieldError(row.code, "parent_code", "只有省级区划没有上级"))
        elif row.parent_code and (above is None or above.level >= row.level):
            errors.append(FieldError(row.code, "parent_code", "上级区划不存在或级别不高于本级"))
    if errors:
        raise Invalid(errors)


def _check_successors(session: Session, successors: Mapping[str, str]) -> None:
    known = _existing(session, successors.values())
    wrong = [code for code, new in successors.items() if new not in known or known[new].valid_to]
    if wrong:
        raise Invalid([FieldError(code, "replaced_by", "继任区划不存在或已停用") for code in wrong])


def _differs(ours: Division, row: Row) -> bool:
    same = (ours.name, ours.level, ours.parent_code) == (row.name, row.level, row.parent_code)
    return not same or ours.valid_to is not None


def _codes_within(session: Session, root: str | None) -> list[str]:
    if root is None:
        return []
    tree = select(Division.code).where(Division.code == root).cte("tree", recursive=True)
    lower = aliased(Division)
    tree = tree.union_all(select(lower.code).join(tree, lower.parent_code == tree.c.code))
    statement = select(Division.code).join(tree, tree.c.code == Division.code)
    return list(session.scalars(statement.where(Division.valid_to.is_(None))))


def _refresh_has_children(session: Session) -> None:
    lower = aliased(Division)
    has = exists().where(lower.parent_code == Division.code, lower.valid_to.is_(None))
    session.execute(
        update(Division)
        .where(Division.level < 5, Division.has_children != has)
        .values(has_children=has)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def _digest(revision: Revision) -> str:
    return sha256(repr(revision).encode()).hexdigest()[:16]


def _size(revision: Revision) -> int:
    return len(revision.added) + len(revision.changed) + len(revision.retired)
