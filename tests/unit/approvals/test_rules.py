"""Extensions: whose word is needed."""

import pytest

from app.approvals import rules


@pytest.mark.parametrize(
    ("source", "asked_by", "has_city", "is_citys_own", "way"),
    [
        ("p12345_api", "county", True, False, rules.Way(True, True, "p12345")),
        ("p12345_page", "county", False, False, rules.Way(False, True, "p12345")),
        ("p12345_api", "city", True, False, rules.Way(False, True, "p12345")),
        ("p12345_api", "province", False, False, rules.Way(False, False, "p12345")),
        ("national", "county", True, False, rules.Way(True, True, "national")),
        ("phone_010", "province", False, False, rules.Way(False, False, "national")),
        ("call", "county", True, False, rules.Way(True, True, "leader")),
        ("letter", "city", True, False, rules.Way(False, True, "leader")),
        ("letter", "county", True, True, rules.Way(True, False, "leader")),
        ("visit", "city", True, True, rules.Way(False, False, "leader")),
    ],
)
def test_the_way_up(
    source: str, asked_by: str, has_city: bool, is_citys_own: bool, way: rules.Way
) -> None:
    assert rules.way(source, asked_by, has_city=has_city, is_citys_own=is_citys_own) == way
