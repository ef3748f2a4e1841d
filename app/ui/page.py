"""What every page does: know who is there, may they, and draw the frame."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple

from flask import current_app, render_template, request, url_for
from sqlalchemy import func, select

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.engine.models import UserTask
from app.exchange import queries as exchange
from app.notifications import queries as notifications
from app.security.permissions import LEVELS, may, require
from app.security.principal import Principal
from app.security.sessions import session_principal
from app.tickets.queries import tasks_in_scope

LEVEL_LABELS = dict(zip(LEVELS, ("国家", "省级", "市级", "县级"), strict=True))
View = Callable[..., Any]


class SignInFirst(Exception):
    """Nobody is signed in; `wanted` is where they were going."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def permitted(action: str) -> Callable[[View], View]:
    """The view gets the principal first; strangers sign in, the rest is refused with 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def run(**kwargs: Any) -> Any:
            principal = session_principal()
            if principal is None:
                wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
                raise SignInFirst(wanted)
            require(principal, action)
            return view(principal, **kwargs)

        run.permission = action  # type: ignore[attr-defined]
        return run

    return decorate


def draw(
    template: str,
    principal: Principal | None,
    counts: Mapping[str, int] | None = None,
    **context: Any,
) -> str:
    """Render with the frame: product name, user, navigation.

    `counts` are badges of the navigation by key that the view has counted already.
    """
    frame: dict[str, Any] = {
        "product_name": current_app.config["SETTINGS"].product_name,
        "logout_url": url_for("sessions.sign_out"),
        "user": None,
        "bell": None,
        "nav": [],
    }
    if principal is not None:
        frame["user"] = {
            "name": principal.display_name,
            "unit": principal.unit_name,
            "level_label": LEVEL_LABELS.get(principal.level, ""),
        }
        frame["account_url"] = url_for("account.show")
        if not principal.must_change_password:
            frame["bell"] = bell_of(principal)
        frame["nav"] = [_entry(principal, page, counts or {}) for page in _pages(principal)]
    return render_template(template, **frame, **context)


def bell_of(principal: Principal) -> dict[str, Any]:
    """How many notifications wait to be read: one statement, from a partial index."""
    count = notifications.unread_count(principal)
    return {
        "url": url_for("notifications.index", unread=1 if count else None),
        "refresh_url": url_for("notifications.bell"),
        "count": min(count, notifications.MOST - 1),
        "more": count >= notifications.MOST,
    }


def home_of(principal: Principal) -> str:
    """Address of the first page this person may open."""
    pages = _pages(principal)
    return url_for(pages[0].endpoint if pages else "account.show")


class _Page(NamedTuple):
    group: str
    key: str
    label: str
    icon: str
    endpoint: str
    action: str


_PAGES = (
    _Page("工单", "calls", "来电", "telephone-inbound", "calls.index", "call.answer"),
    _Page("工单", "worklist", "待办", "inbox", "worklist.index", "task.view"),
    _Page("工单", "done", "已办", "check2-circle", "worklist.done", "task.view"),
    _Page("工单", "registration", "登记", "pencil-square", "registration.index", "ticket.register"),
    _Page("工单", "tickets", "工单查询", "search", "tickets.index", "ticket.search"),
    _Page("运行", "operations", "运行监控", "plug", "operations.index", "queue.view"),
    _Page("运行", "reconciliation", "每日对账", "files", "reconciliation.index", "queue.view"),
    _Page("运行", "partners", "对接平台", "building", "partners.index", "partner.view"),
    _Page("督办", "overdue", "超期督办", "flag", "overdue.index", "statistics.view"),
    _Page("督办", "statistics", "统计", "bar-chart-line", "statistics.index", "statistics.view"),
    _Page("督办", "trial", "时限试算", "clock-history", "trial.index", "deadline.trial"),
    _Page("督办", "calendar", "工作日历", "calendar3", "calendar.index", "calendar.view"),
    _Page("督办", "policies", "时限政策", "journal-text", "policies.index", "deadline.manage"),
)


def _pages(principal: Principal) -> list[_Page]:
    """None while the password must be changed: its page is all there is."""
    if principal.must_change_password:
        return []
    return [page for page in _PAGES if may(principal, page.action)]


def _entry(principal: Principal, page: _Page, known: Mapping[str, int]) -> dict[str, Any]:
    count = {"worklist": _open_count, "operations": _dead_count}.get(page.key)
    if page.key in known:
        badge = known[page.key]
    else:
        badge = count(principal) if count else 0
    return {
        "group": page.group,
        "key": page.key,
        "label": page.label,
        "icon": page.icon,
        "url": url_for(page.endpoint),
        "count": badge,
    }


def _open_count(principal: Principal) -> int:
    """Open tasks, counted up to a thousand: the badge needs no more."""
    some = select(UserTask.id).where(tasks_in_scope(principal)).limit(1000).subquery()
    return session().scalar(select(func.count()).select_from(some)) or 0


def _dead_count(principal: Principal) -> int:
    return exchange.dead_count(province_scope(principal))


def province_scope(principal: Principal) -> str | None:
    """The province whose platforms a business person looks after; None: technical staff, all."""
    if may(principal, "incident.view"):
        return None
    return principal.division_code[:6]


def read_place(text: str) -> tuple[datetime, int]:
    """The moment and id that a list goes on after; Invalid for anything else."""
    moment, _, number = text.partition("_")
    try:
        at, row_id = datetime.fromisoformat(moment), int(number)
    except ValueError:
        raise _no_place() from None
    if at.tzinfo is None:
        raise _no_place()
    return at, row_id


def _no_place() -> Invalid:
    return Invalid([FieldError("after", "cursor", "翻页游标无效")])
