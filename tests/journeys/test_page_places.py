"""The place on 12345's page: by typing, by pasting, level by level — with scripts and without."""

import re

import httpx
import pytest

from tests.support.intake_page import COMPLAINT, Desk, address, number_on, problems_on, tickets
from tests.support.journey import World

_CHOSEN = re.compile(r'<option value="(\d{12})" selected>')
_FOUND = re.compile(r'<option value="(\d{12})">(贵州省[^<]+)</option>')
WITHOUT_PLACE = {name: value for name, value in COMPLAINT.items() if name != "division_code"}


def chosen(page: httpx.Response) -> list[str]:
    """What is chosen at each level."""
    return _CHOSEN.findall(page.text)


@pytest.fixture
def desk(world: World) -> Desk:
    """A form that has just been opened."""
    made = Desk(world)
    made.open(address(world))
    return made


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("马山镇", "贵州省遵义市湄潭县马山镇"),
        ("马山", "贵州省遵义市湄潭县马山镇"),
        ("湄潭 马山", "贵州省遵义市湄潭县马山镇"),
        ("湄潭", "贵州省遵义市湄潭县"),
        ("贵州省遵义市湄潭县马山镇三组12号", "贵州省遵义市湄潭县马山镇"),
    ],
)
def test_a_place_is_found_by_a_part_of_its_name_or_a_pasted_address(
    desk: Desk, words: str, first: str
) -> None:
    found = desk.find(words)

    assert found[0]["division_name"] == first


@pytest.mark.parametrize("words", ["", "马", "，。", "没有这样的地方镇"])
def test_words_that_name_no_place_find_none(desk: Desk, words: str) -> None:
    assert desk.find(words) == []


@pytest.mark.parametrize("words", ["新华", "城关"])
def test_places_of_the_own_province_come_first(desk: Desk, words: str) -> None:
    names = [item["division_name"] for item in desk.find(words)]
    own = [name.startswith("贵州省") for name in names]

    assert own == sorted(own, reverse=True)
    assert any(own)


def test_without_scripts_a_level_is_chosen_and_the_next_is_listed(desk: Desk, world: World) -> None:
    page = desk.press("level", **WITHOUT_PLACE, division_code=["520000000000", "520300000000"])
    assert (page.status_code, chosen(page)) == (200, ["520000000000", "520300000000"])
    assert COMPLAINT["content"] in page.text
    assert "problems" not in page.text

    page = desk.press(
        "level", division_code=["520000000000", "520300000000", "520328000000"], **WITHOUT_PLACE
    )
    assert "马山镇" in page.text
    number_on(
        desk.send(
            division_code=["520000000000", "520300000000", "520328000000", "520328103000"],
            **WITHOUT_PLACE,
        )
    )

    assert [ticket.division_code for ticket in tickets(world)] == ["520328103000"]


def test_without_scripts_a_changed_upper_level_leaves_no_place_of_the_old_one(desk: Desk) -> None:
    page = desk.press(
        "level", **WITHOUT_PLACE, division_code=["500000000000", "520300000000", "520328000000"]
    )

    assert chosen(page) == ["500000000000"]


def test_without_scripts_a_pasted_address_chooses_the_place(desk: Desk) -> None:
    page = desk.press(
        "find",
        **WITHOUT_PLACE,
        **{"division_code": ["520000000000", ""], "division_code-find": "遵义市湄潭县马山镇三组"},
    )

    assert chosen(page) == ["520000000000", "520300000000", "520328000000", "520328103000"]
    assert chosen(desk.again()) == chosen(page)


def test_without_scripts_several_places_are_offered_and_one_is_taken(
    desk: Desk, world: World
) -> None:
    page = desk.press("find", **WITHOUT_PLACE, **{"division_code-find": "山镇"})
    offered = dict(_FOUND.findall(page.text))
    assert len(offered) > 1

    number_on(
        desk.send(
            **WITHOUT_PLACE,
            **{"division_code": ["520000000000", ""], "division_code-pick": "520328103000"},
        )
    )

    assert tickets(world)[0].division_code == "520328103000"


def test_a_search_needs_the_key_of_its_form(desk: Desk, world: World) -> None:
    desk.key = "0" * 64
    refused = desk.http.post(
        f"{desk.action}/places.json",
        data={"division_code-find": "湄潭"},
        headers={"Accept": "application/json", "X-CSRFToken": desk.key},
    )

    assert refused.status_code == 410


def test_what_was_looked_for_is_in_no_address_and_no_error(desk: Desk) -> None:
    page = desk.press("find", **WITHOUT_PLACE, **{"division_code-find": "某某人家三组"})

    assert "某某人家" not in str(page.url)
    assert problems_on(page) == {}
