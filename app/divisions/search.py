"""Finding a division by what somebody types or pastes (区划查找): what fits, best first."""

from dataclasses import dataclass

from sqlalchemy import select

from app.core.db import session
from app.divisions import gazetteer, queries, resolver
from app.divisions.mentions import normalise
from app.divisions.models import Division
from app.divisions.resolver import Exactness
from app.divisions.rules import TOWNSHIP

MOST = 20
_LEAST = 2
"""One character is in the names of thousands."""
_READ = 2000


@dataclass(frozen=True)
class Place:
    """A division that fits; `sure` when the text names this one and nothing else."""

    code: str
    name: str
    sure: bool = False


def find(text: str, within: str | None = None) -> list[Place]:
    """Places that a text may mean, at most `MOST`: what it says as an address, then names like it.

    Parts with a space between must all occur in the whole name (湄潭 马山). Places `within` a
    division come first, and a short name is not taken for a place elsewhere. Villages are found by
    an address, not by their name alone.
    """
    plain = normalise(text)
    if len(plain) < _LEAST:
        return []
    said = resolver.resolve(plain)
    plainly = said.exactness == Exactness.EXACT
    at_home = said.exactness == Exactness.INFERRED and _is_within(said.code or "", within)
    sure = said.code if plainly or at_home else None
    codes = [*([said.code] if said.code else []), *said.candidates]
    if sure is None:
        codes += _named_like(plain.split(), within)
    names = queries.full_names(dict.fromkeys(codes))
    found = [Place(code, names[code], code == sure) for code in dict.fromkeys(codes)]
    return sorted(found, key=lambda place: not _is_within(place.code, within))[:MOST]


def _named_like(parts: list[str], within: str | None) -> list[str]:
    """Provinces to townships whose name holds the last part, below names that hold the others."""
    places = gazetteer.current()
    upper = [place.code for place in places.places.values() if parts[-1] in place.name]
    townships = session().execute(
        select(Division.code, Division.parent_code)
        .where(Division.level == TOWNSHIP, Division.valid_to.is_(None))
        .where(Division.name.contains(parts[-1], autoescape=True))
        .order_by(Division.code)
        .limit(_READ)
    )
    above = {code: parent for code, parent in townships if parent in places.places}
    found = [code for code in upper if _holds(places, code, parts[:-1])]
    found += [
        code for code, parent in above.items() if _holds(places, parent, parts[:-1], own=True)
    ]
    home = {code for code in found if within and places.is_within(above.get(code) or code, within)}
    return sorted(found, key=lambda code: (code not in home, code))[:MOST]


def _holds(places: gazetteer.Gazetteer, code: str, parts: list[str], *, own: bool = False) -> bool:
    """Whether each part occurs in some name above it, or with `own` in its own name too."""
    names = [place.name for place in places.ancestors(code)]
    if own:
        names.append(places.places[code].name)
    return all(any(part in name for name in names) for part in parts)


def _is_within(code: str, area: str | None) -> bool:
    """Whether a division lies in an area, by the names in memory; townships by their county."""
    places = gazetteer.current()
    if area is None:
        return True
    known = code if code in places.places else _county_of(code)
    return known is not None and places.is_within(known, area)


def _county_of(code: str) -> str | None:
    places = gazetteer.current()
    return next((d.code for d in reversed(queries.path(code)) if d.code in places.places), None)
