"""The supervisors' lists: by how late a ticket is, in scope, a page at a time."""

import html
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.deadlines import services
from app.deadlines.models import Deadline, TicketClock
from app.deadlines.plan import Facts
from app.tickets import overdue
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, ticket_of_partner
from tests.support.journey import Chain, World
from tests.support.pages import Browser, inline_code
from tests.support.people import CHONGQING, GUIYANG, GUIZHOU, MEITAN, Person

Browse = Callable[[Person], Browser]
_moments = itertools.count()


@pytest.fixture
def supervisor(world: World) -> Person:
    return world.employ(GUIZHOU, "supervisor")


def late(world: World, step: str, number: str | None = None) -> str:
    """A ticket whose total has reached that step; each is due before all others of the suite."""
    number = number or world.submit()
    due = datetime(2019, 1, 2, 18, 0, tzinfo=BEIJING) + timedelta(minutes=next(_moments))

    def work() -> None:
        ticket = ticket_of_partner(world.partner_id, number)
        facts = Facts("complaint", "p12345_api", ticket.submitted_at)
        services.open_ticket(ticket.id, number, facts, ticket.submitted_at, division_code=MEITAN)
        total = (Deadline.ticket_id == ticket.id) & (Deadline.stage == "total")
        session().execute(update(Deadline).where(total).values(light=step, due_at=due))
        ticket.due_at = due

    with world.app.app_context():
        transact(work)
        db.session.remove()
    return number


@pytest.fixture(autouse=True)
def _leave_nothing(app: Flask) -> Iterator[None]:
    """Other stories' lists do not begin with these tickets."""
    yield
    with app.app_context():
        new_year = datetime(2020, 1, 1, tzinfo=BEIJING)
        late = select(Deadline.ticket_id).where(Deadline.due_at < new_year)
        old = update(Ticket).where(Ticket.id.in_(late)).values(archived_at=new_year)
        transact(lambda: session().execute(old))
        db.session.remove()


@pytest.mark.parametrize(
    ("step", "lists"),
    [
        ("green", set()),
        ("yellow", {"soon"}),
        ("orange", {"soon"}),
        ("red", {"late"}),
        ("supervise", {"late", "supervise"}),
        ("leaders", {"late", "supervise", "leaders"}),
        ("notice", {"late", "supervise", "leaders", "notice"}),
    ],
)
def test_a_ticket_stands_in_the_lists_of_its_step(
    world: World, browse: Browse, supervisor: Person, step: str, lists: set[str]
) -> None:
    number, browser = late(world, step), browse(supervisor)

    found = {name for name in overdue.LISTS if number in browser.get("/overdue", list=name).text}

    assert found == lists


def test_the_row_links_to_the_ticket_and_offers_to_urge_and_to_supervise(
    world: World, browse: Browse, supervisor: Person
) -> None:
    number = late(world, "leaders")
    world.chain()

    page = browse(supervisor).get("/overdue", list="leaders").text

    assert f'href="/tickets/{number}"' in page
    assert f"/tickets/{number}/actions/urge" in page
    assert f"/tickets/{number}/actions/supervise" not in page  # the province has it itself
    assert "逾期" in page
    assert "领导督办" in page
    assert not inline_code(page)


def test_each_level_reads_what_hangs_below_it(world: World, browse: Browse) -> None:
    number = late(world, "red")

    for place, sees in ((GUIZHOU, True), (GUIYANG, False), (CHONGQING, False)):
        page = browse(world.employ(place, "supervisor")).get("/overdue").text
        assert (number in page) is sees, place


def test_the_nation_counts_all_and_reads_its_own(world: World, browse: Browse) -> None:
    number = late(world, "red")
    nation = world.employ("000000000000", "supervisor")

    page = browse(nation).get("/overdue").text

    assert number in page
    assert f'href="/tickets/{number}"' not in page
    assert "反映危房改造补助资金" not in page


def test_an_analyst_reads_numbers_and_no_tickets(world: World, browse: Browse) -> None:
    number = late(world, "red")

    page = browse(world.employ(GUIZHOU, "process_analyst")).get("/overdue").text

    assert number in page
    assert f'href="/tickets/{number}"' not in page
    assert "反映危房改造补助资金" not in page


def test_an_archived_ticket_is_nobody_s_concern(
    world: World, browse: Browse, supervisor: Person
) -> None:
    number = late(world, "red")
    with world.app.app_context():
        now = datetime.now(BEIJING)
        mine = Ticket.acceptance_no == number
        transact(lambda: session().execute(update(Ticket).where(mine).values(archived_at=now)))
        db.session.remove()

    assert number not in browse(supervisor).get("/overdue").text


def test_pages_follow_each_other_without_a_gap(
    world: World, browse: Browse, supervisor: Person
) -> None:
    numbers = [late(world, "notice") for _ in range(PAGE + 3)]
    browser = browse(supervisor)

    first = browser.get("/overdue", list="notice").text
    address = first.split('href="/overdue?list=notice&amp;after=')[1].split('"')[0]
    second = browser.get(f"/overdue?list=notice&after={address}").text

    assert [n for n in numbers if n in first] == numbers[:PAGE]
    assert [n for n in numbers if n in second] == numbers[PAGE:]
    assert "回到首页" in second


@pytest.mark.parametrize(
    "place", ["nonsense", "2026-01-01T00:00:00_7", "2026-01-01T00:00:00%2B08:00_x"]
)
def test_a_place_that_is_none_is_refused(
    world: World, browse: Browse, supervisor: Person, place: str
) -> None:
    assert browse(supervisor).get(f"/overdue?after={place}").status_code == 422


def test_more_rows_ask_no_more_questions(
    app: Flask, world: World, browse: Browse, supervisor: Person
) -> None:
    asked: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(*execution: object) -> None:
        asked.append(str(execution[2]))

    def count() -> int:
        asked.clear()
        browser.get("/overdue", list="notice")
        return len(asked)

    browser = browse(supervisor)
    event.listen(engine, "before_cursor_execute", note)
    try:
        late(world, "notice")
        one = count()
        for _ in range(5):
            late(world, "notice")
        several = count()
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert several == one > 0


def test_a_clock_without_a_running_total_is_not_listed(
    world: World, browse: Browse, supervisor: Person
) -> None:
    number = late(world, "red")
    with world.app.app_context():

        def end() -> None:
            clock = ticket_of_partner(world.partner_id, number).id
            assert session().get(TicketClock, clock) is not None
            services.close_ticket(clock, datetime.now(BEIJING))

        transact(end)
        db.session.remove()

    assert number not in browse(supervisor).get("/overdue").text


def test_outsiders_of_statistics_are_refused(world: World, browse: Browse) -> None:
    assert browse(world.employ(GUIZHOU, "audit_admin")).get("/overdue").status_code == 403


def late_stage(world: World, number: str, step: str, stage: str) -> None:
    """The last deadline of a stage has reached that step; it is due before all others."""
    due = datetime(2019, 1, 2, 18, 0, tzinfo=BEIJING) + timedelta(minutes=next(_moments))

    def work() -> None:
        ticket = ticket_of_partner(world.partner_id, number)
        of = (Deadline.ticket_id == ticket.id) & (Deadline.stage == stage)
        found = session().scalars(select(Deadline).where(of, Deadline.state == "running")).all()
        assert found, stage
        found[-1].light, found[-1].due_at = step, due

    with world.app.app_context():
        transact(work)
        db.session.remove()


@pytest.fixture
def at_the_county(world: World) -> tuple[Chain, str]:
    """A ticket at the county whose own limit is far away and whose handling is late by a day."""
    people, number = world.chain(), world.submit()
    world.down(number, people)
    late_stage(world, number, "supervise", "handle")
    return people, number


def test_a_stage_is_late_before_the_ticket_is(
    at_the_county: tuple[Chain, str], browse: Browse, supervisor: Person
) -> None:
    _, number = at_the_county
    browser = browse(supervisor)

    assert number not in browser.get("/overdue", list="late").text
    page = browser.get("/overdue", list="supervise", by="stage").text
    assert number in page
    row = page.partition(number)[2].split("</tr>")[0]
    assert "办理" in row
    assert "湄潭县" in row


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        ({}, True),
        ({"unit": "county"}, True),
        ({"unit": "city"}, True),
        ({"unit": "province"}, False),
        ({"unit": "neighbour"}, False),
        ({"unit": "0"}, True),
        ({"unit": "x"}, True),
        ({"type": "complaint"}, True),
        ({"type": "consultation"}, False),
        ({"type": "nonsense"}, True),
        ({"stage": "handle"}, True),
        ({"stage": "audit_city"}, False),
        ({"stage": "total"}, True),
        ({"stage": "nonsense"}, True),
    ],
)
def test_filters_narrow_the_list(
    at_the_county: tuple[Chain, str],
    world: World,
    browse: Browse,
    supervisor: Person,
    filters: dict[str, str],
    listed: bool,
) -> None:
    people, number = at_the_county
    units = {
        "county": people.county.principal.unit_id,
        "city": people.city.principal.unit_id,
        "province": people.province.principal.unit_id,
    }
    if filters.get("unit") == "neighbour":
        units["neighbour"] = world.hire(GUIYANG)[0].principal.unit_id
    asked = {k: str(units.get(v, v)) if k == "unit" else v for k, v in filters.items()}

    page = browse(supervisor).get("/overdue", list="late", by="stage", **asked)

    assert page.status_code == 200
    assert (number in page.text) is listed


def test_the_numbers_of_each_unit_lead_to_its_list(
    at_the_county: tuple[Chain, str], browse: Browse, supervisor: Person
) -> None:
    people, number = at_the_county
    city = people.city.principal.unit_id
    browser = browse(supervisor)

    page = browser.get("/overdue", list="late", by="stage", stage="handle").text

    link = f"/overdue?list=supervise&amp;by=stage&amp;unit={city}&amp;stage=handle"
    count = int(page.split(f'<a href="{link}">')[1].split("<")[0])
    assert count >= 1
    narrowed = browser.get(html.unescape(link)).text
    assert number in narrowed
    lamp = narrowed.split("<small>待督办")[0].rsplit("<b>", 1)[1]
    assert lamp.startswith(f"{count}</b>")


def test_what_the_province_has_itself_is_not_the_citys_delay(
    world: World, browse: Browse, supervisor: Person
) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    late_stage(world, number, "red", "audit_province")
    browser, units = browse(supervisor), (people.province, people.city)

    found = [
        number in browser.get("/overdue", list="late", by="stage", unit=p.principal.unit_id).text
        for p in units
    ]

    assert found == [True, False]


def test_a_county_reads_its_own_stages_only(
    at_the_county: tuple[Chain, str], world: World, browse: Browse
) -> None:
    _, number = at_the_county

    for place, sees in ((MEITAN, True), (GUIYANG, False)):
        page = browse(world.employ(place, "supervisor")).get("/overdue", by="stage").text
        assert (number in page) is sees, place


def test_what_is_lit_is_found_by_its_index(context: None) -> None:
    for way in ("seqscan", "bitmapscan"):
        session().execute(text(f"set local enable_{way} = off"))
    plan = "\n".join(
        session().scalars(
            text(
                "explain select id from deadlines where light <> 'green'"
                " and state in ('running', 'paused') and stage = 'total'"
                " order by due_at, id limit 21"
            )
        )
    )

    assert "Index Scan using ix_deadlines_lit" in plan
    assert "Sort" not in plan
