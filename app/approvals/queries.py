"""Reading requests and their answers."""

from sqlalchemy import select

from app.approvals.models import OPEN, Extension, ReturnRequest, Transfer
from app.core.db import session
from app.engine.models import ProcessInstance, UserTask, WaitingMessage
from app.tickets.types import PROCESSES


def returns_of(ticket_id: int) -> list[ReturnRequest]:
    """All return requests of a ticket, in order."""
    return list(
        session().scalars(
            select(ReturnRequest)
            .where(ReturnRequest.ticket_id == ticket_id)
            .order_by(ReturnRequest.id)
            .execution_options(populate_existing=True)
        )
    )


def open_return(ticket_id: int) -> ReturnRequest | None:
    """The one that waits for an answer, locked."""
    return session().scalar(
        select(ReturnRequest)
        .where(ReturnRequest.ticket_id == ticket_id, ReturnRequest.state == OPEN)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def latest_return(ticket_id: int) -> ReturnRequest | None:
    """The last one, whatever became of it."""
    return session().scalar(
        select(ReturnRequest)
        .where(ReturnRequest.ticket_id == ticket_id)
        .order_by(ReturnRequest.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def latest_transfer(ticket_id: int) -> Transfer | None:
    """The last transfer asked for."""
    return session().scalar(
        select(Transfer)
        .where(Transfer.ticket_id == ticket_id)
        .order_by(Transfer.id.desc())
        .limit(1)
    )


def extensions_of(ticket_id: int) -> list[Extension]:
    """All extension requests of a ticket, in order."""
    return list(
        session().scalars(
            select(Extension)
            .where(Extension.ticket_id == ticket_id)
            .order_by(Extension.id)
            .execution_options(populate_existing=True)
        )
    )


def latest_extension(ticket_id: int) -> Extension | None:
    """The last one, whatever became of it."""
    return session().scalar(
        select(Extension)
        .where(Extension.ticket_id == ticket_id)
        .order_by(Extension.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def open_tasks(acceptance_no: str) -> list[UserTask]:
    """What waits for a person in the ticket's diagram."""
    return list(
        session().scalars(
            select(UserTask)
            .join(ProcessInstance, ProcessInstance.id == UserTask.instance_id)
            .where(
                ProcessInstance.business_key == acceptance_no,
                ProcessInstance.process_key.in_(PROCESSES),
                UserTask.state == "open",
            )
        )
    )


def awaited(acceptance_no: str) -> set[str]:
    """Names of the messages that the ticket's diagram waits for."""
    return set(
        session().scalars(
            select(WaitingMessage.name).where(WaitingMessage.business_key == acceptance_no)
        )
    )
