"""Tables of the exchange with 12345 platforms."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Model
from app.core.sealed import SealedJSON

PENDING = "pending"
DELIVERED = "delivered"
DEAD = "dead"
SETTLED_OFFLINE = "settled_offline"


class Partner(Model):
    """A 12345 platform (对接平台): who it is, how it signs, where it is called back.

    `secrets` are the live secrets, at most two: the first signs what we send, both are accepted.
    `callback_networks` are private networks its callback host may stand in (政务外网).
    """

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    app_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    province_code: Mapped[str]
    secrets: Mapped[list[str]] = mapped_column(SealedJSON("partners.secrets"))
    sign_methods: Mapped[list[str]] = mapped_column(JSONB)
    delivery: Mapped[str] = mapped_column(default="push", server_default="push")
    """`push` to `callback_base`, or `pull`: it fetches what we have for it (I17)."""
    callback_base: Mapped[str | None]
    callback_networks: Mapped[list[str]] = mapped_column(JSONB, default=list)
    page_origin: Mapped[str | None]
    """The one web origin that may show our pages in a frame."""
    paths: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """Operation → path below `callback_base`, where this platform's differs from ours."""
    field_names: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """Our field name → this platform's, for what we send."""
    boolean_mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """This platform's word → true or false."""
    anonymity_mode: Mapped[str] = mapped_column(default="named_requires_caller")
    ip_allow_list: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Networks it may call from; empty means any."""
    retry_minutes: Mapped[list[int] | None] = mapped_column(JSONB(none_as_null=True))
    """Minutes to wait after each failed try to deliver, for messages written from then on."""
    requests_per_minute: Mapped[int] = mapped_column(Integer, default=1200, server_default="1200")
    """How many requests it may make a minute in the long run (限流)."""
    request_burst: Mapped[int] = mapped_column(Integer, default=200, server_default="200")
    """How many at once, after a quiet time."""
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RateBucket(Model):
    """How far a caller is ahead of its rate (限流): the moment it could be at its burst again.

    Unlogged: counting must cost no write to disk, and what a crash forgets is a minute's count.
    """

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(primary_key=True)
    full_at: Mapped[datetime]
    """Not indexed: an index on it would make every count a new index entry."""

    __table_args__ = ({"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": 50}},)


class Nonce(Model):
    """A number used once (随机串), remembered longer than its message is acceptable."""

    __tablename__ = "nonces"

    app_id: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyKey(Model):
    """A request that was answered (幂等键), and the answer a repeat gets."""

    __tablename__ = "idempotency_keys"

    client: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    response: Mapped[Any | None] = mapped_column(SealedJSON("idempotency_keys.response"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OutboundSequence(Model):
    """The last `event_seq` of a ticket; its row lock puts messages of a ticket in one order."""

    __tablename__ = "outbound_sequences"

    business_key: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(Integer)

    __table_args__ = ({"postgresql_with": {"fillfactor": 85}},)


class OutboundMessage(Model):
    """A message to a platform (外发消息). Delivered only when the platform said so itself."""

    __tablename__ = "outbound_messages"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    business_key: Mapped[str]
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    event_seq: Mapped[int] = mapped_column(Integer)
    operation: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(SealedJSON("outbound_messages.body"))
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default=PENDING)
    receipt_no: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    pulled_at: Mapped[datetime | None]
    """When the platform last fetched it."""
    due_at: Mapped[datetime | None]
    """When it should have arrived (推送时限); None where nobody waits for it by the minute."""
    alarm_at: Mapped[datetime | None]
    """When somebody is told that it has not."""
    created_at: Mapped[datetime]

    partner: Mapped[Partner] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("business_key", "event_seq"),
        Index("ix_outbound_messages_partner", "partner_id", "id"),
        Index(
            "ix_outbound_messages_undelivered",
            *("partner_id", "id"),
            postgresql_where=text("state in ('pending', 'dead')"),
        ),
        Index("ix_outbound_messages_dead", "id", postgresql_where=text("state = 'dead'")),
    )


class OutboundAttempt(Model):
    """One try to deliver (投递记录), kept 180 days, with personal data masked on both sides."""

    __tablename__ = "outbound_attempts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("outbound_messages.id"), index=True)
    partner_id: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    ms: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None]
    request_masked: Mapped[Any] = mapped_column(JSONB)
    response_masked: Mapped[Any | None] = mapped_column(JSONB)
    attempted_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_outbound_attempts_partner", "partner_id", "attempted_at"),
        Index("ix_outbound_attempts_age", "attempted_at"),
    )


class Circuit(Model):
    """The circuit breaker of a destination (熔断状态); there is a row only while it has trouble."""

    __tablename__ = "circuits"

    dest: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    open_until: Mapped[datetime | None]
    failing_since: Mapped[datetime] = mapped_column(server_default=func.now())
