"""From an address in words to a division code (区划文本识别): a hint for a person, never a guess.

The same words may mean several places (朝阳区): then there is no code and the candidates are
listed. Text that names nothing is not an error either. Texts are citizens' data: never log them.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.divisions import gazetteer as gazetteers
from app.divisions import queries, townships
from app.divisions.gazetteer import Gazetteer, Kind
from app.divisions.mentions import Reading, find_mentions, normalise, readings, without
from app.divisions.rules import CITY, PROVINCE

MAX_CANDIDATES = 20
_LEAD_IN = frozenset("我是 我在 我们是 我们在 我家在 我家住 家住 家在 住在 来自 位于 在".split())
_CODE_LENGTHS = (6, 9, 12)


class Exactness(StrEnum):
    """How a code was found."""

    EXACT = "exact"
    """By official or usual names without contradiction."""
    INFERRED = "inferred"
    """By short names, or by a lower name that occurs once in the country."""
    PARTIAL = "partial"
    """The code is sure; the text names something more that fits several places or none below it."""
    AMBIGUOUS = "ambiguous"
    """Several places fit; no code."""
    NONE = "none"
    """Nothing was recognised."""


@dataclass(frozen=True)
class Resolution:
    """What a text says about the place. Without a code the ticket is marked as unresolved."""

    code: str | None
    exactness: Exactness
    candidates: tuple[str, ...] = ()
    """Codes to offer when the text fits several places, at most `MAX_CANDIDATES`."""

    @property
    def is_resolved(self) -> bool:
        """Whether there is a code."""
        return self.code is not None


NOTHING = Resolution(None, Exactness.NONE)


def resolve(text: str) -> Resolution:
    """Recognise the deepest division the text names.

    1. A code in digits is looked up.
    2. Names of provinces, cities and counties are found; the place with most agreeing mentions
       wins, a township named below it counting as one more.
    3. Under the winner, township and village are looked for.
    4. A tie that no rule of `_decide` settles is reported, not broken.
    """
    plain = normalise(text)
    if plain.isdigit() and len(plain) in _CODE_LENGTHS:
        return _by_code(plain.ljust(12, "0"))
    gazetteer = gazetteers.current()
    mentions = find_mentions(gazetteer, plain)
    found = [r for r in readings(gazetteer, plain, mentions) if r.chain or r.kind != Kind.GENERIC]
    if not found:
        return _by_township_alone(plain)
    best, lower = _best_supported(gazetteer, plain, found)
    decided = _decide(gazetteer, best)
    if isinstance(decided, Resolution):
        return decided
    township = lower.get(decided.code)
    if township:
        rest = without(plain, decided)
        village = townships.village_below(township.code, rest)
        return Resolution(village.code if village else township.code, _exactness(decided))
    return _deepen(gazetteer, decided, plain)


def _by_code(code: str) -> Resolution:
    division = queries.in_force(code)
    return Resolution(division.code, Exactness.EXACT) if division else NOTHING


def _best_supported(
    gazetteer: Gazetteer, text: str, found: list[Reading]
) -> tuple[list[Reading], dict[str, townships.Found]]:
    """The readings with most support, and the townships found below counties among them."""
    most = max(reading.support for reading in found)
    best = [reading for reading in found if reading.support == most]
    lowest = {r.code: r.mention.end for r in best if r.code not in gazetteer.with_counties}
    lower = townships.below(lowest, text, lowest) if lowest else {}
    deeper = [reading for reading in best if reading.code in lower]
    return deeper or best, lower


def _decide(gazetteer: Gazetteer, best: list[Reading]) -> Reading | Resolution:
    """The one reading to believe, or the tie. Rules in order; the first that leaves one wins."""
    strongest = max(reading.kind for reading in best)
    for group in (best, [reading for reading in best if reading.kind == strongest]):
        if len({reading.code for reading in group}) == 1:
            return group[0]
        top = [r for r in group if all(gazetteer.is_within(o.code, r.code) for o in group)]
        if top:  # 大理 is the prefecture and a city in it: the upper one is right either way
            return top[0]
        spans = {(r.mention.start, r.mention.end) for r in group}
        provinces = [r for r in group if gazetteer.places[r.code].level == PROVINCE]
        if len(spans) == 1 and len(provinces) == 1:  # 海南 alone is the province
            return provinces[0]
    by_span: dict[int, list[Reading]] = {}
    for reading in group:
        by_span.setdefault(reading.mention.start, []).append(reading)
    single = [readings[0] for readings in by_span.values() if len(readings) == 1]
    if len(single) == 1:  # 遵义市新城区: the name that occurs elsewhere says nothing against it
        return replace(single[0], contested=True)
    return _tie(group)


def _tie(group: list[Reading]) -> Resolution:
    candidates = tuple(dict.fromkeys(reading.code for reading in group))[:MAX_CANDIDATES]
    named = {reading.surely_below for reading in group}
    if len(named) == 1 and (code := named.pop()):
        return Resolution(code, Exactness.PARTIAL, candidates)
    return Resolution(None, Exactness.AMBIGUOUS, candidates)


def _deepen(gazetteer: Gazetteer, reading: Reading, text: str) -> Resolution:
    """Look below a place under which no township was found yet."""
    code, rest = reading.code, without(text, reading)
    if code not in gazetteer.with_counties:
        village = townships.village_within(code, rest)
        if village:
            return Resolution(village.code, _exactness(reading))
        if _is_doubtful(gazetteer, reading, text):
            return Resolution(None, Exactness.AMBIGUOUS, (code,))
        return Resolution(code, _exactness(reading))
    inside = [f for f in townships.by_name(rest) if _is_inside(gazetteer, f, code)]
    if len(inside) == 1:
        village = townships.village_below(inside[0].code, rest)
        return Resolution(village.code if village else inside[0].code, Exactness.INFERRED)
    if _is_doubtful(gazetteer, reading, text):
        return Resolution(None, Exactness.AMBIGUOUS, (code,))
    if inside:
        return Resolution(code, Exactness.PARTIAL, tuple(f.code for f in inside[:MAX_CANDIDATES]))
    return Resolution(code, _exactness(reading))


def _is_inside(gazetteer: Gazetteer, found: townships.Found, area: str) -> bool:
    return found.parent_code in gazetteer.places and gazetteer.is_within(found.parent_code, area)


def _is_doubtful(gazetteer: Gazetteer, reading: Reading, text: str) -> bool:
    """Whether the only evidence is a short name that may be a plain word (通道, 和平, 和县)."""
    if reading.chain or reading.kind != Kind.STEM:
        return False
    before, name = text[: reading.mention.start].strip(), text[reading.mention.start :]
    if before and before not in _LEAD_IN:
        return True
    whole = len(name.strip()) == reading.mention.end - reading.mention.start
    is_city = gazetteer.places[reading.code].level == CITY
    return not (whole or is_city or name[1] in "县市")


def _by_township_alone(text: str) -> Resolution:
    found = townships.by_name(text)
    if len(found) == 1:
        village = townships.village_below(found[0].code, text)
        return Resolution(village.code if village else found[0].code, Exactness.INFERRED)
    if found:
        codes = tuple(one.code for one in found[:MAX_CANDIDATES])
        return Resolution(None, Exactness.AMBIGUOUS, codes)
    return NOTHING


def _exactness(reading: Reading) -> Exactness:
    if reading.contested:
        return Exactness.PARTIAL
    sure = reading.kind >= Kind.PROVINCE_STEM and all(
        any(kind >= Kind.PROVINCE_STEM for _, kind in mention.meanings) for mention in reading.chain
    )
    return Exactness.EXACT if sure else Exactness.INFERRED
