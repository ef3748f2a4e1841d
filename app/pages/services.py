"""Use cases of a page invocation (页面调用, T01a): ask for it, open it, fill it in, submit it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import joinedload

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.exchange import inbound, outbox
from app.exchange.errors import IdempotencyConflict
from app.exchange.models import Partner
from app.files import services as files
from app.organisations import queries as organisations
from app.pages import copies, forms, rules
from app.pages.errors import PageSessionExpired, PageSessionUsed
from app.pages.models import PageSession
from app.tickets import intake, registration, services
from app.tickets.models import Ticket

SOURCE = "p12345_page"


@dataclass(frozen=True)
class Bearer:
    """What a browser shows: the cookie of a window, the key inside a form."""

    cookie: str = ""
    key: str = ""


def open_session(
    partner: Partner, wanted: Mapping[str, Any], now: datetime
) -> tuple[PageSession, str]:
    """A session for 12345's operator and the token of its address, which is not stored.

    `wanted` was validated as a body of I16. Refused when the number has its ticket already, or when
    the profile names no origin that could show a frame or be returned to.
    """
    origin = partner.page_origin
    wrong = []
    if wanted["display"] == rules.IFRAME and origin is None:
        wrong.append(FieldError("display", "origin", "档案未登记页面来源，不能在框架内显示"))
    if wanted["return_url"] and not (origin and rules.is_below(wanted["return_url"], origin)):
        wrong.append(FieldError("return_url", "origin", "返回地址不在档案登记的页面来源之内"))
    if wrong:
        raise Invalid(wrong)
    if wanted["external_ticket_no"] and _is_taken(partner, wanted["external_ticket_no"]):
        raise IdempotencyConflict
    token = rules.new_secret()
    page = PageSession(
        partner_id=partner.id,
        intake_table=wanted["ticket_type"],
        display=wanted["display"],
        operator_no=wanted["operator_no"],
        caller_number=wanted["caller_number"],
        called_at=wanted["called_at"],
        external_ticket_no=wanted["external_ticket_no"],
        return_url=wanted["return_url"],
        token_hash=rules.digest(token),
        created_at=now,
    )
    session().add(page)
    session().flush()
    _take_over(page, now)
    return page, token


def of_token(token: str) -> PageSession | None:
    """The session of an address, opened or not."""
    return _found(PageSession.token_hash == rules.digest(token))


def of_id(page_id: UUID) -> PageSession | None:
    """The session of an id, whoever asks."""
    return _found(PageSession.id == page_id)


def enter(table: str, token: str, now: datetime) -> tuple[PageSession, str]:
    """Open the address, once: the session, and the secret that binds it to this browser."""
    page = _found(PageSession.token_hash == rules.digest(token), locked=True)
    if page is None or page.intake_table != table:
        raise PageSessionExpired
    if page.opened_at is not None:
        raise PageSessionUsed
    if now >= page.created_at + rules.OPEN_FOR or not page.partner.enabled:
        raise PageSessionExpired
    secret = rules.new_secret()
    page.key_hash, page.opened_at = rules.digest(rules.form_key(secret)), now
    session().flush()
    return page, secret


def look(page_id: UUID, cookie: str, now: datetime) -> PageSession:
    """The session of a window's cookie: its form while that is open, its receipt for a day."""
    page = of_id(page_id)
    if page is None or page.key_hash is None:
        raise PageSessionExpired
    if not cookie or not rules.is_key(rules.form_key(cookie), page.key_hash):
        raise PageSessionUsed
    if not is_shown(page, now):
        raise PageSessionExpired
    return page


def held(page_id: UUID, bearer: Bearer, now: datetime) -> PageSession:
    """The session whose form is sent, locked; a window must show its cookie as well."""
    page = _found(PageSession.id == page_id, locked=True)
    if page is None or page.key_hash is None:
        raise PageSessionExpired
    right = rules.is_key(bearer.key, page.key_hash)
    if page.display == rules.WINDOW:
        right = right and rules.is_key(rules.form_key(bearer.cookie), page.key_hash)
    if not right:
        raise PageSessionUsed
    if not is_shown(page, now):
        raise PageSessionExpired
    return page


def is_shown(page: PageSession | None, now: datetime) -> bool:
    """Whether some browser may be showing its form or receipt now."""
    if page is None or page.opened_at is None:
        return False
    return now < page.opened_at + (rules.FILL_FOR if page.ticket_id is None else rules.KEPT)


def save_draft(page: PageSession, values: dict[str, Any]) -> None:
    """Keep what was entered so far; after the ticket there is nothing to keep."""
    if page.ticket_id is None:
        page.draft = values


def submit(
    page: PageSession, values: Mapping[str, Any], refused: list[FieldError], now: datetime
) -> Ticket:
    """Receive the ticket and send 12345 its copy; sent again, the same ticket (PAGE-05, PAGE-06).

    `refused` are files that were not taken. Invalid names every wrong field at once.
    """
    if page.ticket_id is not None:
        return session().get_one(Ticket, page.ticket_id)
    try:
        taken = _read(page, values, now)
    except Invalid as refusal:
        raise Invalid(refused + refusal.errors) from None
    if refused:
        raise Invalid(refused)
    if page.external_ticket_no is None:
        number = _receive(page, taken, now)["acceptance_no"]
    else:
        receipt, _ = inbound.idempotent(
            f"{page.partner.app_id}:submit",
            page.external_ticket_no,
            inbound.fingerprint({"page": str(page.id)}),
            lambda: _receive(page, taken, now),
        )
        number = receipt["acceptance_no"]
    return services.ticket_numbered(number)


def owner_of(page: PageSession) -> files.Owner:
    """Whose the files of a form are."""
    return files.Owner(partner_id=page.partner_id)


def forget_old(now: datetime, *, limit: int = 500) -> int:
    """Delete sessions older than a day, with number, draft and unused files; how many."""
    old = (
        select(PageSession.id)
        .where(PageSession.created_at < now - rules.KEPT - rules.FILL_FOR)
        .order_by(PageSession.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = (
        session()
        .execute(
            delete(PageSession)
            .where(PageSession.id.in_(old))
            .returning(PageSession.id, PageSession.partner_id)
            .execution_options(synchronize_session=False)
        )
        .all()
    )
    for page_id, partner_id in gone:
        owner = files.Owner(partner_id=partner_id)
        for file in files.drafts_of_task(page_id, owner):
            files.remove_draft(file.id, owner)
    return len(gone)


def _take_over(page: PageSession, now: datetime) -> None:
    """Bring along what the same operator typed for the same call, in a page that was lost.

    That page is closed: of one call there is one form.
    """
    same = [
        PageSession.called_at == page.called_at,
        PageSession.external_ticket_no.is_(None),
    ]
    if page.external_ticket_no is not None:
        same = [PageSession.external_ticket_no == page.external_ticket_no]
    before = session().scalar(
        select(PageSession)
        .where(
            PageSession.created_at > now - rules.FILL_FOR - rules.OPEN_FOR,
            PageSession.partner_id == page.partner_id,
            PageSession.intake_table == page.intake_table,
            PageSession.operator_no == page.operator_no,
            PageSession.ticket_id.is_(None),
            PageSession.draft.is_not(None),
            PageSession.id != page.id,
            *same,
        )
        .order_by(PageSession.created_at.desc())
        .limit(1)
        .with_for_update()
    )
    if before is None or before.caller_number != page.caller_number:
        return
    page.draft, before.draft, before.key_hash = before.draft, None, None
    for file in files.drafts_of_task(before.id, owner_of(page)):
        file.task_id = page.id
    session().flush()


def _receive(page: PageSession, taken: intake.Intake, now: datetime) -> dict[str, Any]:
    receipt = services.receive(taken, page.partner, now, source=SOURCE)
    ticket = receipt.ticket
    attached = files.of_ticket(ticket.id)
    for file in attached:
        file.task_id = None  # it came with the matter, not with a step
    page.ticket_id, page.draft = ticket.id, None
    outbox.send(
        page.partner,
        ticket.acceptance_no,
        copies.OPERATION,
        copies.body(page.intake_table, ticket, taken, attached),
        now,
    )
    return receipt.as_data()


def _read(page: PageSession, values: Mapping[str, Any], now: datetime) -> intake.Intake:
    """The validator of I1–I3, with what the session knows put in."""
    payload: dict[str, Any] = {
        **{name: value for name, value in values.items() if value is not None},
        "external_ticket_no": page.external_ticket_no,
        "operator_no": page.operator_no,
        "caller_number": page.caller_number,
        "called_at": page.called_at.isoformat(),
    }
    if payload.get("division_text") and _is_too_wide(page, payload):
        del payload["division_code"]  # the whole province says less than the words
    wrong: list[FieldError] = []
    try:
        taken = intake.read(
            page.intake_table,
            payload,
            now=now,
            anonymity_mode=page.partner.anonymity_mode,
            schema=forms.whole(page.intake_table),
        )
    except Invalid as refusal:
        wrong = refusal.errors
    named = {error.field for error in wrong}
    wrong += [e for e in _reference_problems(page, payload) if e.field not in named]
    if wrong:
        raise Invalid(wrong)
    return taken


def _reference_problems(page: PageSession, payload: Mapping[str, Any]) -> list[FieldError]:
    found = services.reference_problems(payload, page.partner)
    if _is_too_wide(page, payload):
        found.append(FieldError("division_code", "wide", "请选到下一级行政区划，或填写地点描述"))
    mine = {file.id for file in files.drafts_of_task(page.id, owner_of(page))}
    if not found and not mine.issuperset(payload.get("attachments") or []):
        found.append(FieldError("attachments", "step", "请在本页面重新上传附件"))
    return found


def _is_too_wide(page: PageSession, payload: Mapping[str, Any]) -> bool:
    """Whether the place is the whole province."""
    province = organisations.unit_of_division(page.partner.province_code.ljust(12, "0"))
    code = str(payload.get("division_code") or "").ljust(12, "0")
    return province is not None and registration.is_too_wide(code, province)


def _is_taken(partner: Partner, number: str) -> bool:
    mine = select(Ticket.id).where(
        Ticket.partner_id == partner.id, Ticket.external_ticket_no == number
    )
    return session().scalar(mine) is not None


def _found(which: ColumnElement[bool], *, locked: bool = False) -> PageSession | None:
    wanted = select(PageSession).where(which).options(joinedload(PageSession.partner))
    if locked:
        wanted = wanted.with_for_update(of=PageSession)
    return session().scalar(wanted.execution_options(populate_existing=True))
