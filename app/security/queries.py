"""Principals by user, session or token, each in one select; lists for the admin pages."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from app.core.db import send, session
from app.organisations.models import Unit
from app.security import passwords
from app.security.models import ApiToken, LoginSession, User
from app.security.permissions import implied
from app.security.principal import Principal

TOUCH_TOKEN = timedelta(hours=1)
TOUCH_SESSION = timedelta(minutes=1)


@dataclass(frozen=True)
class Holder:
    """A principal and what it signed in with; `stale` asks the edge to note the use."""

    principal: Principal
    key: bytes
    stale: bool


def principal_for_user(user_id: int, now: datetime) -> Principal | None:
    """The principal of an enabled user."""
    row = session().execute(_people().where(User.id == user_id)).one_or_none()
    return _principal(row, now) if row else None


def holder_of_token(token_hash: bytes, now: datetime) -> Holder | None:
    """Who holds this API token, unless it is revoked, has expired or its user is disabled.

    An outdated password does not stop a program that presents a token.
    """
    row = send(_HOLDER_OF_TOKEN, {"key": token_hash, "now": now}).one_or_none()
    if row is None:
        return None
    stale = row.last_used_at is None or now - row.last_used_at >= TOUCH_TOKEN
    principal = replace(_principal(row, now), must_change_password=False)
    return Holder(principal, token_hash, stale)


def holder_of_session(
    token_hash: bytes, now: datetime, idle: timedelta, absolute: timedelta
) -> Holder | None:
    """Whose browser session this is, unless it was idle or open for too long."""
    seen = {"key": token_hash, "seen_after": now - idle, "opened_after": now - absolute}
    row = send(_HOLDER_OF_SESSION, seen).one_or_none()
    if row is None:
        return None
    return Holder(_principal(row, now), token_hash, now - row.last_seen_at >= TOUCH_SESSION)


def users(
    *,
    unit_id: int | None = None,
    role: str | None = None,
    enabled: bool | None = None,
    after: str = "",
    limit: int = 50,
) -> list[User]:
    """Users by user name; `after` is the last name of the page before (keyset)."""
    query = select(User).where(User.username > after).order_by(User.username).limit(limit)
    if unit_id is not None:
        query = query.where(User.unit_id == unit_id)
    if role is not None:
        query = query.where(User.roles.contains([role]))
    if enabled is not None:
        query = query.where(User.enabled == enabled)
    return list(session().scalars(query))


def tokens_of(user_id: int) -> list[ApiToken]:
    """The user's tokens that are not revoked, newest first."""
    return list(
        session().scalars(
            select(ApiToken)
            .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id.desc())
        )
    )


def _people(*more: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(
            User.id,
            User.username,
            User.display_name,
            User.position,
            User.phone,
            User.unit_id,
            User.roles,
            User.must_change_password,
            User.password_changed_at,
            Unit.name.label("unit_name"),
            Unit.level,
            Unit.division_code,
            *more,
        )
        .join(Unit, Unit.id == User.unit_id)
        .where(User.enabled)
    )


# Asked by every request; built once, since building a statement costs more than its answer.
_HOLDER_OF_TOKEN = (
    _people(ApiToken.last_used_at)
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(
        ApiToken.token_hash == bindparam("key"),
        ApiToken.revoked_at.is_(None),
        ApiToken.expires_at > bindparam("now"),
    )
)
_HOLDER_OF_SESSION = (
    _people(LoginSession.last_seen_at)
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(
        LoginSession.token_hash == bindparam("key"),
        LoginSession.last_seen_at > bindparam("seen_after"),
        LoginSession.created_at > bindparam("opened_after"),
    )
)


def _principal(row: Row[Any], now: datetime) -> Principal:
    return Principal(
        user_id=row.id,
        username=row.username,
        display_name=row.display_name,
        position=row.position,
        phone=row.phone,
        unit_id=row.unit_id,
        unit_name=row.unit_name,
        level=row.level,
        division_code=row.division_code,
        roles=implied(row.roles),
        must_change_password=row.must_change_password
        or now - row.password_changed_at >= timedelta(days=passwords.VALID_DAYS),
    )
