"""The offices that work on tickets, as a tree of their own."""

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model


class Unit(Model):
    """An office that works on tickets (承办单位); one per division of the upper four levels.

    The tree of units differs from the tree of divisions on purpose (D14): counties of a
    municipality and province-run counties hang directly under their province, and a city without
    counties has nothing below it. Whom a ticket may be handed to is read from here only.
    """

    __tablename__ = "units"
    __table_args__ = (
        CheckConstraint("level in ('national', 'province', 'city', 'county')", name="level"),
        CheckConstraint("(level = 'national') = (parent_id is null)", name="one_root"),
        CheckConstraint("mode in ('ticket', 'call')", name="mode"),
        Index("ix_units_parent_id", "parent_id", "division_code"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    level: Mapped[str]
    division_code: Mapped[str] = mapped_column(unique=True)
    """The division it is responsible for; twelve zeros for the national unit."""
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    single_operator: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Only one person works here: author and auditor may be the same, and the fact is recorded."""
    enabled: Mapped[bool] = mapped_column(default=True, server_default="true")
    """A disabled unit keeps its tickets but is offered no new ones."""
    mode: Mapped[str] = mapped_column(default="ticket", server_default="ticket")
    """How a province is joined to its 12345: by tickets (工单转接) or by calls (话务转接)."""
