"""The table of attachments. Their bytes are on disk, never in the database or in process data."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model


class Attachment(Model):
    """An uploaded file (附件): a draft of its uploader until a ticket takes it.

    `ticket_id` and `partner_id` have no foreign keys: those rooms lie above or beside this one.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'attached')", name="state"),
        CheckConstraint("num_nonnulls(user_id, partner_id) = 1", name="one_owner"),
        CheckConstraint(
            "(state = 'attached') = (ticket_id is not null)", name="attached_to_ticket"
        ),
        Index(
            "ix_attachments_ticket_id",
            "ticket_id",
            "created_at",
            postgresql_where=text("ticket_id is not null"),
        ),
        Index("ix_attachments_task_id", "task_id", postgresql_where=text("task_id is not null")),
        Index(
            "ix_attachments_drafts", "created_at", "id", postgresql_where=text("state = 'draft'")
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """`att_` and 26 random characters: known to partners, guessable by nobody."""
    user_id: Mapped[int | None]
    partner_id: Mapped[int | None]
    ticket_id: Mapped[int | None]
    task_id: Mapped[UUID | None]
    """The task whose form it was uploaded to."""
    purpose: Mapped[str]
    """Which field of a form or message it belongs to, e.g. `report_files`."""
    name: Mapped[str]
    """As the uploader called it, made harmless; shown and offered on download, never a path."""
    size: Mapped[int]
    media_type: Mapped[str]
    """Recognised from the content, not believed from the uploader."""
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """`macros`, `encrypted`, `unlisted`: what an officer should know before opening it."""
    sha256: Mapped[str]
    sm3: Mapped[str]
    storage_name: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    created_at: Mapped[datetime]
    attached_at: Mapped[datetime | None]
