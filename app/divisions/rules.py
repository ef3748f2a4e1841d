"""What is true of divisions without looking into the table."""

import re

ROOT_CODE = "000000000000"
"""The whole country: the parent code (行政区划父节编码) of provinces in the partner interface."""

PROVINCE, CITY, COUNTY, TOWNSHIP, VILLAGE = 1, 2, 3, 4, 5

PSEUDO_CITIES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
"""City-level rows that only group counties: nobody governs there, no ticket goes there."""

MUNICIPALITIES = frozenset({"110000000000", "120000000000", "310000000000", "500000000000"})
"""Provinces that are cities (直辖市)."""

_CODE = re.compile(r"[0-9]{12}")


def is_code(text: str) -> bool:
    """Whether the text has the form of a division code; it need not exist."""
    return _CODE.fullmatch(text) is not None


def is_pseudo_city(level: int, name: str) -> bool:
    """Whether this row counts as no city at all."""
    return level == CITY and name in PSEUDO_CITIES
