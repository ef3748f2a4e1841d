"""Who is behind this request: browser sessions and bearer tokens.

The signed cookie carries a random token; the session itself is a row, so signing out, an idle
quarter of an hour, twelve hours, or disabling the account end it for every copy of the cookie.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from flask import Flask, Response, current_app, g, request
from flask import session as cookie
from sqlalchemy import delete, update

from app.config import Settings
from app.core import clock
from app.core.db import session, transact
from app.security import access
from app.security.models import LoginSession
from app.security.principal import Principal
from app.security.queries import Holder, holder_of_session
from app.security.tokens import holder_for_token, token_hash, touch_token

ABSOLUTE = timedelta(hours=12)
BACKGROUND_HEADER = "X-Background"
"""Requests a page makes by itself carry it; they do not keep an idle session alive."""
_COOKIE_KEY = "login"


def init_app(app: Flask) -> None:
    """Note the use of sessions and tokens after requests. `factory` calls it once."""
    app.after_request(_note_use)


def sign_in(principal: Principal, ip: str | None) -> None:
    """Open a session with a new id for this browser; whatever the cookie held before is dropped.

    Call it in the transaction of `authenticate` or in a later one.
    """
    now = clock.now()
    cookie.clear()
    token = secrets.token_urlsafe(32)
    session().add(
        LoginSession(
            token_hash=token_hash(token),
            user_id=principal.user_id,
            created_at=now,
            last_seen_at=now,
            ip=ip,
        )
    )
    session().flush()
    cookie[_COOKIE_KEY] = token
    cookie.permanent = True
    g.pop("security_holder", None)


def sign_out(ip: str | None) -> None:
    """End this browser's session for good. Call it in a transaction."""
    principal = session_principal()
    token = cookie.get(_COOKIE_KEY)
    cookie.clear()
    if token:
        session().execute(delete(LoginSession).where(LoginSession.token_hash == token_hash(token)))
    if principal:
        access.record(principal, "session.close", "user", principal.user_id, ip=ip, now=clock.now())
    g.pop("security_holder", None)


def session_principal() -> Principal | None:
    """Who is signed in with this browser; asked once per request (one select), then remembered."""
    return _remembered(_from_cookie)


def bearer_principal() -> Principal | None:
    """Who presents the `Authorization: Bearer` token; one select per request, then remembered."""
    return _remembered(_from_header)


def current_principal() -> Principal | None:
    """Whoever acts: the bearer of a token where one is presented, else the browser's user."""
    if request.headers.get("Authorization"):
        return bearer_principal()
    return session_principal()


def _remembered(load: Callable[[], Holder | None]) -> Principal | None:
    known = g.setdefault("security_holder", {})
    if load not in known:
        known[load] = load()
    holder = cast("Holder | None", known[load])
    return holder.principal if holder else None


def _from_cookie() -> Holder | None:
    token = cookie.get(_COOKIE_KEY)
    if not token:
        return None
    settings = cast(Settings, current_app.config["SETTINGS"])
    idle = timedelta(minutes=settings.session_idle_minutes)
    holder = holder_of_session(token_hash(token), clock.now(), idle, ABSOLUTE)
    if holder is None:
        cookie.pop(_COOKIE_KEY)
    return holder


def _from_header() -> Holder | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return holder_for_token(token.strip(), clock.now())


def _note_use(response: Response) -> Response:
    """After the view's own transaction: once a minute per session, once an hour per token."""
    known = g.get("security_holder") or {}
    by_cookie, by_token = known.get(_from_cookie), known.get(_from_header)
    if by_cookie and by_cookie.stale and BACKGROUND_HEADER not in request.headers:
        _write(lambda: _touch_session(by_cookie.key))
    if by_token and by_token.stale:
        _write(lambda: touch_token(by_token.key, clock.now()))
    return response


def _write(work: Callable[[], None]) -> None:
    session().rollback()  # what a view changed and did not commit is not ours to commit
    transact(work)


def _touch_session(key: bytes) -> None:
    session().execute(
        update(LoginSession).where(LoginSession.token_hash == key).values(last_seen_at=clock.now())
    )
