"""Operations (运行监控): what broke, what did not arrive, and how each platform is doing.

Province operators look after their own province's platforms; technical staff see all of them, and
nobody's personal data: messages stay sealed, errors are codes.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.api.http import client_ip
from app.core import clock
from app.core.db import transact
from app.core.errors import FieldError, HotlineError, Invalid
from app.engine import incidents
from app.engine.failures import ActionFailed
from app.engine.models import Incident
from app.exchange import outbox
from app.exchange import queries as exchange
from app.exchange.errors import UnknownPartner
from app.exchange.models import OutboundAttempt
from app.exchange.rules import OPERATIONS
from app.notifications import messages
from app.notifications import queries as notifications
from app.notifications.errors import UnknownHook
from app.security import access
from app.security.permissions import may
from app.security.principal import Principal
from app.ui import present
from app.ui.page import draw, permitted, province_scope

blueprint = Blueprint("operations", __name__)

PAGE = 50
REASON = 5, 200
"""Fewest and most characters of a reason."""

_ACTIONS = {
    "start": "启动流程",
    "complete_task": "办理待办",
    "raise_event": "触发事件",
    "cancel": "终止流程",
    "deliver_message": "送达消息",
    "fire_due": "到期处理",
}


@blueprint.get("/operations")
@permitted("queue.view")
def index(principal: Principal) -> str:
    """The monitor."""
    now = clock.now()
    scope = province_scope(principal)
    health = exchange.partner_health(now, province_code=scope)
    names = {line.partner_id: line.name for line in health}
    after = request.args.get("after", 0, type=int)
    found = exchange.dead_messages(province_code=scope, after=after, limit=PAGE + 1)
    dead = found[:PAGE]
    may_see_incidents = may(principal, "incident.view")
    return draw(
        "operations/index.html",
        principal,
        active="operations",
        partners=[_partner(line, now) for line in health],
        dead=[_message(principal, row, names.get(row.partner_id, "")) for row in dead],
        late=[
            _late(principal, row, names.get(row.partner_id, ""), now)
            for row in exchange.late_messages(now, province_code=scope, limit=PAGE)
        ],
        next_url=url_for("operations.index", after=dead[-1].message_id)
        if len(found) > PAGE
        else None,
        first_url=url_for("operations.index") if after else None,
        may_replay=may(principal, "queue.replay"),
        may_see_incidents=may_see_incidents,
        incidents=[_incident(row) for row in incidents.open_incidents()]
        if may_see_incidents
        else [],
        may_retry=may(principal, "incident.retry"),
        reason_length=REASON,
        hooks=[_hook(line, now) for line in notifications.hook_health(scope)],
    )


@blueprint.get("/operations/partners/<int:partner_id>")
@permitted("queue.view")
def partner(principal: Principal, partner_id: int) -> str:
    """How deliveries to one platform go, try by try."""
    now = clock.now()
    health = exchange.partner_health(now, province_code=province_scope(principal))
    line = next((each for each in health if each.partner_id == partner_id), None)
    if line is None:
        raise UnknownPartner
    failed = request.args.get("failed") == "1"
    found = exchange.attempts_at(partner_id, failed=failed, before=_place(), limit=PAGE + 1)
    rows = found[:PAGE]
    here: dict[str, Any] = {"partner_id": partner_id, "failed": 1 if failed else None}
    last = rows[-1][0] if len(found) > PAGE else None
    return draw(
        "operations/partner.html",
        principal,
        active="operations",
        partner=_partner(line, now),
        failures=failed,
        all_url=url_for("operations.partner", partner_id=partner_id),
        failed_url=url_for("operations.partner", partner_id=partner_id, failed=1),
        rows=[_attempt(principal, *row) for row in rows],
        next_url=url_for(
            "operations.partner", **here, at=last.attempted_at.isoformat(), before=last.id
        )
        if last
        else None,
        first_url=url_for("operations.partner", **here) if request.args.get("before") else None,
        list_url=url_for("operations.index"),
        profile_url=url_for("partners.show", partner_id=partner_id)
        if may(principal, "partner.view")
        else None,
    )


@blueprint.post("/operations/messages/<int:message_id>/resend")
@permitted("queue.replay")
def resend(principal: Principal, message_id: int) -> Response:
    """Put a message that was given up back into its queue (手工重发)."""

    def work() -> None:
        message = exchange.message_of(message_id, province_code=province_scope(principal))
        outbox.resend(message_id, actor=principal.display_name)
        _record(principal, "queue.resend", "message", message_id, ticket=message.business_key)

    return _back(work, "已重新排队，稍后自动发送")


@blueprint.post("/operations/messages/<int:message_id>/settle")
@permitted("queue.replay")
def settle(principal: Principal, message_id: int) -> Response:
    """The platform was told by other means (标记已线下反馈); the ticket goes on."""

    def work() -> None:
        reason = _reason()
        message = exchange.message_of(message_id, province_code=province_scope(principal))
        outbox.settle_offline(message_id, reason, actor=principal.display_name, now=clock.now())
        _record(
            principal,
            "queue.settle",
            "message",
            message_id,
            reason=reason,
            ticket=message.business_key,
        )

    return _back(work, "已标记为线下反馈")


@blueprint.post("/operations/hooks/<int:unit_id>/resend")
@permitted("queue.replay")
def resend_notifications(principal: Principal, unit_id: int) -> Response:
    """Try the hook's notifications again that were given up."""

    def work() -> None:
        _require_hook(principal, unit_id)
        count = messages.resend_dead(unit_id, actor=principal.display_name)
        _record(principal, "queue.resend", "hook", unit_id, messages=count)

    return _back(work, "已重新排队，稍后自动发送")


@blueprint.post("/operations/hooks/<int:unit_id>/drop")
@permitted("queue.replay")
def drop_notifications(principal: Principal, unit_id: int) -> Response:
    """Give them up for good; they can be read in the product all the same."""

    def work() -> None:
        _require_hook(principal, unit_id)
        reason = _reason()
        count = messages.drop_dead(unit_id, reason, actor=principal.display_name)
        _record(principal, "queue.settle", "hook", unit_id, reason=reason, messages=count)

    return _back(work, "已作罢")


@blueprint.post("/operations/incidents/<int:incident_id>/retry")
@permitted("incident.retry")
def retry(principal: Principal, incident_id: int) -> Response:
    """Do the action again that broke; a new failure is counted on the same incident."""

    def work() -> None:
        incidents.retry(incident_id, by=principal.display_name, now=clock.now())
        _record(principal, "incident.retry", "incident", incident_id, outcome="resolved")

    def note_failure() -> None:
        _record(principal, "incident.retry", "incident", incident_id, outcome="failed")

    try:
        return _back(work, "重试成功，异常事件已关闭")
    except ActionFailed:
        transact(note_failure)
        flash("重试仍未成功，已记录，请联系技术人员", "error")
        return redirect(url_for("operations.index"))


@blueprint.post("/operations/incidents/<int:incident_id>/dismiss")
@permitted("incident.retry")
def dismiss(principal: Principal, incident_id: int) -> Response:
    """Close an incident whose matter was settled another way; the reason is kept on record."""

    def work() -> None:
        reason = _reason()
        incidents.dismiss(incident_id, by=principal.display_name, now=clock.now())
        _record(principal, "incident.dismiss", "incident", incident_id, reason=reason)

    return _back(work, "异常事件已关闭")


def _back(work: Callable[[], None], success: str) -> Response:
    """One transaction, then the monitor again with what came of it."""
    try:
        transact(work)
    except ActionFailed:
        raise
    except HotlineError as refusal:
        if refusal.status not in (409, 422):
            raise
        texts = [error.message for error in refusal.errors] or [refusal.message]
        flash("；".join(texts), "error")
    else:
        flash(success, "success")
    return redirect(url_for("operations.index"))


def _reason() -> str:
    reason = " ".join(request.form.get("reason", "").split())
    least, most = REASON
    if not least <= len(reason) <= most:
        raise Invalid([FieldError("reason", "length", f"请填写说明，{least}–{most} 个字")])
    return reason


def _record(
    principal: Principal,
    action: str,
    kind: str,
    number: int,
    reason: str | None = None,
    **detail: Any,
) -> None:
    access.record(
        principal,
        action,
        kind,
        number,
        ip=client_ip(),
        now=clock.now(),
        reason=reason,
        detail=detail,
    )


def _message(principal: Principal, row: exchange.Delivery, partner: str) -> dict[str, Any]:
    ticket = row.business_key
    return {
        "operation": row.title,
        "partner": partner,
        "ticket": ticket,
        "ticket_url": url_for("tickets.show", acceptance_no=ticket)
        if may(principal, "ticket.view")
        else None,
        "attempts": row.attempts,
        "error": present.delivery_error(row.last_error),
        "created_at": present.shown(row.created_at),
        "resend_url": url_for("operations.resend", message_id=row.message_id),
        "settle_url": url_for("operations.settle", message_id=row.message_id),
    }


def _late(
    principal: Principal, row: exchange.Delivery, partner: str, now: datetime
) -> dict[str, Any]:
    """A message that should have arrived; red once its province has been told."""
    alarmed = row.alarm_at is not None and now >= row.alarm_at
    return {
        **_message(principal, row, partner),
        "due_text": present.shown(row.due_at),
        "tone": "red" if alarmed else "orange",
    }


def _state(
    line: exchange.PartnerHealth | notifications.HookHealth, now: datetime
) -> tuple[str, str]:
    """How a destination is doing, and the colour of that."""
    if not line.enabled:
        return "已停用", ""
    if line.resting_until is not None and line.resting_until > now:
        return f"暂停发送至 {present.shown(line.resting_until)}", "red"
    if line.dead:
        return "有未送达", "red"
    if line.failures_in_a_row:
        return f"连续失败 {line.failures_in_a_row} 次", "orange"
    return "正常", "green"


def _place() -> tuple[datetime, int] | None:
    number = request.args.get("before", type=int)
    try:
        moment = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        return None
    return (moment, number) if number is not None and moment.tzinfo else None


def _attempt(
    principal: Principal, row: OutboundAttempt, ticket: str, operation: str
) -> dict[str, Any]:
    pretty = orjson.OPT_INDENT_2
    return {
        "at": present.shown(row.attempted_at),
        "operation": OPERATIONS.get(operation, operation),
        "ticket": ticket,
        "ticket_url": url_for("tickets.show", acceptance_no=ticket)
        if may(principal, "ticket.view")
        else None,
        "status": row.status,
        "ms": row.ms,
        "error": present.delivery_error(row.error) if row.error else "",
        "request": orjson.dumps(row.request_masked, option=pretty).decode(),
        "response": orjson.dumps(row.response_masked, option=pretty).decode(),
    }


def _partner(line: exchange.PartnerHealth, now: datetime) -> dict[str, Any]:
    label, tone = _state(line, now)
    return {
        "name": line.name,
        "app_id": line.app_id,
        "url": url_for("operations.partner", partner_id=line.partner_id),
        "label": label,
        "tone": tone,
        "waiting": line.waiting,
        "dead": line.dead,
        "last_success_at": present.shown(line.last_success_at),
        "p95": f"{line.p95_ms} 毫秒" if line.p95_ms is not None else "",
        "reason": present.delivery_error(line.reason) if line.failures_in_a_row else "",
    }


def _require_hook(principal: Principal, unit_id: int) -> None:
    """UnknownHook unless it is one this person looks after."""
    lines = notifications.hook_health(province_scope(principal))
    if all(line.unit_id != unit_id for line in lines):
        raise UnknownHook


def _hook(line: notifications.HookHealth, now: datetime) -> dict[str, Any]:
    label, tone = _state(line, now)
    return {
        "name": line.unit_name,
        "label": label,
        "tone": tone,
        "quiet": f"{line.quiet_from:%H:%M}–{line.quiet_until:%H:%M}",
        "waiting": line.waiting,
        "dead": line.dead,
        "reason": present.delivery_error(line.reason) if line.reason else "",
        "resend_url": url_for("operations.resend_notifications", unit_id=line.unit_id),
        "drop_url": url_for("operations.drop_notifications", unit_id=line.unit_id),
    }


def _incident(row: Incident) -> dict[str, Any]:
    return {
        "id": row.id,
        "ticket": row.business_key,
        "action": _ACTIONS.get(row.action, row.action),
        "place": row.element_id,
        "error": row.error,
        "attempts": row.attempts,
        "at": present.shown(row.at),
        "retry_url": url_for("operations.retry", incident_id=row.id),
        "dismiss_url": url_for("operations.dismiss", incident_id=row.id),
    }
