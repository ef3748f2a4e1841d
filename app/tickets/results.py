"""What 12345 is told: the result of seed table 6, and the answer to a status query."""

from typing import Any

from app.files import services as files
from app.organisations import queries as organisations
from app.tickets import queries, rules
from app.tickets.codes import INFORM_METHOD, INFORM_STATUS, VERIFICATION_RESULT
from app.tickets.models import Investigation, Opinion, Ticket
from app.tickets.services import beijing


def complaint_result(ticket: Ticket) -> dict[str, Any]:
    """调查核实信息 of the last report, with both numbers (REQUIREMENTS 3.3, table 6).

    `report_files` carry ids and digests; the signed link is added when the message is sent, since
    it lives for minutes only.
    """
    report = queries.latest_report(ticket.id)
    if report is None:
        raise LookupError(f"ticket {ticket.id} reached its result without a report")
    audits = [o for o in queries.opinions(ticket.id) if o.decision in {"approve", "reject"}]
    passed = [o for o in audits if o.decision == "approve" and o.round == ticket.round]
    if not passed or ticket.completed_at is None:
        raise LookupError(f"ticket {ticket.id} reached its result without an audit")
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
        "investigated_at": report.investigated_at.isoformat(),
        "investigators": report.investigators,
        "petitioner_feedback": report.petitioner_feedback,
        "inform_status": report.inform_status,
        "inform_status_label": INFORM_STATUS.label(report.inform_status),
        "informed_at": None if report.informed_at is None else beijing(report.informed_at),
        "inform_method": report.inform_method,
        "inform_method_label": INFORM_METHOD.label(report.inform_method),
        "report_files": _report_files(ticket, report),
        "auditors": [_auditor(opinion) for opinion in passed],
        "audited_at": beijing(passed[-1].at),
        "verification_result": report.verification_result,
        "verification_result_label": VERIFICATION_RESULT.label(report.verification_result),
        "amount_involved": None
        if report.amount_involved is None
        else f"{report.amount_involved:.2f}",
        "handling_opinion": report.handling_opinion,
        "completed_at": beijing(ticket.completed_at),
    }


def status_answer(ticket: Ticket) -> dict[str, Any]:
    """I7: where the ticket stands, without anybody's personal data."""
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
        "ticket_type": ticket.ticket_type,
        "status": ticket.status,
        "status_label": rules.STATES[ticket.status],
        "handling_unit": _holder(ticket),
        "submitted_at": beijing(ticket.submitted_at),
        "due_at": beijing(ticket.due_at),
        "completed_at": None if ticket.completed_at is None else beijing(ticket.completed_at),
        "round": ticket.round,
    }


def _holder(ticket: Ticket) -> str:
    unit = organisations.unit(
        ticket.county_unit_id or ticket.city_unit_id or ticket.province_unit_id
    )
    return unit.name if unit else ""


def _auditor(opinion: Opinion) -> dict[str, str]:
    unit = organisations.unit(opinion.unit_id or 0)
    return {
        "name": opinion.author_name,
        "position": opinion.author_position,
        "phone": opinion.author_phone,
        "org": unit.name if unit else "",
    }


def _report_files(ticket: Ticket, report: Investigation) -> list[dict[str, Any]]:
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
