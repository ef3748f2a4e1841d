"""Rows of the approvals room: one open request of a kind per ticket, all kept."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model

OPEN = "open"
AGREED = "agreed"
REFUSED = "refused"
LAPSED = "lapsed"


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


class Extension(Model):
    """Asking for more time (延期申请, seed table 9), and the answer (table 5)."""

    __tablename__ = "extensions"
    __table_args__ = (
        Index("ix_extensions_ticket_id", "ticket_id", "id"),
        Index(
            "ix_extensions_open", "ticket_id", unique=True, postgresql_where=text("state = 'open'")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    request_no: Mapped[str] = mapped_column(unique=True)
    """Acceptance number and `-E1`, `-E2`, …"""
    reason: Mapped[str]
    days: Mapped[int] = mapped_column(SmallInteger)
    """Calendar days asked for."""
    informed_note: Mapped[str]
    """How the petitioner was told the reason (信访工作条例 34)."""
    requested_by: Mapped[int | None]
    requested_by_name: Mapped[str]
    unit_id: Mapped[int | None]
    requested_at: Mapped[datetime]
    due_before: Mapped[datetime]
    proposed_due_at: Mapped[datetime]
    decider: Mapped[str]
    """`p12345`, `national` or `leader`."""
    sent_at: Mapped[datetime | None]
    """When 12345 was asked; until then its word is awaited by nobody."""
    reminders: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    """`open`, `agreed`, `refused`, or `lapsed` when the handling ended first."""
    opinion: Mapped[str | None]
    approved_days: Mapped[int | None] = mapped_column(SmallInteger)
    """What was granted when it is not what was asked for."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    due_after: Mapped[datetime | None]
    """The time limit that the decision left."""


class LowerReturn(Model):
    """A unit handing its ticket back up (下级退回, EX-02), and what the upper level said.

    信访工作条例 23: within a time limit, with reasons, and only once the upper level agrees.
    """

    __tablename__ = "lower_returns"
    __table_args__ = (
        Index("ix_lower_returns_ticket_id", "ticket_id", "id"),
        Index("ix_lower_returns_from_unit_id", "from_unit_id", "asked_at"),
        Index(
            "ix_lower_returns_open",
            "ticket_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    from_unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    to_unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    reason: Mapped[str]
    received_at: Mapped[datetime]
    """When the unit was handed the ticket: the time limit counts from here."""
    asked_by: Mapped[int | None]
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[str]
    """`open`, `agreed` or `refused`."""
    opinion: Mapped[str | None]
    decided_by: Mapped[int | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
