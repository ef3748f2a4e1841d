"""People of this room's tests: users of real units, each with a name no other test uses."""

import itertools
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from app.core import clock as core_clock
from app.core.db import session, transact
from app.organisations.models import Unit
from app.security import services
from app.security.models import User

PASSWORD = "Guizhou-12317"
_numbers = itertools.count(1)


def unit_at(level: str) -> Unit:
    """Some unit of the level; the template database holds every county of China."""
    return (
        session().scalars(select(Unit).where(Unit.level == level).order_by(Unit.id).limit(1)).one()
    )


@pytest.fixture
def fresh_ip() -> str:
    """An address nobody has failed to sign in from."""
    number = uuid.uuid4().int
    return f"2001:db8::{number % 65536:x}:{number // 65536 % 65536:x}:{next(_numbers):x}"


@pytest.fixture
def make_user(context: None, clock: object) -> Callable[..., User]:
    """Open an account that may sign in at once; keywords go to `create_user`."""

    def make(level: str = "city", **wanted: object) -> User:
        def create() -> User:
            values = {
                "username": f"u{uuid.uuid4().hex[:12]}",
                "password": PASSWORD,
                "display_name": "张三",
                "unit_id": unit_at(level).id,
                "roles": [f"{level}_operator"],
                "now": core_clock.now(),
                "must_change_password": False,
                **wanted,
            }
            return services.create_user(**values)

        return transact(create)

    return make


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every SQL statement sent while the test runs."""
    seen: list[str] = []

    def note(connection, cursor, statement, *rest) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)
