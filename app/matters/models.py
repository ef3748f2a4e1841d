"""Rows of the matters room: everything that comes up beside the flow, with what became of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.sealed import SealedText

OPEN = "open"
DONE = "done"
AGREED = "agreed"
REFUSED = "refused"
LAPSED = "lapsed"


class Matter(Model):
    """One matter (事项) of a ticket. What citizens say stands in it, so its texts are sealed."""

    __tablename__ = "matters"
    __table_args__ = (
        Index("ix_matters_ticket_id", "ticket_id", "id"),
        Index(
            "ix_matters_one_open",
            "ticket_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'open' and kind in ('request', 'suspend', 'withdraw')"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str]
    """One of `rules.KINDS`."""
    number: Mapped[str | None] = mapped_column(unique=True)
    """督办单号 of a supervision, 申请编号 of what 12345 is asked for."""
    text: Mapped[str] = mapped_column(SealedText("matters.text"))
    reason_code: Mapped[int | None] = mapped_column(SmallInteger)
    attachments: Mapped[list[str]] = mapped_column(JSONB)
    via: Mapped[str | None]
    """The merged ticket (并单) that it was sent to; it is kept with the one that goes on."""

    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    """Who is asked; of a recall, whom it was taken from. None when 12345 is asked."""
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))
    """The platform that raised it; None when a person or the system did."""
    raised_by: Mapped[int | None]
    raised_by_name: Mapped[str]
    raised_unit_id: Mapped[int | None]
    raised_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When the answer is due, or until when a suspension shall last."""

    state: Mapped[str]
    """`open`, `done`, `agreed`, `refused`, or `lapsed`: time or the end was faster."""
    answer: Mapped[str | None] = mapped_column(SealedText("matters.answer"))
    answered_by: Mapped[int | None]
    answered_by_name: Mapped[str | None]
    answered_at: Mapped[datetime | None]
