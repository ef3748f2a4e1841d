"""The worklist and the lists: one's own unit and role, filters, pages, rows alone for htmx."""

import html
import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, ZUNYI, Person

Browse = Callable[[Person], Browser]


def test_each_level_sees_the_ticket_when_it_is_its_turn(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    browsers = [browse(p) for p in (people.province, people.city, people.county)]

    def lists() -> list[bool]:
        return [f"/tickets/{number}" in b.find(number).text for b in browsers]

    assert lists() == [True, False, False]
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    assert lists() == [False, True, False]
    target = people.county.principal.unit_id
    world.complete(people.city, number, city_route="county", target_unit_id=target)
    assert lists() == [False, False, True]


def test_neighbours_and_other_roles_see_nothing_of_it(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    outsider, _ = world.hire(GUIYANG)
    supervisor = world.employ(ZUNYI, "supervisor")
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)

    for person in (outsider, supervisor):
        assert f"/tickets/{number}" not in browse(person).find(number).text


def test_htmx_gets_the_rows_alone(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    browser = browse(people.province)

    whole = browser.find(number).text
    rows = browser.find(number, htmx=True).text

    assert number in whole
    assert number in rows
    assert "<html" in whole
    assert "<html" not in rows


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, True),
        ({"step": "sign_in"}, True),
        ({"step": "audit_by_province"}, False),
        ({"category": "3"}, True),
        ({"category": "4"}, False),
        ({"category": "x"}, True),
        ({"light": "green"}, True),
        ({"light": "red"}, False),
        ({"scope": "mine"}, False),
    ],
)
def test_filters_narrow_the_list(
    world: World, browse: Browse, query: dict[str, str], shown: bool
) -> None:
    people, number = world.chain(), world.submit()

    page = browse(people.province).find(number, **query)

    assert page.status_code == 200
    assert (f"/tickets/{number}" in page.text) is shown


def test_pages_follow_each_other_without_a_gap(world: World, browse: Browse) -> None:
    people = world.chain()
    title = f"分页{world.app_id}"
    numbers = {world.submit(content=title) for _ in range(23)}
    browser = browse(people.province)

    first = browser.find(title).text
    after = re.search(r'name="after" value="([^"]*)"', first)
    assert after is not None
    second = browser.find(title, after=html.unescape(after[1])).text

    one = {n for n in numbers if n in first}
    two = {n for n in numbers if n in second}
    assert (len(one), len(two)) == (20, 3)
    assert one | two == numbers


def test_a_wrong_cursor_is_refused_and_not_an_error(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)

    for path, query in (
        ("/worklist", {"after": "nonsense"}),
        ("/done", {"before": "nonsense"}),
        ("/tickets", {"before": "x"}),
        ("/worklist", {"q": "\x00"}),
        ("/tickets", {"q": "\x00", "status": "\x00"}),
    ):
        assert browser.get(path, **query).status_code in {200, 400, 422}


def _found(browser: Browser, **wanted: str) -> TestResponse:
    """Search as the page's form does: by POST, so that nothing stands in the address."""
    browser.get("/tickets")
    return browser.post("/tickets", wanted)


def test_the_search_finds_numbers_in_scope_only(world: World, browse: Browse) -> None:
    people, external = world.chain(), f"GZ-{world.app_id}"
    number = world.submit(external_ticket_no=external)
    province, city = browse(people.province), browse(people.city)

    for wanted in (number, number.lower(), external, f" {number} "):
        assert f"/tickets/{number}" in _found(province, q=wanted).text
        assert f"/tickets/{number}" not in _found(city, q=wanted).text
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)

    assert f"/tickets/{number}" in _found(city, q=number).text
    assert f"/tickets/{number}" in _found(province, q=number, status="delegated").text
    assert f"/tickets/{number}" not in _found(province, q=number, status="handling").text


def test_a_phone_reaches_every_page(world: World, browse: Browse) -> None:
    page = browse(world.chain().province).get("/worklist").text

    side = page[page.index('class="side"') : page.index('id="main"')]
    bottom = page[page.index('class="tabbar"') :]
    wanted = re.findall(r'<a href="([^"]+)"', side)
    assert len(wanted) > 5
    assert re.findall(r'<a href="([^"]+)"', bottom) == wanted
