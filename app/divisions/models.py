"""The tree of administrative divisions as tables. Who is a parent of whom is data, never digits."""

from datetime import date, datetime

from sqlalchemy import Identity, Index, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model


class Division(Model):
    """A node of the five-level tree (行政区划): province, city, county, township, village.

    Rows are never deleted, because old tickets name them: a retired one has `valid_to` and, when
    known, `replaced_by`. Codes are text, not `char(12)`: PostgreSQL does not use the index of a
    padded column when it is compared with text. No foreign key guards `parent_code`, as it would
    triple the time of a load; `services.load` checks for orphans itself.
    """

    __tablename__ = "divisions"
    __table_args__ = (
        Index("ix_divisions_parent_code", "parent_code"),
        Index(
            "ix_divisions_name",
            "name",
            postgresql_where="level <= 4",
        ),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    """Twelve digits of the statistical code (统计用区划代码)."""
    name: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    """1 province, 2 city, 3 county, 4 township, 5 village."""
    parent_code: Mapped[str | None]
    """None for provinces. A township may hang directly under a city without counties."""
    has_children: Mapped[bool]
    valid_from: Mapped[date | None]
    """None: since before this table began."""
    valid_to: Mapped[date | None]
    """The day it was retired; None while in force."""
    replaced_by: Mapped[str | None]


class DivisionEdition(Model):
    """One change of the table, by a load or a revision. The newest row is its version."""

    __tablename__ = "division_editions"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    digest: Mapped[str]
    """Says which file and which part of it, so that loading the same again is skipped."""
    changed_rows: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
