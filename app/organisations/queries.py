"""Reading the tree of units: who is above whom, and whom a ticket may be handed to."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from app.core.db import session
from app.divisions import queries as divisions
from app.divisions.rules import ROOT_CODE
from app.organisations.models import Unit

_OF_DIVISION = select(Unit).where(Unit.division_code == bindparam("code"))


def unit(unit_id: int) -> Unit | None:
    """The unit with this id."""
    return session().get(Unit, unit_id)


def names(unit_ids: Iterable[int]) -> dict[int, str]:
    """Names of many units, for a page of a list."""
    rows = session().execute(select(Unit.id, Unit.name).where(Unit.id.in_(set(unit_ids))))
    return {unit_id: name for unit_id, name in rows}


def national_unit() -> Unit | None:
    """The root of the tree; None before units were generated."""
    return session().scalar(select(Unit).where(Unit.division_code == ROOT_CODE))


def unit_of_division(code: str | None) -> Unit | None:
    """The unit nearest to a division of any level: its own or the first one above it.

    The national unit answers for None and the root code. None for an unknown code: an unresolved
    place is nobody's until a person decides.
    """
    if code in (None, ROOT_CODE):
        return national_unit()
    own = session().scalar(_OF_DIVISION, {"code": code})
    if own is not None:
        return own
    codes = [division.code for division in divisions.path(code or "")]
    found = {
        unit.division_code: unit
        for unit in session().scalars(select(Unit).where(Unit.division_code.in_(codes)))
    }
    return next((found[code] for code in reversed(codes) if code in found), None)


def unit_with_code(code: str) -> Unit | None:
    """The unit of exactly this division, or None."""
    return session().scalar(_OF_DIVISION, {"code": code})


def unit_called(name: str) -> Unit | None:
    """The one unit of this name; None when there is none or several share it."""
    found = list(session().scalars(select(Unit).where(Unit.name == name.strip()).limit(2)))
    return found[0] if len(found) == 1 else None


def children(unit_id: int) -> list[Unit]:
    """All units directly below, by division code, disabled ones too."""
    statement = select(Unit).where(Unit.parent_id == unit_id).order_by(Unit.division_code)
    return list(session().scalars(statement))


def delegation_targets(unit: Unit) -> list[Unit]:
    """The units a ticket may be handed down to (转派): enabled and directly below (D14)."""
    return [child for child in children(unit.id) if child.enabled]


def all_below(unit_id: int) -> list[Unit]:
    """All enabled units somewhere below, each city followed by its counties."""
    own = select(Unit.id).where(Unit.parent_id == unit_id)
    below = select(Unit).where((Unit.parent_id == unit_id) | Unit.parent_id.in_(own), Unit.enabled)
    return list(session().scalars(below.order_by(Unit.division_code)))


def branches(unit_id: int) -> dict[int, int]:
    """Every unit of a subtree → the unit directly below the top that it hangs under.

    The top itself is its own branch. Disabled units are there too: they have had tickets.
    """
    first = select(Unit.id, Unit.id.label("branch")).where(Unit.parent_id == unit_id)
    steps = first.cte("steps", recursive=True)
    lower = aliased(Unit)
    steps = steps.union_all(
        select(lower.id, steps.c.branch).join(steps, lower.parent_id == steps.c.id)
    )
    rows = session().execute(select(steps.c.id, steps.c.branch))
    return {unit_id: unit_id, **{below: branch for below, branch in rows}}


def chain(unit_id: int) -> list[Unit]:
    """From the national unit down to the unit itself; empty for an unknown id."""
    steps = select(Unit.id, Unit.parent_id).where(Unit.id == unit_id).cte("steps", recursive=True)
    above = aliased(Unit)
    steps = steps.union_all(
        select(above.id, above.parent_id).join(steps, above.id == steps.c.parent_id)
    )
    units = list(session().scalars(select(Unit).join(steps, Unit.id == steps.c.id)))
    by_parent = {unit.parent_id: unit for unit in units}
    ordered: list[Unit] = []
    found = by_parent.get(None)
    while found:
        ordered.append(found)
        found = by_parent.get(found.id)
    return ordered


def is_below(unit: Unit, of: Unit) -> bool:
    """Whether `unit` is somewhere below `of`; a unit is not below itself."""
    return unit.id != of.id and any(step.id == of.id for step in chain(unit.id))
