"""Tables of people, their sessions and tokens, and of the log of who did and saw what.

The access log and its seals are only ever inserted into; no service updates or deletes them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model


class User(Model):
    """A member of staff (用户) of exactly one unit (FLW-01). Users are disabled, never deleted."""

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_unit_id", "unit_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    password_hash: Mapped[str]
    previous_hashes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """Hashes of earlier passwords, newest first; they may not be used again."""
    password_changed_at: Mapped[datetime]
    must_change_password: Mapped[bool]
    display_name: Mapped[str]
    position: Mapped[str]
    phone: Mapped[str]
    """Office telephone of the member of staff."""
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str | None]
    created_at: Mapped[datetime]


class SignInGuard(Model):
    """Failed sign-ins of one user name or one address; the key is a keyed hash of it.

    User names nobody has are counted alike: a lock does not tell which names exist.
    """

    __tablename__ = "sign_in_guards"
    __table_args__ = (
        Index("ix_sign_in_guards_since", "since"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime | None]
    locked_until: Mapped[datetime | None]


class LoginSession(Model):
    """A signed-in browser (会话). The cookie holds a random token, this row its hash."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        Index("ix_login_sessions_user_id", "user_id"),
        Index("ix_login_sessions_created_at", "created_at"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    """Written at most once a minute."""
    ip: Mapped[str | None]


class ApiToken(Model):
    """A bearer token (访问令牌) of a user for the REST API; only its hash is stored."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("ix_api_tokens_user_id", "user_id"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    """Written at most once an hour."""
    revoked_at: Mapped[datetime | None]


class AccessLog(Model):
    """One line of the access log (操作日志): who did or saw what, when, from where and why.

    Names and unit are copied, so a line stays true when the user moves. No foreign keys: the log
    outlives what it speaks of, and id 0 is the platform itself.
    """

    __tablename__ = "access_log"
    __table_args__ = (
        Index("ix_access_log_at_id", "at", "id"),
        Index("ix_access_log_user_id_id", "user_id", "id"),
        Index("ix_access_log_object_type_object_id_id", "object_type", "object_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int]
    user_name: Mapped[str]
    unit_id: Mapped[int]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    ip: Mapped[str | None]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """Field names, counts, codes. Never a citizen's data."""


class AccessLogSeal(Model):
    """A link of the chain over the access log: proves that no line up to `to_id` was changed."""

    __tablename__ = "access_log_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    from_id: Mapped[int]
    to_id: Mapped[int]
    lines: Mapped[int]
    digest: Mapped[bytes]
    sealed_at: Mapped[datetime]
