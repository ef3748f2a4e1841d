"""Rows of the calls room (话务). The words and numbers of callers are sealed or the ticket's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.sealed import SealedJSON


class Call(Model):
    """A telephone call and one ticket it became (来电); several matters share its `call_id`."""

    __tablename__ = "calls"
    __table_args__ = (
        CheckConstraint("source in ('announced', 'manual')", name="source"),
        Index("ix_calls_unit", "unit_id", "id"),
        Index("ix_calls_call_id", "call_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    call_id: Mapped[str]
    """12345's own id of the call, or one made here for a call an agent took down by hand."""
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    """The province whose seats answer."""
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))
    source: Mapped[str]
    """`announced` by 12345, or `manual`: typed by the agent (FLW-12)."""
    from_operator: Mapped[str | None]
    """工号 of the seat at 12345 that put the call through."""
    arrived_at: Mapped[datetime]
    agent_id: Mapped[int | None]
    agent_name: Mapped[str | None]
    outcome: Mapped[str | None]
    """What the agent made of it: record, answered, wrong_transfer or dropped."""
    answered_at: Mapped[datetime | None]
    typed: Mapped[dict[str, Any] | None] = mapped_column(SealedJSON("calls.typed"))
    """What was entered before the line dropped; the form of the record begins with it."""
    caller_unreachable: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Recorded from what was known, since calling back failed (C06)."""
    satisfied: Mapped[bool | None]
    article: Mapped[str | None]
    """The article of the knowledge base an answer rests on."""


class CallAttempt(Model):
    """One try to call back after the line dropped (回拨)."""

    __tablename__ = "call_attempts"
    __table_args__ = (Index("ix_call_attempts_call_row_id", "call_row_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    call_row_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    task_id: Mapped[UUID] = mapped_column(unique=True)
    at: Mapped[datetime]
    reached: Mapped[bool]
    agent_id: Mapped[int | None]
    agent_name: Mapped[str]
