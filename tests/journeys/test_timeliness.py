"""按时办结率 of a month (ST-03): as the list behind it is counted by hand, now and ever after."""

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.callbacks import services as callbacks
from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.deadlines.models import CANCELLED, Deadline
from app.exchange.models import Partner
from app.tickets.models import Ticket
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, Person
from tests.support.timelimits import deadlines, hour

_NUMBER = re.compile(r'<div class="no">(\w+) · ')
_RESULT = re.compile(r'data-label="结果"><span class="tag \w+">(\w+)</span>')
_RATE = re.compile(r'<b>([\d.]+%|—)</b><small>按时办结率<span class="wide-only">（应办结 (\d+)）')
_NEXT = re.compile(r'href="([^"]+)">下一页')


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain; rounds that others left without a ticket fall away."""
    with world.app.app_context():
        unowned = update(Deadline).where(Deadline.ticket_id.not_in(select(Ticket.id)))
        transact(lambda: session().execute(unowned.values(state=CANCELLED)))
        db.session.remove()
    return world.chain()


class Desk:
    """Somebody who reads the statistics of one month, at a given moment."""

    def __init__(self, world: World, person: Person, now: datetime, month: str) -> None:
        self.month = month
        with hour(now):
            self.browser = Browser(world.app, person)
            self._read()

    def _read(self) -> None:
        self.page = self.browser.get("/statistics", month=self.month).text
        found = _RATE.search(self.page)
        assert found is not None
        self.rate, self.due = found[1], int(found[2])
        self.list: list[tuple[str, str]] = []
        text, self.text = self.page, ""
        while True:
            self.text += text
            self.list += zip(_NUMBER.findall(text), _RESULT.findall(text), strict=True)
            more = _NEXT.search(text)
            if more is None:
                break
            text = self.browser.get(more[1].replace("&amp;", "&")).text

    @property
    def counted(self) -> str:
        """The rate as somebody counts it who has only the list."""
        results = Counter(result for _, result in self.list)
        return f"{results['按时办结'] / len(self.list):.1%}" if self.list else "—"

    def results(self, *numbers: str) -> list[list[str]]:
        """What the list says of these tickets."""
        return [[result for n, result in self.list if n == number] for number in numbers]


def month_of(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m}"


def dissatisfied(world: World, number: str, now: datetime) -> None:
    """12345 reports a petitioner who is not satisfied: the ticket is handled again."""
    with hour(now), world.app.app_context():
        partner = session().get(Partner, world.partner_id)
        assert partner is not None
        said = {"satisfaction": 3, "opinion": "未解决。"}
        transact(
            lambda: (
                callbacks.reported(
                    ticket_numbered(number), partner, dict(said), rework_asked=False, now=now
                )
                and None
            )
        )
        db.session.remove()


def test_the_rate_of_last_month_is_that_of_its_list_before_and_after_a_rework(
    world: World, people: Chain
) -> None:
    in_time, late, still_open, withdrawn = (world.submit() for _ in range(4))
    due = deadlines(world, in_time)["total"].due_at
    world.conclude(in_time, people)
    with hour(due + timedelta(hours=1)):
        world.conclude(late, people)
    world.act(people.province, withdrawn, "withdraw", reason="来电人要求撤回该工单。")
    withdraw = next(
        t for t in world.tasks(people.province, withdrawn) if t["element_id"] != "sign_in"
    )
    world.complete_task(people.province, withdraw, {"decision": "approve"}, 200)
    month = month_of(due)
    next_month = (due.astimezone(BEIJING).replace(day=1, hour=9) + timedelta(days=32)).replace(
        day=5
    )
    supervisor = world.employ(people.province.principal.division_code, "supervisor")

    before = Desk(world, supervisor, next_month, month)
    dissatisfied(world, in_time, next_month)
    after = Desk(world, supervisor, next_month + timedelta(hours=1), month)

    for seen in (before, after):
        assert seen.rate == seen.counted
        assert seen.due == len(seen.list)
        assert seen.results(in_time, late, still_open, withdrawn) == [
            ["按时办结"],
            ["逾期办结"],
            ["逾期未办结"],
            [],
        ]
    assert (after.rate, after.list) == (before.rate, before.list)
    again = deadlines(world, in_time)["total"]
    assert (again.round, again.state) == (2, "running")


def test_a_unit_reads_what_is_its_own_and_below(world: World, people: Chain) -> None:
    number = world.submit()
    due = deadlines(world, number)["total"].due_at
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    now = due + timedelta(minutes=1)
    elsewhere = world.employ(GUIYANG, "supervisor")
    nation = world.employ("000000000000", "supervisor")

    for person, sees, opens in (
        (people.province, True, True),
        (people.city, True, True),
        (people.county, True, True),
        (elsewhere, False, False),
        (nation, True, False),
    ):
        desk = Desk(world, person, now, month_of(due))
        assert (number in dict(desk.list)) is sees, person
        assert (f'href="/tickets/{number}"' in desk.text) is opens, person
        assert desk.rate == desk.counted


def test_each_figure_leads_to_its_list(world: World, people: Chain) -> None:
    number = world.submit()
    due = deadlines(world, number)["total"].due_at
    world.conclude(number, people)
    desk = Desk(world, people.province, due, month_of(due))
    links = re.findall(
        r'href="(/statistics\?[^"]*)"[^>]*>(?:<span class="lamp"></span><span><b>)?(\d+)<',
        desk.page,
    )

    assert len(links) >= 7
    with hour(due):
        for link, figure in links:
            text, found = desk.browser.get(link.replace("&amp;", "&")).text, 0
            while True:
                found += len(_NUMBER.findall(text))
                more = _NEXT.search(text)
                if more is None:
                    break
                text = desk.browser.get(more[1].replace("&amp;", "&")).text
            assert found == int(figure), link


@pytest.mark.parametrize(
    "month", ["", "2026-13", "2026", "heute", "2026-10-01", "9999-12", "0001-01"]
)
def test_without_a_month_it_is_the_last_one_that_is_over(
    world: World, people: Chain, month: str
) -> None:
    with hour(datetime(2026, 12, 1, 9, tzinfo=BEIJING)):
        page = Browser(world.app, people.province).get("/statistics", month=month).text

    assert "2026 年 11 月按时办结率" in page
