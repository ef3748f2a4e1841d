"""Sources (来源): how a matter reached 12317, with everything that differs by it.

Code asks the row. The start values are process variables of the ticket's diagram.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.engine.scalars import Scalar


@dataclass(frozen=True)
class Source:
    """One way in. `levels` are those whose staff register it; none when a system brings it."""

    code: str
    title: str
    levels: tuple[str, ...] = ()
    moment: str = "来电时间"
    """What the time of its arrival is called."""
    has_number: bool = False
    """Whether the person called and the number is known."""
    is_petition: bool = False
    """Whether its time is that of the regulation on petitions (信访工作条例 34)."""
    start: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    """Level of the registering unit → where the diagram begins and ends."""


_AT_PROVINCE: dict[str, Scalar] = {
    "needs_review": False,
    "entry": "province",
    "final_audit": "province",
    "result_to": "none",
}
_AT_CITY: dict[str, Scalar] = {**_AT_PROVINCE, "entry": "city", "final_audit": "city"}
_FROM_NATION: dict[str, Scalar] = {"needs_review": True, "result_to": "national"}


def _petition(code: str, title: str, moment: str) -> Source:
    return Source(
        code,
        title,
        levels=("province", "city"),
        moment=moment,
        is_petition=True,
        start={"province": _AT_PROVINCE, "city": _AT_CITY},
    )


SOURCES: Mapping[str, Source] = {
    row.code: row
    for row in (
        Source("p12345_api", "12345 接口"),
        Source("p12345_page", "12345 页面"),
        Source("call", "12345 话务转接", has_number=True),
        _petition("letter", "来信", "来信日期"),
        _petition("visit", "来访", "来访时间"),
        _petition("email", "来邮", "收到时间"),
        Source(
            "national",
            "国家转办件",
            levels=("national",),
            moment="收到时间",
            start={"national": _FROM_NATION},
        ),
        Source(
            "phone_010",
            "01012317 来电",
            levels=("national",),
            has_number=True,
            start={"national": _FROM_NATION},
        ),
    )
}


def registered_at(level: str) -> list[Source]:
    """What staff of a unit of this level register, in the order of the table."""
    return [row for row in SOURCES.values() if level in row.levels]
