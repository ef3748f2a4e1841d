"""Decisions about extensions (延期, EX-03) as plain functions. How long is in the policy."""

from dataclasses import dataclass

_DECIDERS = {
    "p12345_api": "p12345",
    "p12345_page": "p12345",
    "national": "national",
    "phone_010": "national",
}


@dataclass(frozen=True)
class Way:
    """Whose opinion is asked before, and who decides: `p12345`, `national` or `leader`."""

    city_first: bool
    province_first: bool
    decider: str


def way(source: str, asked_by: str, *, has_city: bool, is_citys_own: bool) -> Way:
    """The way up for a request of the `province`, `city` or `county`.

    Who sent the ticket decides, and the province's leader about tickets of our own and of calls
    (信访工作条例 34). A letter the city registered stays out of the province operator's hands
    (FLW-05): after the city's opinion the leader decides.
    """
    return Way(
        city_first=asked_by == "county" and has_city,
        province_first=asked_by != "province" and not is_citys_own,
        decider=_DECIDERS.get(source, "leader"),
    )
