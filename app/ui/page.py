"""What every page does: know who is there, may they, and draw the frame."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, render_template, request, url_for
from sqlalchemy import func, select

from app.core.db import session
from app.engine.models import UserTask
from app.security.permissions import LEVELS, may, require
from app.security.principal import Principal
from app.security.sessions import session_principal
from app.tickets.queries import tasks_in_scope

LEVEL_LABELS = dict(zip(LEVELS, ("国家", "省级", "市级", "县级"), strict=True))
View = Callable[..., Any]


class SignInFirst(Exception):  # noqa: N818 - a redirection
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


def draw(template: str, principal: Principal | None, **context: Any) -> str:
    """Render with the frame: product name, user, navigation."""
    frame: dict[str, Any] = {
        "product_name": current_app.config["SETTINGS"].product_name,
        "logout_url": url_for("sessions.sign_out"),
        "user": None,
        "nav": [],
    }
    if principal is not None:
        frame["user"] = {
            "name": principal.display_name,
            "unit": principal.unit_name,
            "level_label": LEVEL_LABELS.get(principal.level, ""),
        }
        frame["nav"] = _navigation(principal)
    return render_template(template, **frame, **context)


def _navigation(principal: Principal) -> list[dict[str, Any]]:
    pages = (
        ("worklist", "待办", "inbox", "worklist.index", "task.view"),
        ("done", "已办", "check2-circle", "worklist.done", "task.view"),
        ("tickets", "工单查询", "search", "tickets.index", "ticket.view"),
    )
    return [
        {
            "group": "工单",
            "key": key,
            "label": label,
            "icon": icon,
            "url": url_for(endpoint),
            "count": _open_count(principal) if key == "worklist" else 0,
        }
        for key, label, icon, endpoint, action in pages
        if may(principal, action)
    ]


def _open_count(principal: Principal) -> int:
    """Open tasks, counted up to a thousand: the badge needs no more."""
    some = select(UserTask.id).where(tasks_in_scope(principal)).limit(1000).subquery()
    return session().scalar(select(func.count()).select_from(some)) or 0
