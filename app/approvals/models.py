"""Rows of the approvals room: one open request of a kind per ticket, all kept."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model

OPEN = "open"
AGREED = "agreed"
REFUSED = "refused"


class ReturnRequest(Model):
    """Asking 12345 to take a ticket back (退单申请, seed table 8), and its answer (table 4)."""

    __tablename__ = "return_requests"
    __table_args__ = (
        Index("ix_return_requests_ticket_id", "ticket_id", "id"),
        Index(
            "ix_return_requests_open",
            "ticket_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    request_no: Mapped[str] = mapped_column(unique=True)
    """Acceptance number and `-R1`, `-R2`, …"""
    reason_code: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str]
    requested_by: Mapped[int | None]
    requested_by_name: Mapped[str]
    unit_id: Mapped[int | None]
    requested_at: Mapped[datetime]
    reminders: Mapped[int] = mapped_column(SmallInteger)
    """How often 12345 was reminded; silence never counts as consent."""
    state: Mapped[str]
    """`open`, `agreed` or `refused`."""
    opinion: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Transfer(Model):
    """Handing a matter to another authority (移送); a leader approves (信访工作条例 22, 30)."""

    __tablename__ = "transfers"
    __table_args__ = (
        Index("ix_transfers_ticket_id", "ticket_id", "id"),
        Index(
            "ix_transfers_open", "ticket_id", unique=True, postgresql_where=text("state = 'open'")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    organisation: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[int | None]
    requested_by_name: Mapped[str]
    requested_at: Mapped[datetime]
    state: Mapped[str]
    """`open`, `agreed` or `refused`."""
    opinion: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
