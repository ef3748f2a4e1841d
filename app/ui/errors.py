"""One way out for every refusal: JSON for machines, a page for people, a strip for htmx."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.api import http
from app.core.db import session
from app.core.errors import HotlineError
from app.files.services import MAX_BYTES
from app.security.sessions import session_principal
from app.ui.page import SignInFirst, draw

csrf = CSRFProtect()

_WITH_FILES = frozenset(
    {
        "actions.act",
        "actions.upload",
        "files.upload",
        "tasks.complete",
        "tasks.save_draft",
        "registration.submit",
        "registration.upload",
    }
)
"""Endpoints that take files; a stranger's request is cut off at the ordinary size."""

_OWN_KEY = frozenset({"intake"})
"""Pages without a session: in a partner's frame there is no cookie, their forms carry a key."""

_TITLES = {
    400: "页面已过期",
    403: "没有权限",
    404: "没有找到",
    409: "状态已变化",
    413: "内容过大",
    422: "提交的内容有误",
    500: "系统内部错误",
}


class PageExpired(HotlineError):
    """400: the CSRF token is missing or not this session's."""

    status = 400

    def __init__(self) -> None:
        super().__init__("页面已过期，请返回刷新后重试", "CSRF")


def init_app(app: Flask) -> None:
    """Register the handlers and CSRF protection of everything but the token-bearing interfaces."""
    csrf.init_app(app)

    @app.before_request
    def _protect() -> None:
        if not http.is_api(request.path) and request.blueprint not in _OWN_KEY:
            if request.endpoint in _WITH_FILES and session_principal() is not None:
                # before the token is read: reading it reads the whole form
                request.max_content_length = MAX_BYTES + 1024 * 1024
            csrf.protect()

    @app.errorhandler(HotlineError)
    def _refusal(error: HotlineError) -> AnyResponse:
        if error.code == "PASSWORD_CHANGE_REQUIRED" and not _wants_json():
            return _go(url_for("account.show"))
        return _answer(error)

    @app.errorhandler(SignInFirst)
    def _sign_in(error: SignInFirst) -> AnyResponse:
        return _go(url_for("sessions.sign_in", next=error.wanted), 401)

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> AnyResponse:
        return _answer(PageExpired())

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        return _answer(http.from_http(error))

    @app.errorhandler(DataError)
    def _unstorable(error: DataError) -> AnyResponse:
        # a NUL in an address, a number beyond 64 bits: the sender's mistake, found by the database
        session().rollback()  # which answers nothing more in this transaction, and the page asks
        return _answer(http.Malformed("请求中含有无法处理的字符或数值"))

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> AnyResponse:
        return _answer(http.unexpected(error))


def _wants_json() -> bool:
    return http.is_api(request.path) or request.accept_mimetypes.best == "application/json"


def _go(target: str, status_for_htmx: int = 200) -> AnyResponse:
    if request.headers.get("HX-Request"):
        return Response(status=status_for_htmx, headers={"HX-Redirect": target})
    return redirect(target)


def _answer(error: HotlineError) -> AnyResponse:
    if _wants_json():
        return http.refuse(error)
    request_id = http.request_id() if error.status >= 500 else None
    if request.headers.get("HX-Request"):
        strip = render_template("_refusal.html", message=error.message, request_id=request_id)
        # next to the page's other messages: what was entered below stays as it is
        return Response(
            strip, error.status, headers={"HX-Retarget": "#messages", "HX-Reswap": "innerHTML"}
        )
    page = draw(
        "error.html",
        session_principal() if error.status < 500 else None,
        status=error.status,
        title=_TITLES.get(error.status, "请求无法处理"),
        message=error.message,
        request_id=request_id,
        back_url=_back(),
    )
    return Response(page, error.status)


def _back() -> str:
    """The page of ours this request came from, unless it is the one that was refused."""
    came = urlsplit(request.referrer or "")
    own = came.netloc == request.host and came.path != request.path
    own = own and not came.path.startswith("//")  # as an address it would name another host
    return (came.path + (f"?{came.query}" if came.query else "")) if own and came.path else "/"
