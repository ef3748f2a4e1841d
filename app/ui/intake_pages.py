"""The registration pages that 12345 opens (页面调用, T01a): a form, a receipt, and nothing else.

Nobody signs in here. What a browser may see it proves by the page's cookie or, in a frame, by the
key in the form; see `app.pages.rules`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.api import door, http
from app.api import pages as page_requests
from app.core import clock
from app.core.db import session, transact
from app.core.errors import FieldError, HotlineError, Invalid, NotFound
from app.divisions.search import Place
from app.engine.errors import UnknownDefinition
from app.exchange import inbound, limits
from app.exchange.errors import IdempotencyConflict
from app.files import services as files
from app.files.services import MAX_BYTES
from app.pages import forms, links, rules, services
from app.pages.errors import PageSessionExpired
from app.pages.models import PageSession
from app.security import headers
from app.tickets.models import Ticket
from app.tickets.rules import ANONYMITY_MODES
from app.tickets.types import TABLES, title_of
from app.ui import places, present
from app.ui.errors import PageExpired
from app.ui.files import keep_upload, take_uploads
from app.ui.forms import FORM, field_views, form_errors, parse_form
from app.ui.registration import TABLES as TITLES
from app.ui.registration import sections
from app.ui.tickets import division_items

blueprint = Blueprint("intake", __name__, url_prefix="/page")

COOKIE = "page"
_KEY = "csrf_token"
"""Name of the form key in a form; scripts send it as the header of any form's token."""


@blueprint.get("/<table>")
def enter(table: str) -> Any:
    """Open the one-time address: a window goes on to one that can be loaded again."""
    if table not in TABLES:
        raise NotFound("没有这种登记表", "TABLE_NOT_FOUND")
    if request.method == "HEAD":
        return ""  # who only asks whether the address answers has not opened it
    if "app_id" in request.args:
        return _exchange(table)
    token, now = request.args.get("s", ""), clock.now()
    found = services.of_token(token)
    _meet(found)
    if found is None:
        limits.heed(http.client_ip())
        session().rollback()
        limits.count_failure(http.client_ip())
        raise PageSessionExpired
    page_id, secret = transact(lambda: _entered(table, token, now))
    page = _again(page_id)
    if page.display == rules.IFRAME:
        return _form(page, rules.form_key(secret), _first(page))
    target = _address("show", page)
    response = redirect(target)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=rules.KEPT,
        path=target,
        secure=current_app.config["SETTINGS"].secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response


def _exchange(table: str) -> AnyResponse:
    """An address that 12345 signed itself becomes a one-time address of ours at once (PAGE-02)."""
    claim, now = links.claim_of(request.args), clock.now()
    query = request.query_string.decode(errors="replace")
    door.admit(claim, request.path, links.signed_query(query), by_browser=True)

    def work() -> str:
        partner = inbound.enter(claim, now)
        g.page_origin, g.page_display = partner.page_origin, request.args.get("display")
        body = links.body(table, request.args, partner.secrets)
        return services.open_session(partner, page_requests.read(body, now), now)[1]

    return redirect(url_for("intake.enter", table=table, s=transact(work)), 303)


def _entered(table: str, token: str, now: datetime) -> tuple[UUID, str]:
    page, secret = services.enter(table, token, now)
    return page.id, secret


@blueprint.get("/<table>/<uuid:page_id>")
def show(table: str, page_id: UUID) -> Any:
    """The form with what was entered so far, or the receipt: in the window that opened it."""
    cookie = request.cookies.get(COOKIE, "")
    page = services.of_id(page_id)
    _meet(page)
    if page is not None and page.display == rules.IFRAME:
        return render_template(
            "intake/resume.html", **_frame_context(page), resume_url=_address("resume", page)
        )
    page = services.look(page_id, cookie, clock.now())
    if page.ticket_id is not None:
        return _receipt(page)
    return _form(page, rules.form_key(cookie), page.draft or _first(page))


@blueprint.post("/<table>/<uuid:page_id>")
def submit(table: str, page_id: UUID) -> Any:
    """Register the matter; what is wrong is shown in the form, with everything that was entered."""
    bearer, now = _bearer(page_id), clock.now()
    page = services.held(page_id, bearer, now)
    schema, owner = forms.entered(page.intake_table), services.owner_of(page)
    values = parse_form(schema, places.settled(request.form))
    kept, refused = take_uploads(owner, page_id, "attachments")
    if kept:
        values["attachments"] = [*(values.get("attachments") or []), *kept]
    if places.BUTTON in request.form:
        return _placed(page_id, bearer, values, now)

    def work() -> None:
        services.submit(services.held(page_id, bearer, now), values, refused, now)

    try:
        transact(work)
    except Invalid as refusal:
        return _form(_again(page_id), bearer.key, values, form_errors(refusal)), 422
    except IdempotencyConflict as conflict:
        errors = {FORM: ["该12345工单编号已登记过工单，请勿重复登记"]}
        return _form(_again(page_id), bearer.key, values, errors), conflict.status
    except UnknownDefinition as error:  # our own omission, as at the interface
        raise HotlineError("系统尚未就绪，请稍后重试", "INTERNAL") from error
    page = _again(page_id)
    if page.display == rules.IFRAME:  # without a cookie there is no address to go to
        return _receipt(page, bearer.key)
    return redirect(_address("show", page), 303)


def _placed(page_id: UUID, bearer: services.Bearer, values: dict[str, Any], now: datetime) -> str:
    """The form again, with the next level of places or with those that were looked for."""
    page = services.held(page_id, bearer, now)
    found = places.looked_for(request.form, _province(page))
    if len(found) == 1 or (found and found[0].sure):
        values["division_code"] = found[0].code
        found = []
    session().rollback()
    transact(lambda: services.save_draft(services.held(page_id, bearer, now), values))
    return _form(_again(page_id), bearer.key, values, found=found)


@blueprint.post("/<table>/<uuid:page_id>/draft")
def save(table: str, page_id: UUID) -> Response:
    """Keep what is entered, unchecked (自动保存)."""
    bearer, now = _bearer(page_id), clock.now()

    def work() -> None:
        page = services.held(page_id, bearer, now)
        given = places.settled(request.form)
        services.save_draft(page, parse_form(forms.entered(page.intake_table), given))

    transact(work)
    return http.answer({"saved_at": f"{now.astimezone(clock.BEIJING):%H:%M}"})


@blueprint.post("/<table>/<uuid:page_id>/files")
def upload(table: str, page_id: UUID) -> Response:
    """Take a file in as it is chosen; it is a draft of this form until that is submitted."""
    page = services.held(page_id, _bearer(page_id), clock.now())
    owner = services.owner_of(page)
    session().rollback()
    given = request.files.get("file")
    if given is None:
        raise Invalid([FieldError("file", "required", "请选择文件")])
    stored = present.file_view(keep_upload(owner, page_id, "attachments", given))
    return http.answer({**stored, "url": ""}, 201)


@blueprint.get("/<table>/<uuid:page_id>/divisions.json")
def division_choices(table: str, page_id: UUID) -> dict[str, Any]:
    """For the cascade of an open form: children of a division, or the way to one."""
    if not services.is_shown(services.of_id(page_id), clock.now()):
        raise NotFound("页面已关闭")
    return division_items(request.args)


@blueprint.post("/<table>/<uuid:page_id>/places.json")
def find_places(table: str, page_id: UUID) -> Response:
    """Places that fit what is typed or pasted."""
    page = services.held(page_id, _bearer(page_id), clock.now())
    found = places.looked_for(request.form, _province(page))
    session().rollback()
    return http.answer(places.as_items(found))


@blueprint.post("/<table>/<uuid:page_id>/resume")
def resume(table: str, page_id: UUID) -> str:
    """The form or receipt again in a frame that was reloaded: its key was kept behind the `#`."""
    bearer = _bearer(page_id)
    page = services.held(page_id, bearer, clock.now())
    if page.ticket_id is not None:
        return _receipt(page, bearer.key)
    return _form(page, bearer.key, page.draft or _first(page))


@blueprint.after_request
def _frame(response: Response) -> Response:
    """Only the partner's origin may show the page in a frame, or hear from its window (PAGE-04)."""
    origin = g.get("page_origin")
    if origin and g.page_display == rules.IFRAME:
        response.headers["Content-Security-Policy"] = headers.policy(frame_ancestors=origin)
    elif origin:
        response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@blueprint.errorhandler(HotlineError)
def _refused(error: HotlineError) -> AnyResponse:
    if request.accept_mimetypes.best == http.JSON:
        return http.refuse(error)
    page = render_template(
        "intake/refused.html",
        **_frame_context(),
        title=_TITLES.get(error.status, "请求无法处理"),
        message="；".join(each.message for each in error.errors) or error.message,
        code=error.code,
    )
    return Response(page, error.status, headers=http.wait_of(error))


_TITLES = {
    400: "页面已过期",
    401: "链接无效",
    403: "没有权限",
    429: "请求过于频繁",
    404: "没有找到",
    410: "链接已失效",
    422: "提交的内容有误",
}


def _bearer(page_id: UUID) -> services.Bearer:
    """What the sender of a form shows. A form that is open may carry files."""
    page = services.of_id(page_id)
    _meet(page)
    if services.is_shown(page, clock.now()):
        request.max_content_length = MAX_BYTES + 1024 * 1024
    key = request.headers.get("X-CSRFToken") or request.form.get(_KEY, "")
    if not key:
        raise PageExpired
    return services.Bearer(request.cookies.get(COOKIE, ""), key)


def _meet(page: PageSession | None) -> None:
    """Remember whose page this is; a refusal is shown in the partner's frame as well."""
    if page is not None:
        g.page_origin, g.page_display = page.partner.page_origin, page.display


def _address(view: str, page: PageSession) -> str:
    return url_for(f"intake.{view}", table=page.intake_table, page_id=page.id)


def _again(page_id: UUID) -> PageSession:
    """The session after its transaction."""
    page = services.of_id(page_id)
    if page is None:
        raise PageSessionExpired
    return page


def _first(page: PageSession) -> dict[str, Any]:
    """What stands in an empty form."""
    return {
        "urgency": 1,
        "is_confidential": "false",
        "division_code": _province(page),
    }


def _province(page: PageSession) -> str:
    return page.partner.province_code.ljust(12, "0")


def _form(
    page: PageSession,
    key: str,
    values: Mapping[str, Any],
    errors: Mapping[str, list[str]] | None = None,
    found: Sequence[Place] = (),
) -> str:
    views = places.drawn(
        field_views(forms.entered(page.intake_table)),
        values,
        source_url=_address("division_choices", page),
        find_url=_address("find_places", page),
        found=found,
    )
    mode = page.partner.anonymity_mode
    until = cast(datetime, page.opened_at) + rules.FILL_FOR
    return render_template(
        "intake/form.html",
        **_frame_context(page),
        key=key,
        facts=[
            ("工号", page.operator_no),
            ("来电号码", "未显示" if page.caller_number == "unknown" else page.caller_number),
            ("来电时间", present.shown(page.called_at)),
            ("12345工单编号", page.external_ticket_no or "—"),
        ],
        rule=ANONYMITY_MODES[mode] if page.intake_table == "complaint" else "",
        form=views,
        sections=sections(views),
        values=values,
        errors=errors or {},
        files=[
            {**present.file_view(file), "url": ""}
            for file in files.drafts_of_task(page.id, services.owner_of(page))
        ],
        until=f"{until.astimezone(clock.BEIJING):%H:%M}",
        submit_url=_address("submit", page),
        draft_url=_address("save", page),
        frame_url=_frame_url(page),
        upload_url=_address("upload", page),
    )


def _frame_url(page: PageSession) -> str:
    """What a frame calls itself, so that it can be loaded again; a window has its address."""
    return _address("show", page) if page.display == rules.IFRAME else ""


def _receipt(page: PageSession, key: str = "") -> str:
    ticket = session().get_one(Ticket, page.ticket_id)
    numbers = {"acceptance_no": ticket.acceptance_no}
    if ticket.external_ticket_no:
        numbers["external_ticket_no"] = ticket.external_ticket_no
    back = page.return_url
    if back:
        back += f"{'&' if urlsplit(back).query else '?'}{urlencode(numbers)}"
    return render_template(
        "intake/receipt.html",
        **_frame_context(page),
        key=key,
        frame_url=_frame_url(page),
        ticket={
            **numbers,
            "query_code": ticket.query_code,
            "type_label": title_of(ticket),
            "title": ticket.title,
            "due_text": present.shown(ticket.due_at),
            "place_open": ticket.division_unresolved,
        },
        origin=page.partner.page_origin or "",
        back_url=back,
    )


def _frame_context(page: PageSession | None = None) -> dict[str, Any]:
    return {
        "product_name": current_app.config["SETTINGS"].product_name,
        "partner": page.partner.name if page else "",
        "table": TITLES[page.intake_table][0] if page else "登记",
    }
