"""The names of provinces, cities and counties in memory, with every short form people use.

About 3,300 places and 9,000 names, some 3 MB per process, built on first use and again when the
table's version has changed. Townships and villages stay in the database.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import select

from app.core.db import session
from app.divisions import queries
from app.divisions.aliases import ALIASES
from app.divisions.models import Division
from app.divisions.rules import COUNTY, PROVINCE, is_pseudo_city


class Kind(IntEnum):
    """How much a name says when it stands in a text; higher is surer."""

    GENERIC = 0
    """Says something only below a named city: 东区, 江北, 高新区."""
    STEM = 1
    """A name without its ending, or of two characters; may be a plain word: 湄潭, 和平, 和县."""
    PROVINCE_STEM = 2
    """A province without its ending: 贵州."""
    OFFICIAL = 3
    """The official name, its usual abbreviation, or an alias: 湄潭县, 黔南州, 西乌旗."""


@dataclass(frozen=True, slots=True)
class Place:
    """A division of the upper three levels."""

    code: str
    name: str
    level: int
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All places by code, and what each name may mean."""

    version: str
    places: dict[str, Place]
    names: dict[str, tuple[tuple[str, Kind], ...]]
    longest: int
    with_counties: frozenset[str]
    """Codes that have counties below them, directly or not."""

    def ancestors(self, code: str) -> list[Place]:
        """Those above, nearest first, without pseudo-cities."""
        found = []
        parent = self.places[code].parent_code
        while parent:
            place = self.places[parent]
            if not is_pseudo_city(place.level, place.name):
                found.append(place)
            parent = place.parent_code
        return found

    def is_within(self, code: str, area: str) -> bool:
        """Whether `code` is `area` or lies below it."""
        return code == area or any(place.code == area for place in self.ancestors(code))


_cached: Gazetteer | None = None


def current() -> Gazetteer:
    """The gazetteer of the table as it is now."""
    global _cached
    version = queries.version()
    if _cached is None or _cached.version != version:
        columns = (Division.code, Division.name, Division.level, Division.parent_code)
        statement = select(*columns).where(Division.level <= COUNTY, Division.valid_to.is_(None))
        _cached = build(version, [Place(*row) for row in session().execute(statement)])
    return _cached


_ENDINGS = re.compile(r"((?<=..)(自治[区州县旗]|[地林特新]区)|[省市盟区县旗])$")
_ZONE = re.compile(r"(开发区|园区|示范区|管理区|矿区|名胜区|实验区|聚集区|群岛|行政委员会)$")
_NAME_OF_ZONE = (
    (re.compile(r"高(新)?技术(产业)?(开发|园)区$"), "高新区"),
    (re.compile(r"经济(技术)?开发区$"), "经开区"),
    (re.compile(r"经济(技术)?开发区$"), "开发区"),
)
_PEOPLES = re.compile(
    r"(蒙古族?|回族|藏族|维吾尔族?|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族"
    r"|哈萨克族?|傣族|黎族|傈僳族|佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族?|土族"
    r"|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族?|普米族|塔吉克族?|怒族|独龙族"
    r"|保安族|裕固族|各族)$"
)
_VAGUE_STEM = re.compile(r"[东南西北中城路桥铁江河湖海港新]{2}")
_CITY_SAID_ALONE = frozenset({"西安", "大同", "中山", "资阳"})
"""Cities so called; the districts that share the name are never meant without their own city."""
_NEVER_A_STEM = frozenset({"市中"})


def build(version: str, places: Iterable[Place]) -> Gazetteer:
    """Index the places by every form of their names."""
    by_code = {place.code: place for place in places}
    meanings: dict[str, dict[str, Kind]] = {}
    official: dict[str, list[str]] = {}
    above_counties: set[str] = set()
    for place in by_code.values():
        if is_pseudo_city(place.level, place.name):
            continue
        official.setdefault(place.name, []).append(place.code)
        for name, kind in forms(place.level, place.name):
            known = meanings.setdefault(name, {})
            known[place.code] = max(kind, known.get(place.code, kind))
        parent = place.parent_code if place.level == COUNTY else None
        while parent:
            above_counties.add(parent)
            parent = by_code[parent].parent_code
    for alias, name in ALIASES.items():
        for code in official.get(name, ()):
            meanings.setdefault(alias, {})[code] = Kind.OFFICIAL
    return Gazetteer(
        version,
        by_code,
        {name: tuple(known.items()) for name, known in meanings.items()},
        max(map(len, meanings), default=0),
        frozenset(above_counties),
    )


def forms(level: int, name: str) -> Iterator[tuple[str, Kind]]:
    """Every way a division is written: official name, usual abbreviation, name without ending."""
    if len(name) == 2:
        yield name, Kind.GENERIC if name.endswith("区") else Kind.STEM
        return
    yield name, Kind.OFFICIAL
    for pattern, short in _NAME_OF_ZONE:
        if pattern.search(name):
            yield short, Kind.GENERIC
    if _ZONE.search(name):
        return
    ending = _ENDINGS.search(name)
    if ending is None:
        return
    whole_stem = name[: ending.start()]
    stem = _without_peoples(whole_stem)
    abbreviates = stem != whole_stem or ending.group().startswith("自治")
    if abbreviates and len(stem) >= 2 and level != PROVINCE:
        yield stem + ending.group()[-1], Kind.OFFICIAL
    if len(stem) < 2 or stem in _NEVER_A_STEM:
        return
    if level == PROVINCE:
        yield stem, Kind.PROVINCE_STEM
    elif level == COUNTY and (_VAGUE_STEM.fullmatch(stem) or stem in _CITY_SAID_ALONE):
        yield stem, Kind.GENERIC
    else:
        yield stem, Kind.STEM


def _without_peoples(stem: str) -> str:
    """Drop the names of peoples at the end, as long as a name remains (内蒙古 and 东乡族 stay)."""
    while (found := _PEOPLES.search(stem)) and found.start() >= 2:
        stem = stem[: found.start()]
    return stem
