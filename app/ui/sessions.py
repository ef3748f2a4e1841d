"""Signing in and out (登录、退出)."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, request, url_for

from app.api.http import client_ip
from app.core import clock
from app.core.clock import BEIJING
from app.core.db import transact
from app.security import sessions
from app.security.signin import SignIn, authenticate
from app.ui.page import draw

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/login")
def sign_in() -> Any:
    """The sign-in page; who is signed in goes on to the worklist."""
    if sessions.session_principal() is not None:
        return redirect(url_for("worklist.home"))
    return _page()


@blueprint.post("/login")
def sign_in_now() -> Any:
    """Check the password; a failure tells neither what was wrong nor which names exist."""
    username = request.form.get("username", "")
    password = request.form.get("password", "")
    ip = client_ip()

    def work() -> SignIn:
        outcome = authenticate(username, password, ip, clock.now())
        if outcome.principal is not None:
            sessions.sign_in(outcome.principal, ip)
        return outcome

    outcome = transact(work)
    if outcome.principal is None:
        return _page(username=username, failure=outcome.refusal), 401
    if outcome.last_login_at is not None:
        shown = outcome.last_login_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        flash(f"上次登录：{shown}，来自 {outcome.last_login_ip or '未知地址'}", "success")
    return redirect(_safe(request.form.get("next")))


@blueprint.post("/logout")
def sign_out() -> Any:
    """End the session for good."""
    transact(lambda: sessions.sign_out(client_ip()))
    return redirect(url_for("sessions.sign_in"))


def _page(**context: Any) -> str:
    return draw(
        "login.html",
        None,
        login_url=url_for("sessions.sign_in_now"),
        next=_safe(request.values.get("next")),
        **context,
    )


def _safe(target: str | None) -> str:
    """Only an address of our own: nobody is sent elsewhere after signing in."""
    if not target:
        return url_for("worklist.home")
    parts = urlsplit(target)
    own = not parts.scheme and not parts.netloc and target.startswith("/")
    return target if own and not target.startswith(("//", "/\\")) else url_for("worklist.home")
