"""Registration by staff (本级登记): choose where it comes from, fill the table, get the number."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, redirect, request, url_for

from app.api.http import Malformed, answer
from app.core import clock
from app.core.db import session, transact
from app.core.errors import FieldError, Invalid
from app.divisions.search import Place
from app.exchange import inbound
from app.files import services as files
from app.organisations import queries as organisations
from app.security.principal import Principal
from app.tickets import registration
from app.tickets.access import actor_of
from app.tickets.queries import ticket_for
from app.tickets.rules import ANONYMITY_MODES
from app.tickets.schemas import IntakeSchema
from app.tickets.sources import Source, registered_at
from app.tickets.types import TICKET_TYPES
from app.ui import places, present
from app.ui.files import keep_upload, take_uploads
from app.ui.forms import FieldView, field_views, form_errors, parse_form
from app.ui.page import draw, permitted

blueprint = Blueprint("registration", __name__)

TABLES = {
    "complaint": ("投诉举报", "违规、不公、侵占等问题，须调查核实", "megaphone"),
    "declaration": ("自主申报", "农户申请纳入防返贫监测帮扶", "house"),
    "consultation": ("咨询、建议", "政策询问，或对工作的意见建议", "question-circle"),
}
"""Intake table → its title, what it is for, and its pictogram."""
_ICONS = {
    "letter": "envelope",
    "visit": "people",
    "email": "send",
    "national": "building",
    "phone_010": "telephone-inbound",
}
SECTIONS = (
    ("来源", ("province_unit_id", "caller_number", "called_at")),
    (
        "诉求人",
        (
            "is_anonymous",
            "caller_category",
            "caller_name",
            "contact_phone",
            "callback_phone",
            "id_card_no",
            "household_head",
            "relation",
            "caller_address",
            "declined_fields",
        ),
    ),
    ("地点", ("division_code", "division_text", "detail_address")),
    (
        "诉求内容",
        (
            "service_type",
            "content",
            "content_summary",
            "problem_category",
            "required_completion_date",
            "poverty_risk",
            "poverty_risk_note",
            "target_info",
            "targets",
        ),
    ),
    ("其他", ()),
)
"""The order of a page; the last section takes the rest."""


@blueprint.get("/register")
@permitted("ticket.register")
def index(principal: Principal) -> str:
    """Which sources and tables this unit registers."""
    return draw(
        "registration/index.html",
        principal,
        active="registration",
        sources=[
            {
                "title": source.title,
                "icon": _ICONS[source.code],
                "tables": [
                    {
                        "title": title,
                        "help": text,
                        "icon": icon,
                        "url": url_for("registration.show", source=source.code, table=table),
                    }
                    for table, (title, text, icon) in TABLES.items()
                ],
            }
            for source in registered_at(principal.level)
        ],
    )


@blueprint.get("/register/<source>/<table>")
@permitted("ticket.register")
def show(principal: Principal, source: str, table: str) -> str:
    """An empty form, with a token of its own: sent twice, it makes one ticket."""
    chosen = registration.source_for(principal, source)
    now = clock.now()
    first: dict[str, Any] = {"urgency": 1, "is_confidential": "false"}
    if principal.level != "national":
        first["division_code"] = principal.division_code
    if not chosen.is_petition:  # a letter was written before it came
        first["called_at"] = now
    return _page(principal, chosen, table, uuid4(), first)


@blueprint.post("/register/<source>/<table>")
@permitted("ticket.register")
def submit(principal: Principal, source: str, table: str) -> Any:
    """Register it; what is wrong is shown in the form, with everything that was entered."""
    chosen = registration.source_for(principal, source)
    schema = registration.form_for(chosen, table)
    token = _token()
    values, refused = entered(principal, schema, token)
    if places.BUTTON in request.form:
        found = places.looked_for(request.form, principal.division_code)
        if len(found) == 1 or (found and found[0].sure):
            values["division_code"], found = found[0].code, []
        return _page(principal, chosen, table, token, values, found=found)

    def work() -> str:
        now = clock.now()
        given = {name: value for name, value in values.items() if value is not None}
        try:
            taken = registration.read(chosen, table, given, principal, now)
        except Invalid as refusal:
            raise Invalid(refused + refusal.errors) from None
        if refused:
            raise Invalid(refused)
        number, _ = inbound.idempotent(
            f"register:{principal.user_id}",
            str(token),
            inbound.fingerprint(str(token)),
            lambda: (
                registration.register(
                    chosen, taken, principal, actor_of(principal), now
                ).acceptance_no
            ),
        )
        return str(number)

    try:
        number = transact(work)
    except Invalid as refusal:
        return _page(principal, chosen, table, token, values, form_errors(refusal)), 422
    target = url_for("registration.receipt", acceptance_no=number)
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target)


@blueprint.get("/register/receipt/<acceptance_no>")
@permitted("ticket.register")
def receipt(principal: Principal, acceptance_no: str) -> str:
    """The number to write on the letter (受理回执); opening it again shows the same."""
    ticket = ticket_for(principal, acceptance_no)
    return draw(
        "registration/receipt.html",
        principal,
        active="registration",
        ticket={
            "acceptance_no": ticket.acceptance_no,
            "query_code": ticket.query_code,
            "type_label": TICKET_TYPES[ticket.ticket_type].title,
            "source": present.SOURCES[ticket.source],
            "title": ticket.title,
            "due_text": present.shown(ticket.due_at),
            "url": url_for("tickets.show", acceptance_no=ticket.acceptance_no),
        },
        again_url=url_for("registration.index"),
    )


@blueprint.post("/register/files/<uuid:token>")
@permitted("ticket.register")
def upload(principal: Principal, token: UUID) -> Any:
    """Take a file in as it is chosen; it is a draft of this form until that is registered."""
    session().rollback()
    given = request.files.get("file")
    if given is None:
        raise Invalid([FieldError("file", "required", "请选择文件")])
    return answer(
        present.file_view(keep_upload(files.Owner.of(principal), token, "attachments", given)), 201
    )


def entered(
    principal: Principal, schema: IntakeSchema, token: UUID
) -> tuple[dict[str, Any], list[FieldError]]:
    """What the form holds, with the files that a browser without scripts sends along."""
    values = parse_form(schema, places.settled(request.form))
    kept, refused = take_uploads(files.Owner.of(principal), token, "attachments")
    if kept:
        values["attachments"] = [*(values.get("attachments") or []), *kept]
    return values, refused


def sections(views: list[FieldView]) -> list[tuple[str, list[FieldView]]]:
    """The fields of an intake table in the order in which people ask."""
    by_name = {view.name: view for view in views}
    found = [
        (title, [by_name.pop(name) for name in names if name in by_name])
        for title, names in SECTIONS
    ]
    found[-1][1].extend(by_name.values())
    return [(title, fields) for title, fields in found if fields]


def in_order(views: list[FieldView]) -> list[FieldView]:
    """The same without the headings."""
    return [view for _, fields in sections(views) for view in fields]


def _page(
    principal: Principal,
    source: Source,
    table: str,
    token: UUID,
    values: dict[str, Any],
    errors: dict[str, list[str]] | None = None,
    found: Sequence[Place] = (),
) -> str:
    schema = registration.form_for(source, table)
    views = places.drawn(
        field_views(schema, _options(principal)),
        values,
        source_url=url_for("tickets.division_choices"),
        find_url=url_for("tickets.find_places"),
        found=found,
    )
    owner = files.Owner.of(principal)
    return draw(
        "registration/form.html",
        principal,
        active="registration",
        source=source.title,
        table=TABLES[table][0],
        rule=ANONYMITY_MODES[registration.ANONYMITY_MODE] if table == "complaint" else "",
        form=views,
        sections=sections(views),
        values=values,
        errors=errors or {},
        files=[present.file_view(f) for f in files.drafts_of_task(token, owner)],
        token=token,
        submit_url=url_for("registration.submit", source=source.code, table=table),
        upload_url=url_for("registration.upload", token=token),
        back_url=url_for("registration.index"),
    )


def _options(principal: Principal) -> dict[str, Any]:
    if principal.level != "national":
        return {}
    below = organisations.children(principal.unit_id)
    return {"province_unit_id": [(unit.id, unit.name) for unit in below if unit.enabled]}


def _token() -> UUID:
    try:
        return UUID(request.form.get("token", ""))
    except ValueError:
        raise Malformed("页面已过期，请重新打开") from None
