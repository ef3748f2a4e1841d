"""Work that must not be lost; a row is written in the transaction that makes it necessary."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model

READY = "ready"
LEASED = "leased"
DONE = "done"
DEAD = "dead"
SETTLED = "settled"


class WorkItem(Model):
    """One piece of background work (后台事项): a timer, an outgoing message, a deferred step.

    `state` goes ready → done inside one transaction (database lanes), or ready → leased → done
    (HTTP lanes); dead waits for a person, who replays it or declares it settled. All indexes but
    the two keys are partial, so that finished rows cost a claim nothing. `payload` holds ids and
    decisions, never personal data.
    """

    __tablename__ = "work_items"

    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    lane: Mapped[str]
    dedup_key: Mapped[str]
    business_key: Mapped[str | None]
    dest: Mapped[str] = mapped_column(server_default="")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    state: Mapped[str] = mapped_column(server_default=READY)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    max_attempts: Mapped[int] = mapped_column(SmallInteger)
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    yields: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """When it is dead, later items of its business key do not wait for it."""
    payload: Mapped[Any] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("shard", "dedup_key"),
        Index("ix_work_items_due", "lane", "due_at", "id", postgresql_where=state == READY),
        Index(
            "ix_work_items_due_by_dest",
            *("lane", "dest", "due_at", "id"),
            postgresql_where=(state == READY) & (dest != ""),
        ),
        Index("ix_work_items_lease", "lane", "lease_until", postgresql_where=state == LEASED),
        Index("ix_work_items_dead", "lane", "id", postgresql_where=state == DEAD),
        Index(
            "ix_work_items_order",
            *("business_key", "dest", "id"),
            postgresql_where=state.in_([READY, LEASED, DEAD]),
        ),
        Index("ix_work_items_business_key", "business_key"),
        {"postgresql_with": {"fillfactor": 70}},
    )


class WorkItemIntervention(Model):
    """What a person did to a dead item (人工处置): replayed it, or settled it offline and why."""

    __tablename__ = "work_item_interventions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger)
    item_id: Mapped[int] = mapped_column(BigInteger, index=True)
    action: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
