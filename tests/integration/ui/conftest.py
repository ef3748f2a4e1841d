"""Staff at a browser without scripts, and tickets that came in by the ordinary way."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.db import db, session, transact
from app.security.models import AccessLog, User
from app.tickets import intake, services
from tests.support.journey import World, complaint, serving
from tests.support.people import PASSWORD, Person, hire


class Desk:
    """One person's browser: signs in as people do and sends the page's CSRF token along."""

    def __init__(self, app: Flask, person: Person, password: str = PASSWORD) -> None:
        self.person = person
        self.client = app.test_client()
        answer = self.post("/login", username=person.username, password=password)
        assert answer.status_code == 302, answer.text

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, htmx: bool = False, **data: Any) -> TestResponse:
        """Send a form; `htmx` as the page's scripts would."""
        headers = {"HX-Request": "true"} if htmx else {}
        data["csrf_token"] = self.csrf_token()
        return self.client.post(path, data=data, headers=headers)

    def csrf_token(self) -> str:
        """The token of the page this browser may always open."""
        page = self.client.get("/account", follow_redirects=True).text
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found
        return found[1]

    def messages(self) -> str:
        """What the next page says on top; reading it takes it away."""
        page = self.client.get("/account").text
        return " ".join(re.findall(r'<div class="flash.*?<span>(.*?)</span></div>', page))


Employ = Callable[..., Desk]
Receive = Callable[..., str]


@pytest.fixture
def employ(app: Flask) -> Employ:
    """Hire somebody and sit them down."""

    def make(division_code: str, *roles: str) -> Desk:
        with app.app_context():
            person = transact(lambda: hire(division_code, *roles))
            db.session.remove()
        return Desk(app, person)

    return make


@pytest.fixture
def world(app: Flask, tmp_path: Path) -> Iterator[World]:
    """A platform that serves, and a province's 12345 that answers."""
    with serving(app) as address:
        made = World(app, address, tmp_path)
        with serving(made.simulator) as callback:
            made.point_callback(callback)
            yield made
        made.partner.close()
        made.http.close()


@pytest.fixture
def receive(app: Flask, world: World) -> Receive:
    """Take a complaint in; its acceptance number."""
    from app.exchange.partners import get

    def make(**changed: Any) -> str:
        now = datetime.now(UTC)
        taken = intake.read(
            "complaint", complaint(**changed), now=now, anonymity_mode="named_requires_caller"
        )

        def work() -> str:
            receipt = services.receive(taken, get(world.partner_id), now)
            return receipt.ticket.acceptance_no

        with app.app_context():
            number = transact(work)
            db.session.remove()
        return number

    return make


@pytest.fixture
def log_of(app: Flask) -> Callable[..., list[AccessLog]]:
    """Lines of the access log of one person for one action."""

    def read(person: Person, action: str) -> list[AccessLog]:
        with app.app_context():
            query = select(AccessLog).where(
                AccessLog.user_id == person.principal.user_id, AccessLog.action == action
            )
            lines = list(session().scalars(query.order_by(AccessLog.id)))
            db.session.remove()
        return lines

    return read


@pytest.fixture
def change_user(app: Flask) -> Callable[..., None]:
    """Set columns of a person's account, as an administrator would."""

    def change(person: Person, **values: Any) -> None:
        def work() -> None:
            user = session().get_one(User, person.principal.user_id)
            for name, value in values.items():
                setattr(user, name, value)

        with app.app_context():
            transact(work)
            db.session.remove()

    return change


def worklist_of(desk: Desk, number: str) -> str:
    """The worklist's page narrowed to one ticket."""
    return desk.post("/worklist", q=number).text


def task_of(world: World, person: Person, number: str) -> str:
    """Id of the one task of a ticket that waits for this person."""
    (task,) = world.tasks(person, number)
    return str(task["id"])
