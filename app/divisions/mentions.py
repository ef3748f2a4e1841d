"""Finding names of provinces, cities and counties in a text, and how well each place is supported.

Pure: works on a gazetteer and a text, decides nothing.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from app.divisions.gazetteer import Gazetteer, Kind
from app.divisions.rules import CITY, COUNTY

MAX_LENGTH = 200
"""Longer texts are cut: `division_text` has at most so many characters."""

_SEPARATORS = re.compile(r"[^0-9A-Za-z\u3400-\u9fff]+")
PART_OF_ANOTHER_NAME = re.compile(
    r"[东南西北中]{0,2}(路|街|大道|大街|巷|弄|桥|广场|公园|大厦|小区|花园|医院|学校|[中小大]学|宾馆|酒店"
    r"|超市|商场|银行|公司|集团|合作社|站|机场|镇|乡|村|街道|社区|组|寨|屯|庄)"
)
"""After a name without ending: then it is the name of a road, firm or village, not of the place."""
_WRONG_ENDING = {
    CITY: re.compile(r"(市|地区|州|盟)"),
    COUNTY: re.compile(r"[县市区旗](?![场域间])"),
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of the text that names one or more places."""

    start: int
    end: int
    meanings: tuple[tuple[str, Kind], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One place the text may mean, with the mentions that speak for it."""

    code: str
    kind: Kind
    mention: Mention
    chain: tuple[Mention, ...]
    """Mentions of places above it; each speaks for one place only."""
    surely_below: str | None
    """The nearest place above it that the text names."""
    contested: bool = False
    """The text also names something elsewhere, too common a name to count."""

    @property
    def support(self) -> int:
        """How many separate mentions agree."""
        return 1 + len(self.chain)


def normalise(text: str) -> str:
    """Full-width to half-width, every run of other characters to one blank, cut to the limit."""
    plain = unicodedata.normalize("NFKC", text[:MAX_LENGTH])
    return _SEPARATORS.sub(" ", plain).strip()


def find_mentions(gazetteer: Gazetteer, text: str) -> list[Mention]:
    """The longest name at each position, without those inside or cut off by an earlier one.

    Only an official name may begin inside another: 贵阳高新区 does not name 阳高, but 乐山市中区
    names 市中区.
    """
    kept: list[Mention] = []
    reached = 0
    for start in range(len(text)):
        mention = _mention_at(gazetteer, text, start)
        if mention is None or mention.end <= reached:
            continue
        if start >= reached or any(kind == Kind.OFFICIAL for _, kind in mention.meanings):
            kept.append(mention)
            reached = mention.end
    return kept


def readings(gazetteer: Gazetteer, text: str, mentions: list[Mention]) -> Iterator[Reading]:
    """Every place every mention may mean, with its support."""
    for mention in mentions:
        for code, kind in mention.meanings:
            chain: list[Mention] = []
            below = None
            for place in gazetteer.ancestors(code):
                taken = [mention, *chain]
                support = _mention_of(place.code, mentions, taken, text)
                if support:
                    chain.append(support)
                    below = below or place.code
            yield Reading(code, kind, mention, tuple(chain), below)


def without(text: str, reading: Reading) -> str:
    """The text with the mentions of a reading blanked out, positions kept."""
    characters = list(text)
    for mention in (reading.mention, *reading.chain):
        characters[mention.start : mention.end] = " " * (mention.end - mention.start)
    return "".join(characters)


def _mention_at(gazetteer: Gazetteer, text: str, start: int) -> Mention | None:
    for length in range(min(gazetteer.longest, len(text) - start), 1, -1):
        meanings = gazetteer.names.get(text[start : start + length])
        if meanings is None:
            continue
        end = start + length
        if any(kind == Kind.OFFICIAL for _, kind in meanings):
            return Mention(start, end, meanings)
        adopted, extra = _with_wrong_ending(gazetteer, text[end:], meanings)
        if adopted:
            return Mention(start, end + extra, adopted)
        if PART_OF_ANOTHER_NAME.match(text, end):
            return None
        return Mention(start, end, meanings)
    return None


def _with_wrong_ending(
    gazetteer: Gazetteer, after: str, meanings: tuple[tuple[str, Kind], ...]
) -> tuple[tuple[tuple[str, Kind], ...], int]:
    """A name whose ending has changed (黔西县 is 黔西市 now) is as good as the official one."""
    adopted, extra = [], 0
    for code, kind in meanings:
        pattern = _WRONG_ENDING.get(gazetteer.places[code].level)
        found = pattern.match(after) if pattern and kind == Kind.STEM else None
        if found:
            adopted.append((code, Kind.OFFICIAL))
            extra = max(extra, found.end())
    return tuple(adopted), extra


def _mention_of(
    code: str, mentions: list[Mention], taken: list[Mention], text: str
) -> Mention | None:
    """A free mention of the place, rather before than after what it supports."""
    candidates = [
        m
        for m in mentions
        if any(meaning == code for meaning, _ in m.meanings)
        and all(_apart(m, other, text) for other in taken)
    ]
    first = taken[0].start
    return min(candidates, key=lambda m: (m.start > first, abs(m.start - first)), default=None)


def _apart(one: Mention, other: Mention, text: str) -> bool:
    """Whether two mentions do not overlap; 乐山市中区 may share its 市."""
    early, late = sorted((one, other), key=lambda m: m.start)
    shared = early.end - late.start
    return shared <= 0 or (shared == 1 and late.start > early.start and text[late.start] == "市")
