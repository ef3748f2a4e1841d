"""The people of the stories: two in every unit of a chain, and an outsider next door."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from app.core.db import session
from app.organisations import queries as organisations
from app.security.models import User
from app.security.passwords import hash_password
from app.security.principal import Principal
from app.security.queries import principal_for_user
from app.security.tokens import create_token

PASSWORD = "Story-2026-tests"
_HASH = hash_password(PASSWORD)


@dataclass(frozen=True)
class Person:
    """A member of staff with a way in through each door."""

    principal: Principal
    username: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Bearer header of the staff interface."""
        return {"Authorization": f"Bearer {self.token}"}


def hire(division_code: str, *roles: str, name: str = "", now: datetime | None = None) -> Person:
    """Add somebody to the unit of a division. Call it inside a transaction."""
    unit = organisations.unit_of_division(division_code)
    assert unit is not None
    now = now or datetime.now(UTC)
    username = f"u{uuid.uuid4().hex[:12]}"
    user = User(
        username=username,
        password_hash=_HASH,
        password_changed_at=now,
        must_change_password=False,
        display_name=name or f"员{username[-4:]}",
        position="业务员",
        phone="0851-85500001",
        unit_id=unit.id,
        roles=list(roles) or [f"{unit.level}_operator"],
        created_at=now,
    )
    session().add(user)
    session().flush()
    principal = principal_for_user(user.id, now)
    assert principal is not None
    return Person(principal, username, create_token(principal, "测试", now, 30))


def colleague_count(unit_id: int) -> int:
    """How many work in a unit."""
    return len(session().scalars(select(User.id).where(User.unit_id == unit_id)).all())


GUIZHOU = "520000000000"
ZUNYI = "520300000000"
MEITAN = "520328000000"
GUIYANG = "520100000000"
CHONGQING = "500000000000"
WANZHOU = "500101000000"
