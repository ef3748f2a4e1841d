"""Rows of the notifications room: what somebody is told, how they want it, and what was sent out.

Nothing here is about citizens: a title names the step, the ticket's number and a date.
"""

import uuid
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Time, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.sealed import SealedJSON

PENDING, DELIVERED, DEAD, DROPPED = "pending", "delivered", "dead", "dropped"


LANE = "notifications"
"""Of the messages in the work queue."""


class Notification(Model):
    """What one person is told (提醒). `source` and person are told together once only."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("source", "user_id"),
        Index("ix_notifications_user_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", "id", postgresql_where=text("read_at is null")),
        Index(
            "ix_notifications_waiting",
            "send_at",
            "id",
            postgresql_where=text("send_at is not null and message_id is null"),
        ),
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    source: Mapped[str]
    """What it comes from, e.g. a step of a deadline."""
    kind: Mapped[str]
    """One of `rules.KINDS`."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    unit_id: Mapped[int]
    """The person's unit then; who has moved to another no longer sees it."""
    business_key: Mapped[str | None]
    """The ticket; whoever may not read that any more does not see the notification either."""
    task_id: Mapped[UUID | None]
    title: Mapped[str]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    send_at: Mapped[datetime | None]
    """When the hook may have it; None when it is not sent out."""
    message_id: Mapped[UUID | None]
    """The message it went into."""


class NotificationPreference(Model):
    """How a person wants to be told (提醒设置); without a row as the hook's province has it."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    daily_digest: Mapped[bool]
    """Warnings come once a working day together (每日汇总), not singly."""
    quiet_from: Mapped[time | None] = mapped_column(Time)
    quiet_until: Mapped[time | None] = mapped_column(Time)
    """Both or neither: own quiet hours (免打扰时段), Beijing time."""


class NotificationHook(Model):
    """Where a province's messages go out (提醒通道): its SMS or mail gateway, called back signed.

    The national unit's hook serves provinces without one. `secrets` are the live ones, the first
    signs; during a rotation there are two.
    """

    __tablename__ = "notification_hooks"

    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    url: Mapped[str]
    app_id: Mapped[str]
    """By which name the gateway knows us."""
    secrets: Mapped[list[str]] = mapped_column(SealedJSON("notification_hooks.secrets"))
    networks: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Private networks the gateway may stand in (政务外网)."""
    quiet_from: Mapped[time] = mapped_column(Time)
    quiet_until: Mapped[time] = mapped_column(Time)
    enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def dest(self) -> str:
        """Its destination in the work queue, where it is told from platforms."""
        return f"hook:{self.unit_id}"


class NotificationMessage(Model):
    """What was handed to a hook (外发提醒): one or many notifications of one person.

    The body is fixed when it is made: every try under its id says the same.
    """

    __tablename__ = "notification_messages"
    __table_args__ = (
        Index("ix_notification_messages_created_at", "created_at"),
        Index(
            "ix_notification_messages_dead",
            "hook_unit_id",
            "created_at",
            postgresql_where=text("state = 'dead'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    hook_unit_id: Mapped[int]
    user_id: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(SealedJSON("notification_messages.body"))
    state: Mapped[str]
    reason: Mapped[str | None]
    """Why the last try failed, as a code."""
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
