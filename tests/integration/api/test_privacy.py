"""No citizen's data where it does not belong: logs, history, variables, clear columns (SEC-02)."""

import io
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
import zstandard
from flask import Flask, request
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from app.core import logs
from app.core.db import db, session
from app.engine.models import ProcessInstance
from tests.support.journey import Chain, World, complaint
from tests.support.pages import Browser

PERSON = {
    "caller_name": "欧阳翡翠",
    "contact_phone": "13971826354",
    "caller_number": "13971826355",
    "caller_address": "湄潭县琥珀巷九十七号",
    "id_card_no": "11010519491231002X",
}
WORDS = ("翡翠", "13971826354", "13971826355", "琥珀巷", "11010519491231002X")
MATTER = "反映玳瑁色房屋的补助没有发放。"
"""What a log must not hold either."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Whatever the product logs, as it is written."""
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    yield written
    logs.configure()


@pytest.fixture
def finished(world: World) -> tuple[Chain, str]:
    """A ticket of this person that went all the way, once rejected."""
    people, number = world.chain(), world.submit(**PERSON, content=MATTER)
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="reject", opinion="请补充")
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    return people, number


def test_no_log_line_speaks_of_the_citizen(
    log: io.StringIO, caplog: pytest.LogCaptureFixture, world: World
) -> None:
    people = world.chain()
    sent = complaint(**PERSON, content=MATTER)
    world.partner.submit_complaint({**sent, "problem_category": 99})
    number = world.partner.submit_complaint(sent).data["acceptance_no"]
    world.partner.submit_complaint({**sent, "content": MATTER + "。"})
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.misbehave("fail", times=1)
    world.deliver()
    world.hurry()
    world.deliver()
    browser = Browser(world.app, people.province)
    browser.get(f"/tickets/{number}")

    written = log.getvalue() + caplog.text

    assert '"event": "delivery"' in written  # something was logged
    for word in (*WORDS, "玳瑁"):
        assert word not in written, word


def test_an_internal_error_is_logged_by_type_and_place_only(
    log: io.StringIO, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        if request.args["kind"] == "value":
            raise ValueError(f"cannot read {PERSON['contact_phone']}")
        session().execute(
            text("select * from no_such_table where name = :name"),
            {"name": PERSON["caller_name"]},
        )

    # A known route, so that the table of routes stays as other tests find it.
    monkeypatch.setitem(app.view_functions, "staff.tasks", broken)

    for kind in ("value", "statement"):
        answer = app.test_client().get("/api/v1/tasks", query_string={"kind": kind})
        assert (answer.status_code, answer.json["code"]) == (500, "INTERNAL")
        assert not any(word in answer.text for word in WORDS)

    written = log.getvalue()
    assert "request_failed" in written
    assert "ValueError" in written
    assert "broken" in written  # where it was
    assert not any(word in written for word in WORDS)


def test_a_statement_that_fails_does_not_quote_its_values(context: None) -> None:
    with pytest.raises(StatementError) as failed:
        session().execute(
            text("select cast(:name as no_such_type)"), {"name": PERSON["caller_name"]}
        )
    session().rollback()

    assert "翡翠" not in str(failed.value)


def test_no_table_holds_the_person_in_clear(world: World, finished: tuple[Chain, str]) -> None:
    with world.app.app_context():
        found = []
        for table in db.metadata.tables:
            for word in WORDS:
                both = (f"%{word}%", f"%{word.encode().hex()}%")
                hits = session().scalar(
                    text(f'select count(*) from "{table}" t where t::text like any (:words)'),
                    {"words": list(both)},
                )
                if hits:
                    found.append((table, word))
        session().rollback()

    assert found == []


def test_the_person_can_still_be_read_and_found(world: World, finished: tuple[Chain, str]) -> None:
    people, number = finished
    browser = Browser(world.app, people.province)

    for wanted in PERSON.values():
        browser.get("/tickets")
        assert number in browser.post("/tickets", {"q": wanted}).text
    assert number not in browser.post("/tickets", {"q": "13971826350"}).text


def test_the_variables_of_the_process_are_ids_and_decisions(world: World) -> None:
    people, number = world.chain(), world.submit(**PERSON, content=MATTER)
    world.down(number, people)
    world.hand_in(people.county, number)

    with world.app.app_context():
        state = (
            session()
            .query(ProcessInstance.state)
            .filter(ProcessInstance.business_key == number)
            .scalar()
        )
        document = orjson.loads(zstandard.decompress(state[9:]))
        session().rollback()

    plain = orjson.dumps(document).decode()
    for word in (*WORDS, "玳瑁", "补发差额", "周明远"):
        assert word not in plain, word
    assert '"ticket_id"' in plain


def test_a_draft_is_sealed(world: World) -> None:
    secret = "来电人欧阳翡翠要求回电13971826354。"
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    browser = Browser(world.app, people.county)
    answer = browser.post(f"/tasks/{task['id']}/draft", petitioner_feedback=secret)
    assert answer.status_code in {200, 302}

    with world.app.app_context():
        row = session().execute(
            text("select t::text from form_drafts t where task_id = :id"), {"id": task["id"]}
        )
        stored = row.scalar_one()
        session().rollback()
    assert "翡翠" not in stored
    assert secret.encode().hex() not in stored
