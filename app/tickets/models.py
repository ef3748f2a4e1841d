"""Rows of the tickets room (工单): the matter itself. Process variables hold ids and decisions."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.sealed import SealedJSON, SealedText

OPEN = text("archived_at is null")


class Ticket(Model):
    """A citizen's matter through its whole life. The personal fields are sealed."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("partner_id", "external_ticket_no"),
        Index(
            "ix_tickets_province_open", "province_unit_id", "due_at", "id", postgresql_where=OPEN
        ),
        Index("ix_tickets_city_open", "city_unit_id", "due_at", "id", postgresql_where=OPEN),
        Index("ix_tickets_county_open", "county_unit_id", "due_at", "id", postgresql_where=OPEN),
        Index("ix_tickets_province_unit", "province_unit_id", "id"),
        Index("ix_tickets_city_unit", "city_unit_id", "id"),
        Index("ix_tickets_county_unit", "county_unit_id", "id"),
        Index("ix_tickets_registered_unit", "registered_unit_id", "id"),
        Index("ix_tickets_phone_hash", "contact_phone_hash"),
        Index("ix_tickets_caller_hash", "caller_number_hash"),
        Index("ix_tickets_id_card_hash", "id_card_hash"),
        Index("ix_tickets_caller_name_hash", "caller_name_hash"),
        Index("ix_tickets_caller_address_hash", "caller_address_hash"),
        Index(
            "ix_tickets_merged_into_id",
            "merged_into_id",
            postgresql_where=text("merged_into_id is not null"),
        ),
        Index("ix_tickets_place", "division_code", "problem_category", "submitted_at"),
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    acceptance_no: Mapped[str] = mapped_column(unique=True)
    external_ticket_no: Mapped[str | None]
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partners.id"))
    ticket_type: Mapped[str]
    source: Mapped[str]
    status: Mapped[str]
    round: Mapped[int] = mapped_column(SmallInteger)
    """How many times a report was asked for: grows with each audit rejection (驳回)."""
    urgency: Mapped[int] = mapped_column(SmallInteger)
    query_code: Mapped[str]

    operator_no: Mapped[str]
    called_at: Mapped[datetime]
    caller_number_unknown: Mapped[bool] = mapped_column(Boolean)
    is_anonymous: Mapped[bool]
    is_confidential: Mapped[bool]
    caller_name: Mapped[str | None] = mapped_column(SealedText("tickets.caller_name"))
    contact_phone: Mapped[str | None] = mapped_column(SealedText("tickets.contact_phone"))
    caller_address: Mapped[str | None] = mapped_column(SealedText("tickets.caller_address"))
    id_card_no: Mapped[str | None] = mapped_column(SealedText("tickets.id_card_no"))
    caller_number: Mapped[str | None] = mapped_column(SealedText("tickets.caller_number"))
    contact_phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_number_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_card_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_name_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_address_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    household_head: Mapped[str | None] = mapped_column(SealedText("tickets.household_head"))
    relation: Mapped[str | None]
    """What the caller is to the head of the household (与户主关系)."""
    caller_category: Mapped[int | None] = mapped_column(SmallInteger)
    declined_fields: Mapped[list[str]] = mapped_column(JSONB)

    division_code: Mapped[str | None]
    division_text: Mapped[str | None]
    division_unresolved: Mapped[bool]
    detail_address: Mapped[str | None]
    province_code: Mapped[str]
    city_code: Mapped[str | None]
    county_code: Mapped[str | None]

    title: Mapped[str]
    content: Mapped[str]
    target_info: Mapped[str | None]
    targets: Mapped[list[dict[str, Any]] | None] = mapped_column(SealedJSON("tickets.targets"))
    """Whom a complaint is about: `[{name, organisation, position, org_code}]` (FLW-07)."""
    accused_unit_ids: Mapped[list[int]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'")
    )
    """Units the complaint is about (被反映单位): it is not handed to them (信访工作条例 30)."""
    permits: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """What the leader has permitted beyond the rules (审批人准予): keys of `codes.PERMITS`."""
    problem_category: Mapped[int | None] = mapped_column(SmallInteger)
    poverty_risk: Mapped[list[int] | None] = mapped_column(JSONB(none_as_null=True))
    poverty_risk_note: Mapped[str | None]
    required_completion_date: Mapped[date | None] = mapped_column(Date)

    province_unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    city_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    county_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    """Units the ticket was handed to; each sees it, read-only once handed further down."""

    registered_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    """The unit whose staff registered it (本级登记); None when 12345 sent it."""
    appointed_unit_id: Mapped[int | None]
    """Had its return refused and must handle it (指定办理); may not hand it back again."""
    summary: Mapped[str | None] = mapped_column(SealedText("tickets.summary"))
    """转办摘要: what the lower levels read in place of the content (ANON-04, FLW-07)."""
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    reworks: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """How many times it was handled again after a callback (重办)."""
    extension_until: Mapped[datetime | None]
    """延期审批中: the date asked for in time; until it is decided nothing is overdue (EX-03)."""

    submitted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]

    @property
    def extension_pending(self) -> bool:
        """Whether more time was asked for and nobody has decided yet (延期审批中)."""
        return self.extension_until is not None


class NumberCounter(Model):
    """The daily counter behind the acceptance numbers."""

    __tablename__ = "number_counters"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    prefix: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    value: Mapped[int]


class Opinion(Model):
    """What a person decided at a step and why (办理意见): review, dispatch, audit."""

    __tablename__ = "opinions"
    __table_args__ = (Index("ix_opinions_ticket_id", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    task_id: Mapped[UUID] = mapped_column(unique=True)
    step: Mapped[str]
    decision: Mapped[str]
    text: Mapped[str | None]
    round: Mapped[int] = mapped_column(SmallInteger)
    author_id: Mapped[int | None]
    author_name: Mapped[str]
    author_position: Mapped[str]
    author_phone: Mapped[str]
    unit_id: Mapped[int | None]
    four_eyes_relaxed: Mapped[bool]
    at: Mapped[datetime]


class Report(Model):
    """What the handling unit found and did (办理情况), by the ticket's type.

    Every submitted version is kept; the last one is the result. Who wrote it cannot audit it.
    """

    __abstract__ = True

    noun: ClassVar[str]
    """What people call it."""

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    task_id: Mapped[UUID] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(SmallInteger)
    informed_at: Mapped[datetime | None]
    inform_method: Mapped[int | None] = mapped_column(SmallInteger)
    contact_attempts: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    """When the petitioner was called in vain, as ISO moments; at least three (EX-13)."""
    author_id: Mapped[int | None]
    author_name: Mapped[str]
    unit_id: Mapped[int | None]
    submitted_at: Mapped[datetime]


class Investigation(Report):
    """A report on a complaint (调查核实信息, seed table 6)."""

    __tablename__ = "investigations"
    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    noun = "调查报告"

    investigated_at: Mapped[date] = mapped_column(Date)
    investigators: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """`[{name, position, phone}]`, staff."""
    petitioner_feedback: Mapped[str]
    inform_status: Mapped[int] = mapped_column(SmallInteger)
    verification_result: Mapped[int] = mapped_column(SmallInteger)
    amount_involved: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    handling_opinion: Mapped[str | None]


class DeclarationResult(Report):
    """What became of a declaration (自主申报结果, seed table 7 and its extension)."""

    __tablename__ = "declaration_results"
    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    noun = "办理结果"

    outcome: Mapped[int] = mapped_column(SmallInteger)
    outcome_note: Mapped[str | None]
    monitor_type: Mapped[int | None] = mapped_column(SmallInteger)
    petitioner_feedback: Mapped[str]
    inform_status: Mapped[int] = mapped_column(SmallInteger)
    author_phone: Mapped[str]


class ConsultationAnswer(Report):
    """The answer to a question or a suggestion (咨询答复)."""

    __tablename__ = "consultation_answers"
    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    noun = "答复"

    answer: Mapped[str]
    answer_mode: Mapped[str]
    """`direct`: 12345 tells the caller; `callback`: the unit has told the caller."""
    adopted: Mapped[int | None] = mapped_column(SmallInteger)
    """What becomes of a suggestion; None for a question."""
    inform_status: Mapped[int | None] = mapped_column(SmallInteger)
    author_phone: Mapped[str]


class DuplicateDecision(Model):
    """What a person decided of a likely duplicate (重复件): 并单, 关联 or 新诉求."""

    __tablename__ = "duplicate_decisions"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    decision: Mapped[str]
    """A key of `duplicates.DECISIONS`; 并单 of an agent is a hint for the operator who checks."""
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    at: Mapped[datetime]


class FormDraft(Model):
    """What a person has entered so far (暂存), unchecked; sealed, as anything may stand in it."""

    __tablename__ = "form_drafts"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(SealedJSON("form_drafts.values"))
    saved_at: Mapped[datetime]
