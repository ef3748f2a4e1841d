"""Both interfaces on real HTTP (partner) and by the test client (staff)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core.db import db, transact
from tests.integration.engine.flows import registered
from tests.journeys.conftest import world, world_of
from tests.support.people import Person, hire

__all__ = ["registered", "staff", "world", "world_of"]

Ask = Callable[..., TestResponse]


@pytest.fixture
def staff(app: Flask) -> Iterator[Ask]:
    """`staff("GET", "/tasks", person)`: one call of `/api/v1`."""
    client = app.test_client()

    def ask(method: str, path: str, person: Person | None = None, **options: Any) -> TestResponse:
        headers = person.headers if person else {}
        return client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    return ask


@pytest.fixture
def hired(app: Flask) -> Callable[..., Person]:
    """Add somebody to a unit: `hired(GUIZHOU, "process_analyst")`."""

    def add(division: str, *roles: str) -> Person:
        with app.app_context():
            person = transact(lambda: hire(division, *roles))
            db.session.remove()
        return person

    return add
