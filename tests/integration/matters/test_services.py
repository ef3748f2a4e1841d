"""What is kept of matters: sealed words, numbers of a year, nothing of citizens in variables."""

import re
from datetime import datetime

from sqlalchemy import select, text

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.engine.models import InboxMessage
from app.matters import queries
from app.matters import services as matters
from app.tickets.services import ticket_numbered
from tests.support.journey import World
from tests.support.people import GUIZHOU

SECRET = "来电人李某某补充：自己住马山镇三组。"


def test_words_are_sealed_and_in_no_message(world: World) -> None:
    number = world.submit()
    assert world.partner.supplement(number, SECRET).status == 201

    with world.app.app_context():
        ticket_id = ticket_numbered(number).id
        raw = session().scalar(
            text("select text from matters where ticket_id = :ticket"), {"ticket": ticket_id}
        )
        payloads = session().scalars(
            select(InboxMessage.payload).where(InboxMessage.business_key == number)
        )
        said = [str(payload) for payload in payloads]
        (matter,) = queries.of_ticket(ticket_id)
        assert matter.text == SECRET
        assert SECRET.encode() not in bytes(raw)
        assert said
        assert not any("李" in each for each in said)
        session().rollback()


def test_numbers_of_supervisions_begin_anew_each_year(world: World) -> None:
    supervisor = world.employ(GUIZHOU, "supervisor")
    by = matters.Raiser(supervisor.principal.display_name, unit_id=supervisor.principal.unit_id)
    numbers = [world.submit(), world.submit()]

    def supervise(number: str, year: int) -> str:
        at = datetime(year, 3, 2, 10, tzinfo=BEIJING)
        ticket = ticket_numbered(number)
        text = "请限期答复办理情况。"
        made = matters.supervise(ticket, text, reason_code=1, by=by, now=at)
        return made.number or ""

    with world.app.app_context():
        given = [
            transact(lambda: supervise(numbers[0], 2041)),
            transact(lambda: supervise(numbers[1], 2041)),
            transact(lambda: supervise(numbers[0], 2042)),
        ]
        db.session.remove()

    assert all(re.fullmatch(r"DB-520000-\d{4}-\d{4}", number) for number in given)
    assert [number[-9:] for number in given] == ["2041-0001", "2041-0002", "2042-0001"]
