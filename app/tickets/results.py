"""What 12345 is told: the result in the table of the ticket's type, and where a ticket stands."""

from collections.abc import Callable, Mapping
from typing import Any

from app.files import services as files
from app.organisations import queries as organisations
from app.tickets import queries, rules
from app.tickets.codes import (
    ADOPTION,
    DECLARATION_OUTCOME,
    INFORM_METHOD,
    INFORM_STATUS,
    MONITOR_TYPE,
    SERVICE_TYPE,
    VERIFICATION_RESULT,
    CodeTable,
)
from app.tickets.models import (
    ConsultationAnswer,
    DeclarationResult,
    Investigation,
    Opinion,
    Report,
    Ticket,
)
from app.tickets.services import beijing
from app.tickets.types import TICKET_TYPES


def result(ticket: Ticket) -> dict[str, Any]:
    """What became of the ticket, by the last version of its report, with both numbers (D8).

    `report_files` carry ids and digests; the signed link is added when the message is sent, since
    it lives for minutes only.
    """
    report = queries.latest_report(ticket)
    if report is None or ticket.completed_at is None:
        raise LookupError(f"ticket {ticket.id} reached its result without a report")
    said = queries.opinions(ticket.id)
    passed = queries.passed(report, said)
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
        **_TABLES[type(report)](ticket, report, said, passed),
        "completed_at": beijing(ticket.completed_at),
    }


def was_sent(ticket: Ticket) -> bool:
    """Whether a result has gone out, in this round or an earlier one.

    What ends the ticket otherwise would be a second last word (FLW-02).
    """
    return ticket.reworks > 0 or ticket.completed_at is not None


def _complaint(
    ticket: Ticket, report: Investigation, said: list[Opinion], passed: list[Opinion]
) -> dict[str, Any]:
    """调查核实信息 (table 6). A complaint is never answered without an audit."""
    if not passed:
        raise LookupError(f"ticket {ticket.id} reached its result without an audit")
    return {
        "investigated_at": report.investigated_at.isoformat(),
        "investigators": report.investigators,
        "petitioner_feedback": report.petitioner_feedback,
        **_telling(report.inform_status, report),
        "report_files": _report_files(ticket, report),
        **_audit(passed),
        **_labelled("verification_result", VERIFICATION_RESULT, report.verification_result),
        "amount_involved": None
        if report.amount_involved is None
        else f"{report.amount_involved:.2f}",
        "handling_opinion": report.handling_opinion,
    }


def _declaration(
    ticket: Ticket, report: DeclarationResult, said: list[Opinion], passed: list[Opinion]
) -> dict[str, Any]:
    """自主申报结果 (table 7). Who accepted it is who passed the review (初审).

    After a return that 12345 refused, it is who dispatched it.
    """
    if not passed:
        raise LookupError(f"ticket {ticket.id} reached its result without an audit")
    accepted = next(o for o in said if o.decision == "accept" or o.step == "dispatch")
    return {
        "acceptor": {"name": accepted.author_name, "phone": accepted.author_phone},
        "accepted_at": beijing(accepted.at),
        "handler": {"name": report.author_name, "phone": report.author_phone},
        **_labelled("outcome", DECLARATION_OUTCOME, report.outcome),
        "outcome_note": report.outcome_note,
        **_labelled("monitor_type", MONITOR_TYPE, report.monitor_type),
        "petitioner_feedback": report.petitioner_feedback,
        **_telling(report.inform_status, report),
        "report_files": _report_files(ticket, report),
        **_audit(passed),
    }


def _answer(
    ticket: Ticket, report: ConsultationAnswer, said: list[Opinion], passed: list[Opinion]
) -> dict[str, Any]:
    """咨询答复 (extension D7); audited only where the province handed it down."""
    return {
        **_labelled("service_type", SERVICE_TYPE, TICKET_TYPES[ticket.ticket_type].service_type),
        "answer": report.answer,
        "answered_by": {
            "name": report.author_name,
            "org": _unit_name(report.unit_id),
            "phone": report.author_phone,
        },
        "answered_at": beijing(report.submitted_at),
        "answer_mode": report.answer_mode,
        **_labelled("adopted", ADOPTION, report.adopted),
        **_telling(report.inform_status, report),
        **(_audit(passed) if passed else {}),
    }


_TABLES: Mapping[type[Report], Callable[..., dict[str, Any]]] = {
    Investigation: _complaint,
    DeclarationResult: _declaration,
    ConsultationAnswer: _answer,
}


def status_answer(ticket: Ticket) -> dict[str, Any]:
    """I7: where the ticket stands, without anybody's personal data."""
    kind = TICKET_TYPES[ticket.ticket_type]
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
        "ticket_type": kind.table,
        "ticket_type_label": kind.title,
        "status": ticket.status,
        "status_label": rules.STATES[ticket.status],
        "extension_pending": ticket.extension_pending,
        "handling_unit": _holder(ticket),
        "submitted_at": beijing(ticket.submitted_at),
        "due_at": beijing(ticket.due_at),
        "completed_at": None if ticket.completed_at is None else beijing(ticket.completed_at),
        "round": ticket.round,
    }


def _labelled(name: str, table: CodeTable, code: int | None) -> dict[str, Any]:
    """A code and, beside it, its label."""
    return {name: code, f"{name}_label": table.label(code)}


def _telling(status: int | None, report: Report) -> dict[str, Any]:
    return {
        **_labelled("inform_status", INFORM_STATUS, status),
        "informed_at": None if report.informed_at is None else beijing(report.informed_at),
        **_labelled("inform_method", INFORM_METHOD, report.inform_method),
    }


def _audit(passed: list[Opinion]) -> dict[str, Any]:
    return {
        "auditors": [_auditor(opinion) for opinion in passed],
        "audited_at": beijing(passed[-1].at),
    }


def _auditor(opinion: Opinion) -> dict[str, str]:
    return {
        "name": opinion.author_name,
        "position": opinion.author_position,
        "phone": opinion.author_phone,
        "org": _unit_name(opinion.unit_id),
    }


def _holder(ticket: Ticket) -> str:
    return _unit_name(ticket.county_unit_id or ticket.city_unit_id or ticket.province_unit_id)


def _unit_name(unit_id: int | None) -> str:
    unit = organisations.unit(unit_id or 0)
    return unit.name if unit else ""


def _report_files(ticket: Ticket, report: Report) -> list[dict[str, Any]]:
    return [
        {
            "attachment_id": file.id,
            "name": file.name,
            "size": file.size,
            "sm3": file.sm3,
            "sha256": file.sha256,
        }
        for file in files.of_ticket(ticket.id)
        if file.task_id == report.task_id
    ]
