"""Notifications (提醒): what one was told, the bell in the frame, and how one wants to be told."""

from datetime import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.core.db import transact
from app.core.errors import FieldError, Invalid
from app.notifications import preferences, queries, services
from app.notifications.models import Notification
from app.notifications.rules import KINDS, Quiet
from app.security.principal import Principal
from app.ui.page import bell_of, draw, permitted
from app.ui.present import shown

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/notifications")
@permitted("notification.read")
def index(principal: Principal) -> str:
    """One's own, newest first, a page at a time."""
    unread = request.args.get("unread") == "1"
    before = request.args.get("before", type=int)
    found = queries.notifications(principal, unread=unread, before=before)
    rows = found[: queries.PAGE]
    only: dict[str, Any] = {"unread": "1"} if unread else {}
    return draw(
        "notifications/index.html",
        principal,
        active="notifications",
        rows=[_row(row) for row in rows],
        unread=unread,
        newest=rows[0].id if rows and before is None else None,
        any_unread=any(row.read_at is None for row in rows),
        next_url=url_for("notifications.index", before=rows[-1].id, **only)
        if len(found) > queries.PAGE
        else None,
        first_url=url_for("notifications.index", **only) if before else None,
    )


@blueprint.get("/notifications/bell")
@permitted("notification.read")
def bell(principal: Principal) -> str:
    """The bell alone: the frame asks for it now and then, which keeps no session alive."""
    return render_template("notifications/_bell.html", bell=bell_of(principal))


@blueprint.post("/notifications/<int:notification_id>/read")
@permitted("notification.read")
def read(principal: Principal, notification_id: int) -> Response:
    """It is read; on to its ticket, or back to the list."""
    row = transact(lambda: services.mark_read(principal, notification_id, clock.now()))
    if request.form.get("to") == "ticket" and row.business_key:
        return redirect(url_for("tickets.show", acceptance_no=row.business_key), 303)
    return redirect(url_for("notifications.index", unread=request.form.get("unread") or None), 303)


@blueprint.post("/notifications/read")
@permitted("notification.read")
def read_all(principal: Principal) -> Response:
    """Everything up to the newest that the page showed is read."""
    up_to = request.form.get("up_to", 0, type=int)
    transact(lambda: services.mark_all_read(principal, up_to, clock.now()))
    flash("已全部标为已读", "success")
    return redirect(url_for("notifications.index"), 303)


@blueprint.post("/account/notifications")
@permitted("notification.read")
def save_preferences(principal: Principal) -> Response:
    """How one wants to be told from now on."""
    try:
        quiet = _quiet()
        daily = request.form.get("digest") == "daily"
        transact(lambda: preferences.save(principal, daily_digest=daily, quiet=quiet))
    except Invalid as refusal:
        flash("；".join(error.message for error in refusal.errors), "error")
    else:
        flash("提醒设置已保存", "success")
    return redirect(url_for("account.show") + "#notifications", 303)


def preferences_of(principal: Principal) -> dict[str, Any]:
    """What the account page shows of it."""
    own = queries.preference(principal.user_id)
    hook = queries.hook_for(principal.division_code, queries.hooks_by_province())
    own_hours = own is not None and own.quiet_from is not None
    start = own.quiet_from if own and own_hours else None
    end = own.quiet_until if own and own_hours else None
    return {
        "daily": own is not None and own.daily_digest,
        "own_hours": own_hours,
        "quiet_from": f"{start:%H:%M}" if start else "21:00",
        "quiet_until": f"{end:%H:%M}" if end else "08:00",
        "default": f"{hook.quiet_from:%H:%M}–{hook.quiet_until:%H:%M}" if hook else None,
        "phone": principal.phone,
    }


def _quiet() -> Quiet | None:
    if request.form.get("hours") != "own":
        return None
    try:
        return Quiet(
            time.fromisoformat(request.form.get("quiet_from", "")),
            time.fromisoformat(request.form.get("quiet_until", "")),
        )
    except ValueError:
        raise Invalid([FieldError("quiet_from", "format", "请填写免打扰的起止时间")]) from None


def _row(row: Notification) -> dict[str, Any]:
    kind = KINDS[row.kind]
    return {
        "label": kind.label,
        "tone": kind.tone,
        "title": row.title,
        "acceptance_no": row.business_key,
        "at": shown(row.created_at),
        "read": row.read_at is not None,
        "read_url": url_for("notifications.read", notification_id=row.id),
    }
