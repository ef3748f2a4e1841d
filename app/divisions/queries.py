"""Reading the tree of divisions. Retired rows are found by code and left out of listings."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased

from app.core.db import session
from app.divisions.models import Division, DivisionEdition
from app.divisions.rules import CITY, COUNTY, PROVINCE, ROOT_CODE, is_pseudo_city


@dataclass(frozen=True)
class Scope:
    """The codes a ticket is filed under. City is None where only a pseudo-city lies in between."""

    province_code: str | None
    city_code: str | None
    county_code: str | None


def version() -> str:
    """Changes whenever the table changes: use it in an ETag. `0` while the table is empty."""
    newest = select(DivisionEdition).order_by(DivisionEdition.id.desc()).limit(1)
    edition = session().scalar(newest)
    return f"{edition.id}-{edition.digest}" if edition else "0"


def get(code: str) -> Division | None:
    """The division with this code, retired or not."""
    return session().get(Division, code)


def in_force(code: str) -> Division | None:
    """The division that answers for this code today: itself or its last known successor."""
    seen: set[str] = set()
    found = get(code)
    while found and found.valid_to and found.replaced_by and found.code not in seen:
        seen.add(found.code)
        found = get(found.replaced_by)
    return found


def children_statement(parent_code: str | None) -> Select[Division]:
    """The listing behind `children`; None and the root code ask for the provinces."""
    statement = select(Division).where(Division.valid_to.is_(None)).order_by(Division.code)
    if parent_code in (None, ROOT_CODE):
        return statement.where(Division.parent_code.is_(None))
    return statement.where(Division.parent_code == parent_code)


def children(parent_code: str | None) -> list[Division]:
    """Divisions in force directly below, by code; empty for an unknown parent."""
    return list(session().scalars(children_statement(parent_code)))


def _path_statement() -> Select[Division]:
    steps = (
        select(Division.code, Division.parent_code, Division.level)
        .where(Division.code == bindparam("code"))
        .cte("steps", recursive=True)
    )
    above = aliased(Division)
    steps = steps.union_all(
        select(above.code, above.parent_code, above.level).join(
            steps, above.code == steps.c.parent_code
        )
    )
    return select(Division).join(steps, Division.code == steps.c.code).order_by(Division.level)


_PATH = _path_statement()
"""Built once: building it takes longer than the database takes to answer it."""


def _paths_statement() -> Select[tuple[str, int, str]]:
    steps = (
        select(Division.code.label("origin"), Division.parent_code, Division.level, Division.name)
        .where(Division.code.in_(bindparam("codes", expanding=True)))
        .cte("steps", recursive=True)
    )
    above = aliased(Division)
    steps = steps.union_all(
        select(steps.c.origin, above.parent_code, above.level, above.name).join(
            steps, above.code == steps.c.parent_code
        )
    )
    return select(steps.c.origin, steps.c.level, steps.c.name).order_by(steps.c.level)


_PATHS = _paths_statement()


def path(code: str) -> list[Division]:
    """From the province down to the division itself; empty for an unknown code."""
    return list(session().scalars(_PATH, {"code": code}))


def at_level(code: str, level: int) -> Division | None:
    """The ancestor of that level, or the division itself; None when the path skips the level.

    A pseudo-city is never given as a city.
    """
    for division in path(code):
        if division.level == level and not is_pseudo_city(division.level, division.name):
            return division
    return None


def province_city_county(code: str) -> Scope:
    """The codes a ticket of this division is filed under; all None for an unknown code."""
    by_level = {
        division.level: division.code
        for division in path(code)
        if not is_pseudo_city(division.level, division.name)
    }
    return Scope(by_level.get(PROVINCE), by_level.get(CITY), by_level.get(COUNTY))


def full_name(code: str) -> str:
    """The names from the province down, without pseudo-cities; empty for an unknown code."""
    return joined_name(path(code))


def full_names(codes: Iterable[str]) -> dict[str, str]:
    """`full_name` of many divisions, for a page of a list: one statement for all of them."""
    found: dict[str, str] = {}
    wanted = list(set(codes))
    if not wanted:
        return found
    for row in session().execute(_PATHS, {"codes": wanted}):
        name = "" if is_pseudo_city(row.level, row.name) else row.name
        found[row.origin] = found.get(row.origin, "") + name
    return found


def joined_name(divisions: Iterable[Division]) -> str:
    """The names of a path as one text, without pseudo-cities."""
    return "".join(d.name for d in divisions if not is_pseudo_city(d.level, d.name))
