"""What people type, brought to one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security.text import (
    clean,
    has_control_characters,
    normalise_digits,
    normalise_id_card,
    normalise_name,
    normalise_phone,
)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("０２１－１２３１７", "021-12317"), ("１２３Ｘ", "123X"), ("三组12号", "三组12号"), ("", "")],
)
def test_full_width_digits_become_plain_ones(typed, plain):
    assert normalise_digits(typed) == plain


@pytest.mark.parametrize(
    "typed",
    [
        "13800001234",
        "+86 138 0000 1234",
        "138-0000-1234",
        "8613800001234",
        "１３８００００１２３４",
    ],
)
def test_one_number_has_one_form(typed):
    assert normalise_phone(typed) == "13800001234"


def test_a_landline_that_begins_with_86_keeps_its_digits():
    assert normalise_phone("86551234") == "86551234"


def test_an_identity_number_ends_in_a_capital_x():
    assert normalise_id_card(" 52010219900101 123ｘ ") == "52010219900101123X"


@pytest.mark.parametrize("typed", ["买买提·阿里", "买买提•阿里", "买买提・阿里", " 买买提 ·阿里"])
def test_one_name_has_one_dot(typed):
    assert normalise_name(typed) == "买买提·阿里"


def test_cleaning_keeps_lines_and_removes_the_edges():
    assert clean("\u3000第一行\r\n第二行 ") == "第一行\n第二行"


@pytest.mark.parametrize("text", ["a\0b", "\x1b[31m", "\u202efdp.exe", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_found(text):
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["一行\n二行\t三", "买买提·阿里", "𠮷野家", "👨‍👩‍👧", "“引号”——"])
def test_honest_text_has_none(text):
    assert not has_control_characters(text)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise_phone(normalise_phone(text)) == normalise_phone(text)
    assert clean(clean(text)) == clean(text)
