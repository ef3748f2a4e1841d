"""Rows of the callbacks room: what the petitioner said of each round's result."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.sealed import SealedText


class Callback(Model):
    """One word of the petitioner on the result (回访, 重办申请), through 12345 or our own seats."""

    __tablename__ = "callbacks"
    __table_args__ = (Index("ix_callbacks_ticket_id", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    round: Mapped[int] = mapped_column(SmallInteger)
    """The ticket's round whose result it is about."""
    satisfaction: Mapped[int | None] = mapped_column(SmallInteger)
    """None when only another round was asked for."""
    solved: Mapped[bool | None]
    rework_asked: Mapped[bool]
    text: Mapped[str | None] = mapped_column(SealedText("callbacks.text"))
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))
    task_id: Mapped[UUID | None] = mapped_column(unique=True)
    called_by: Mapped[int | None]
    called_by_name: Mapped[str]
    called_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    """When that round was concluded: kept, as the next round gives the ticket a new one (DL-10)."""
