"""Rows of the reconciliation room (对账): a platform's day, its list in pages, the differences."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Identity, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model

COLLECTING, COMPLETE, COMPARED = "collecting", "complete", "compared"


class Reconciliation(Model):
    """A day of one platform: how many tickets each side counts, and whether they were compared."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        UniqueConstraint("partner_id", "day"),
        Index("ix_reconciliations_complete", "id", postgresql_where=text("state = 'complete'")),
        Index("ix_reconciliations_day", "day", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    day: Mapped[date] = mapped_column(Date)
    list_id: Mapped[str | None]
    """The platform's name of its list; another name begins anew. None: we looked by ourselves."""
    pages: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str]
    ours: Mapped[int | None] = mapped_column(Integer)
    theirs: Mapped[int | None] = mapped_column(Integer)
    differences: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime]
    compared_at: Mapped[datetime | None]


class ReconciliationPage(Model):
    """A page of the platform's list: `[[its number, our number or null, outcome], …]`."""

    __tablename__ = "reconciliation_pages"

    reconciliation_id: Mapped[int] = mapped_column(
        ForeignKey("reconciliations.id", ondelete="CASCADE"), primary_key=True
    )
    page: Mapped[int] = mapped_column(Integer, primary_key=True)
    tickets: Mapped[list[list[Any]]] = mapped_column(JSONB)


class ReconciliationDifference(Model):
    """A ticket about which the sides do not agree (差异), and what was done about it."""

    __tablename__ = "reconciliation_differences"
    __table_args__ = (Index("ix_reconciliation_differences_of", "reconciliation_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    reconciliation_id: Mapped[int] = mapped_column(
        ForeignKey("reconciliations.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    acceptance_no: Mapped[str | None]
    external_ticket_no: Mapped[str | None]
    ours: Mapped[str | None]
    theirs: Mapped[str | None]
    repaired_at: Mapped[datetime | None]
    repaired_by: Mapped[str | None]
    repair: Mapped[str | None]
    """What was sent, or the reason why nothing needs to be."""
