"""Ticket types (工单类型): one row each, with everything that differs by the type.

Code asks the row and never the type. How long a type may take is in the policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.tickets.models import ConsultationAnswer, DeclarationResult, Investigation, Report, Ticket
from app.tickets.schemas import (
    ComplaintSchema,
    ConsultationSchema,
    DeclarationSchema,
    IntakeSchema,
)


@dataclass(frozen=True)
class TicketType:
    """One type of ticket."""

    code: str
    title: str
    table: str
    """The intake table it comes in by; 12345 knows the type under this name."""
    prefix: str
    """Begins its acceptance numbers."""
    report: type[Report]
    """What the handling unit writes, a row a version."""
    result: str
    """The operation that takes its result to 12345."""
    service_type: int | None = None
    """The service type (服务类型) that makes a submission this type, where the table has two."""
    province_answers: bool = False
    """The province answers it at once and needs no audit then (REQUIREMENTS 1.3)."""
    called_back: bool = True
    """The petitioner is asked about the result (回访), as about all but answers to questions."""
    city_audits: bool = False
    """What its county handled is audited by the city before the province (REQUIREMENTS 1.3)."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns of a ticket that its intake table fills."""
        fields = TABLES[self.table].fields
        return frozenset(field.attribute or name for name, field in fields.items())


TABLES: Mapping[str, IntakeSchema] = {
    "complaint": ComplaintSchema(),
    "declaration": DeclarationSchema(),
    "consultation": ConsultationSchema(),
}
"""The seed's intake tables 2, 1 and 3."""

TICKET_TYPES: Mapping[str, TicketType] = {
    row.code: row
    for row in (
        TicketType(
            "complaint",
            "投诉举报",
            table="complaint",
            prefix="TS",
            report=Investigation,
            result="results/complaints",
            city_audits=True,
        ),
        TicketType(
            "declaration",
            "自主申报",
            table="declaration",
            prefix="SB",
            report=DeclarationResult,
            result="results/declarations",
            city_audits=True,
        ),
        TicketType(
            "consultation",
            "咨询",
            table="consultation",
            prefix="ZX",
            report=ConsultationAnswer,
            result="results/consultations",
            service_type=1,
            province_answers=True,
            called_back=False,
        ),
        TicketType(
            "suggestion",
            "建议",
            table="consultation",
            prefix="ZX",
            report=ConsultationAnswer,
            result="results/consultations",
            service_type=2,
            province_answers=True,
        ),
    )
}

PROCESSES = ("ticket_transfer", "call_transfer")
"""The diagrams a ticket can run on: 工单转接 and 话务转接."""

RESULTS = tuple(dict.fromkeys(row.result for row in TICKET_TYPES.values()))
"""Every operation that carries a result."""


def title_of(ticket: Ticket) -> str:
    """The type as people read it; a call that nobody has recorded has none yet."""
    return TICKET_TYPES[ticket.ticket_type].title if ticket.content else "未分类"


def of(table: str, values: Mapping[str, Any]) -> TicketType:
    """The type of a submission to this table."""
    return next(
        row
        for row in TICKET_TYPES.values()
        if row.table == table and row.service_type in {None, values.get("service_type")}
    )
