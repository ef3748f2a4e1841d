"""Use cases of reconciliation (对账, I18): take a platform's list in, compare, repair, forget."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import aliased

from app.core.clock import BEIJING
from app.core.db import session, table_of
from app.core.errors import Conflict, FieldError, Invalid
from app.exchange import outbox
from app.exchange.models import OutboundMessage, Partner
from app.reconciliation import queries, rules
from app.reconciliation.models import (
    COLLECTING,
    COMPARED,
    COMPLETE,
    Reconciliation,
    ReconciliationDifference,
    ReconciliationPage,
)
from app.reconciliation.rules import Difference, Theirs
from app.tickets.models import Ticket
from app.tickets.rules import STATES
from app.tickets.services import beijing
from app.tickets.types import RESULTS

_COPIES = "ticket-copies"
_EVENTS = "status-events"
_ADD = insert(table_of(ReconciliationDifference))


def take_page(partner: Partner, sent: dict[str, Any], now: datetime) -> Reconciliation:
    """Keep a page of the platform's list; with the last one missing it is ready to be compared.

    A page that comes again replaces the first, another `list_id` the whole list.
    """
    day = sent["date"]
    _check_day(day, now)
    if sent["page"] > sent["pages"]:
        raise Invalid([FieldError("page", "range", "页码不能大于总页数")])
    run = _locked(partner, day, now)
    if run.list_id != sent["list_id"] or run.pages != sent["pages"]:
        _clear(run)
        run.list_id, run.pages, run.created_at = sent["list_id"], sent["pages"], now
    elif run.state != COLLECTING:
        raise Conflict("该清单已收齐，重新对账请更换list_id", "LIST_COMPLETE")
    session().execute(
        delete(ReconciliationPage).where(
            ReconciliationPage.reconciliation_id == run.id, ReconciliationPage.page == sent["page"]
        )
    )
    rows = [
        [each["external_ticket_no"], each["acceptance_no"], each["outcome"]]
        for each in sent["tickets"]
    ]
    session().add(ReconciliationPage(reconciliation_id=run.id, page=sent["page"], tickets=rows))
    session().flush()
    run.state = COMPLETE if len(_pages(run)) == run.pages else COLLECTING
    return run


def compare_next(now: datetime) -> int:
    """Compare one list that is complete, or look at a day that ended without one; 0 when done."""
    run = session().scalar(
        select(Reconciliation)
        .where(Reconciliation.state == COMPLETE)
        .order_by(Reconciliation.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if run is not None:
        _compare(run, now)
        return 1
    yesterday = now.astimezone(BEIJING).date() - timedelta(days=1)
    looked = aliased(Reconciliation)
    partner = session().scalar(
        select(Partner)
        .where(Partner.enabled)
        .where(~exists().where(looked.partner_id == Partner.id, looked.day == yesterday))
        .order_by(Partner.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)  # tickets still come in
    )
    if partner is None:
        return 0
    _compare(_locked(partner, yesterday, now), now)
    return 1


def compare_again(run: Reconciliation) -> None:
    """Compare once more with what both sides say now; the platform's list is the one it sent."""
    if run.state == COLLECTING:
        raise Conflict("清单尚未收齐", "LIST_INCOMPLETE")
    run.state = COMPLETE


def repair(
    run: Reconciliation,
    partner: Partner,
    difference: ReconciliationDifference,
    now: datetime,
    *,
    actor: str,
) -> None:
    """Send what puts this ticket right, once: the message that was lost, or how it stands.

    What is missing here cannot be made up: the platform is asked to submit it again.
    """
    if difference.repaired_at is not None:
        return
    reason = f"对账 {run.day:%Y-%m-%d}"
    again = _lost(difference)
    for message in again:
        outbox.repeat(message.id, reason, actor=actor)
    if not again:
        _tell(partner, difference, now)
    difference.repaired_at, difference.repaired_by = now, actor
    difference.repair = rules.REPAIRS[difference.kind]
    session().flush()


def dismiss(
    difference: ReconciliationDifference, reason: str, now: datetime, *, actor: str
) -> None:
    """Nothing needs to be sent, because of this reason."""
    difference.repaired_at, difference.repaired_by, difference.repair = now, actor, reason
    session().flush()


def forget_old(now: datetime, *, limit: int = 20) -> int:
    """Delete comparisons older than `KEPT`, with their lists and differences."""
    old = select(Reconciliation.id).where(
        Reconciliation.day < (now - rules.KEPT).astimezone(BEIJING).date()
    )
    gone = session().execute(
        delete(Reconciliation)
        .where(Reconciliation.id.in_(old.limit(limit)))
        .returning(Reconciliation.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def check_day(day: date, now: datetime) -> None:
    """Invalid for a day that has not begun."""
    if day > now.astimezone(BEIJING).date():
        raise Invalid([FieldError("date", "future", "日期不能晚于今天")])


def _check_day(day: date, now: datetime) -> None:
    check_day(day, now)
    if day < now.astimezone(BEIJING).date() - rules.OLDEST:
        raise Invalid([FieldError("date", "old", f"只能核对最近{rules.OLDEST.days}天")])


def _locked(partner: Partner, day: date, now: datetime) -> Reconciliation:
    """The row of this day, made when there is none; two pages at once meet at the partner."""
    session().execute(
        select(Partner.id).where(Partner.id == partner.id).with_for_update(key_share=True)
    )
    run = queries.of_day(partner, day)
    if run is None:
        run = Reconciliation(partner_id=partner.id, day=day, state=COLLECTING, created_at=now)
        session().add(run)
        session().flush()
    return run


def _clear(run: Reconciliation) -> None:
    for model in (ReconciliationPage, ReconciliationDifference):
        session().execute(
            delete(model)
            .where(model.reconciliation_id == run.id)
            .execution_options(synchronize_session=False)
        )
    run.state = COLLECTING
    run.ours = run.theirs = run.differences = run.compared_at = None


def _pages(run: Reconciliation) -> Sequence[int]:
    return (
        session()
        .scalars(
            select(ReconciliationPage.page).where(ReconciliationPage.reconciliation_id == run.id)
        )
        .all()
    )


def _compare(run: Reconciliation, now: datetime) -> None:
    """Write the differences of a day anew; those that were repaired and are gone are not listed."""
    partner = session().get_one(Partner, run.partner_id)
    session().execute(
        delete(ReconciliationDifference)
        .where(ReconciliationDifference.reconciliation_id == run.id)
        .execution_options(synchronize_session=False)
    )
    theirs = _theirs(run) if run.list_id is not None else None
    undelivered = queries.undelivered_results(partner, run.day)
    counted = [0]

    def ours() -> Any:
        for mine in queries.whole_day(partner, run.day):
            counted[0] += 1
            yield mine

    if theirs is None:
        found = [
            Difference(
                rules.UNCONFIRMED, each.acceptance_no, each.external_ticket_no, each.outcome, None
            )
            for each in ours()
            if each.acceptance_no in undelivered
        ]
    else:
        found, left = rules.compare(ours(), theirs, undelivered)
        found += _missing(partner, [theirs[key] for key in sorted(left)])
        run.theirs = len(theirs)
    if found:
        session().execute(_ADD, [{"reconciliation_id": run.id, **vars(each)} for each in found])
    run.ours, run.differences = counted[0], len(found)
    run.state, run.compared_at = COMPARED, now
    session().flush()


def _theirs(run: Reconciliation) -> dict[str, Theirs]:
    pages = session().scalars(
        select(ReconciliationPage.tickets)
        .where(ReconciliationPage.reconciliation_id == run.id)
        .order_by(ReconciliationPage.page)
    )
    return {row[0]: Theirs(*row) for page in pages for row in page}


def _missing(partner: Partner, theirs: Sequence[Theirs]) -> list[Difference]:
    """Those that we have on no day: around midnight the two sides may count differently."""
    known: set[str] = set()
    for start in range(0, len(theirs), 1000):
        asked = [each.external_ticket_no for each in theirs[start : start + 1000]]
        known.update(
            number
            for number in session().scalars(
                select(Ticket.external_ticket_no).where(
                    Ticket.partner_id == partner.id, Ticket.external_ticket_no.in_(asked)
                )
            )
            if number is not None
        )
    return [
        Difference(
            rules.MISSING_HERE, each.acceptance_no, each.external_ticket_no, None, each.outcome
        )
        for each in theirs
        if each.external_ticket_no not in known
    ]


def _lost(difference: ReconciliationDifference) -> list[OutboundMessage]:
    """The messages that say what the platform does not know: the copy, the last result."""
    if difference.acceptance_no is None or difference.kind == rules.MISSING_HERE:
        return []
    sent = list(
        session().scalars(
            select(OutboundMessage)
            .where(OutboundMessage.business_key == difference.acceptance_no)
            .order_by(OutboundMessage.event_seq)
        )
    )
    wanted = []
    if difference.kind == rules.MISSING_THERE:
        wanted += [message for message in sent if message.operation == _COPIES]
    if difference.ours == rules.RESULT:
        wanted += [message for message in sent if message.operation in RESULTS][-1:]
    return wanted


def _tell(partner: Partner, difference: ReconciliationDifference, now: datetime) -> None:
    numbers = {
        "acceptance_no": difference.acceptance_no,
        "external_ticket_no": difference.external_ticket_no,
    }
    told: dict[str, Any] = {"event": "resubmission_requested"}
    key = difference.acceptance_no or f"{partner.app_id}:{difference.external_ticket_no}"
    if difference.kind != rules.MISSING_HERE:
        ticket = (
            session()
            .scalars(select(Ticket).where(Ticket.acceptance_no == difference.acceptance_no))
            .one()
        )
        told = {
            "event": "status_repeated",
            "status": ticket.status,
            "status_label": STATES[ticket.status],
            "outcome": rules.outcome_of(ticket.status),
            "received_at": beijing(ticket.submitted_at),
        }
    body = {**numbers, **told, "occurred_at": beijing(now)}
    outbox.send(partner, key, _EVENTS, body, now, once=f"reconciliation:{difference.id}")
