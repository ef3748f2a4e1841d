"""Finding townships and villages in a text once the place above them is known, or by name alone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Row as ResultRow
from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.core.db import session
from app.divisions.mentions import PART_OF_ANOTHER_NAME
from app.divisions.models import Division
from app.divisions.rules import TOWNSHIP, VILLAGE

_TOWNSHIP_ENDING = re.compile(r"(街道办事处|街道|民族乡|镇|乡|苏木)$")
_NAMED_TOWNSHIP = re.compile(r"(?<=.)(街道|镇|乡|苏木)")
_LONGEST_TOWNSHIP = 12
_COMMITTEE = re.compile(r"(村民委员会|居民委员会|居民管理委员会|委员会|村委会|居委会|牧委会|委会)$")
_SETTLEMENT = re.compile(r"(村|社区|嘎查|居委会|村委会|委员会|居)")
_SETTLEMENT_ENDING = ("村", "社区", "嘎查")


@dataclass(frozen=True, slots=True)
class Found:
    """A township or village named in the text."""

    code: str
    parent_code: str
    weight: int
    """Characters of the text that name it."""


def below(codes: Iterable[str], text: str, at: dict[str, int]) -> dict[str, Found]:
    """For each county (or city without counties) the one township directly below it that is named.

    `at` gives for each code the position where its own name ends: a township without its ending is
    believed only there (大理市下关), anywhere else it may be a plain word.
    """
    named: dict[str, list[Found]] = {}
    for row in _rows(_columns().where(Division.parent_code.in_(list(codes)))):
        parent = row.parent_code or ""
        weight = _township_weight(row.name, text, at[parent])
        if weight:
            named.setdefault(parent, []).append(Found(row.code, parent, weight))
    return {code: best for code, found in named.items() if (best := _single_best(found))}


def by_name(text: str) -> list[Found]:
    """Townships of the whole country whose full name is in the text; the longest names only."""
    names = {
        text[start : end.end()]
        for end in _NAMED_TOWNSHIP.finditer(text)
        for start in range(max(0, end.end() - _LONGEST_TOWNSHIP), end.start())
        if " " not in text[start : end.end()]
    }
    if not names:
        return []
    statement = _columns().where(Division.level == TOWNSHIP, Division.name.in_(names))
    found = [Found(row.code, row.parent_code or "", len(row.name)) for row in _rows(statement)]
    longest = max((one.weight for one in found), default=0)
    return [one for one in found if one.weight == longest]


def village_below(township_code: str, text: str) -> Found | None:
    """The one village of a township that the text names."""
    if not _SETTLEMENT.search(text):
        return None
    return _single_best(_villages(_columns().where(Division.parent_code == township_code), text))


def village_within(county_code: str, text: str) -> Found | None:
    """The one village of a county that the text names without its township."""
    if not _SETTLEMENT.search(text):
        return None
    township = aliased(Division)
    statement = (
        _columns()
        .join(township, Division.parent_code == township.code)
        .where(township.parent_code == county_code, Division.level == VILLAGE)
    )
    return _single_best(_villages(statement, text))


def _columns() -> Select[str, str, str | None]:
    columns = select(Division.code, Division.name, Division.parent_code)
    return columns.where(Division.valid_to.is_(None))


def _rows(statement: Select[str, str, str | None]) -> Iterable[ResultRow[str, str, str | None]]:
    return session().execute(statement)


def _villages(statement: Select[str, str, str | None], text: str) -> Iterator[Found]:
    for row in _rows(statement):
        weight = max((len(form) for form in village_forms(row.name) if form in text), default=0)
        if weight:
            yield Found(row.code, row.parent_code or "", weight)


def village_forms(name: str) -> list[str]:
    """How a village is written: 永兴村村民委员会 is 永兴村, 河湾居委会 is 河湾社区 too."""
    stem = _COMMITTEE.sub("", name)
    if stem.endswith(_SETTLEMENT_ENDING):
        return [form for form in (name, stem) if len(form) >= 3]
    return [name, *(stem + ending for ending in _SETTLEMENT_ENDING if stem)]


def _township_weight(name: str, text: str, county_ends: int) -> int:
    if name in text:
        return len(name) + 1
    stem = _TOWNSHIP_ENDING.sub("", name)
    if len(stem) < 2:
        return 0
    for ending in ("镇", "乡", "街道"):
        if stem + ending in text:
            return len(stem) + 1
    after = text[county_ends:].lstrip()
    if after.startswith(stem) and not PART_OF_ANOTHER_NAME.match(after, len(stem)):
        return len(stem)
    return 0


def _single_best(found: Iterable[Found]) -> Found | None:
    """The longest match, unless two places share it."""
    ranked = sorted(found, key=lambda one: one.weight, reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0].weight == ranked[1].weight):
        return None
    return ranked[0]
