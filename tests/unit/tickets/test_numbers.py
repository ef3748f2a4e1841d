"""Acceptance numbers: form, check character, slips noticed."""

from datetime import date

import pytest

from app.tickets.numbers import compose, is_well_formed, query_code

EXAMPLE = "TS5200002026112300042S"
"""The number of REQUIREMENTS 3.5."""


def test_the_example_of_the_requirements_comes_out() -> None:
    assert compose("TS520000", date(2026, 11, 23), 42) == EXAMPLE
    assert len(EXAMPLE) == 22
    assert is_well_formed(EXAMPLE)


def test_beyond_99999_a_day_the_number_widens() -> None:
    wide = compose("TS520000", date(2026, 11, 23), 100_000)

    assert len(wide) == 23
    assert is_well_formed(wide)


@pytest.mark.parametrize("place", range(22))
def test_every_single_slip_is_noticed(place: int) -> None:
    other = "7" if EXAMPLE[place] != "7" else "4"

    assert not is_well_formed(EXAMPLE[:place] + other + EXAMPLE[place + 1 :])


@pytest.mark.parametrize("place", range(21))
def test_every_swap_of_neighbours_is_noticed(place: int) -> None:
    one, two = EXAMPLE[place], EXAMPLE[place + 1]
    swapped = EXAMPLE[:place] + two + one + EXAMPLE[place + 2 :]

    assert is_well_formed(swapped) is (one == two)


@pytest.mark.parametrize("number", ["", "TS", EXAMPLE[:-1], EXAMPLE + "0", "编号" * 11, " " * 22])
def test_what_is_no_number_is_refused_without_an_error(number: str) -> None:
    assert not is_well_formed(number)


def test_the_query_code_has_six_digits() -> None:
    codes = {query_code() for _ in range(200)}

    assert all(len(code) == 6 and code.isdecimal() and code.isascii() for code in codes)
    assert len(codes) > 190
