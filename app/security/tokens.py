"""Bearer tokens (访问令牌) of the REST API: shown once, stored hashed, looked up in one select."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.core.db import session
from app.core.errors import FieldError, Invalid, NotFound
from app.security import access
from app.security.models import ApiToken
from app.security.principal import Principal
from app.security.queries import Holder, holder_of_token

PREFIX = "zb_"
MAX_DAYS = 365


def create_token(
    principal: Principal, name: str, now: datetime, days: int, *, ip: str | None = None
) -> str:
    """Make a token for the principal's own account and return it; it can never be read again."""
    errors = []
    if not name.strip():
        errors.append(FieldError("name", "required", "请填写令牌用途"))
    if not 1 <= days <= MAX_DAYS:
        errors.append(FieldError("days", "range", f"有效期为1至{MAX_DAYS}天"))
    if errors:
        raise Invalid(errors)
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        token_hash=token_hash(token),
        user_id=principal.user_id,
        name=name.strip(),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session().add(row)
    session().flush()
    access.record(principal, "token.create", "token", row.id, ip=ip, now=now)
    return token


def revoke_token(principal: Principal, token_id: int, now: datetime, *, ip: str | None) -> None:
    """End one of the principal's own tokens."""
    row = (
        session()
        .scalars(
            select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == principal.user_id)
        )
        .one_or_none()
    )
    if row is None:
        raise NotFound("没有这个令牌")
    row.revoked_at = row.revoked_at or now
    access.record(principal, "token.revoke", "token", token_id, ip=ip, now=now)


def principal_for_token(token: str, now: datetime) -> Principal | None:
    """Who presents this token; one select, no write."""
    holder = holder_for_token(token, now)
    return holder.principal if holder else None


def holder_for_token(token: str, now: datetime) -> Holder | None:
    """Like `principal_for_token`, and whether the use is to be noted with `touch_token`."""
    if not token.startswith(PREFIX):
        return None
    return holder_of_token(token_hash(token), now)


def touch_token(key: bytes, now: datetime) -> None:
    """Note that the token is in use; call it when the holder is stale, outside the hot path."""
    session().execute(update(ApiToken).where(ApiToken.token_hash == key).values(last_used_at=now))


def token_hash(token: str) -> bytes:
    """A plain hash is enough: the token is 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
