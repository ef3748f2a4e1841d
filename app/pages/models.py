"""The row of the pages room. A day later it is gone; the ticket stays."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Model
from app.core.sealed import SealedJSON, SealedText
from app.exchange.models import Partner


class PageSession(Model):
    """One registration form that a 12345 platform shows its operator (页面调用).

    `token_hash` opens it once; `key_hash` is of the browser that did.
    """

    __tablename__ = "page_sessions"
    __table_args__ = (
        CheckConstraint("display in ('window', 'iframe')", name="display"),
        Index("ix_page_sessions_age", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    intake_table: Mapped[str]
    display: Mapped[str]
    operator_no: Mapped[str]
    caller_number: Mapped[str] = mapped_column(SealedText("page_sessions.caller_number"))
    called_at: Mapped[datetime]
    external_ticket_no: Mapped[str | None]
    """12345 may number its ticket only after ours."""
    return_url: Mapped[str | None]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    draft: Mapped[dict[str, Any] | None] = mapped_column(SealedJSON("page_sessions.draft"))
    """What was entered so far, unchecked (自动保存)."""
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), unique=True)

    partner: Mapped[Partner] = relationship(lazy="raise")
