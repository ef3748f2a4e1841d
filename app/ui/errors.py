"""One way out for every refusal: JSON for machines, a page for people."""

from typing import Any

from flask import Flask, Response, current_app, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.api import http
from app.core.errors import HotlineError
from app.files.services import MAX_BYTES
from app.ui.page import SignInFirst

csrf = CSRFProtect()

_WITH_FILES = frozenset({"files.upload", "tasks.complete"})

_TITLES = {
    403: "没有权限",
    404: "没有找到",
    409: "状态已变化",
    422: "提交的内容有误",
    500: "系统内部错误",
}


def init_app(app: Flask) -> None:
    """Register the handlers and CSRF protection of everything but the token-bearing interfaces."""
    csrf.init_app(app)

    @app.before_request
    def _protect() -> None:
        if not http.is_api(request.path):
            if request.endpoint in _WITH_FILES:  # reading the token already reads the whole form
                request.max_content_length = MAX_BYTES + 1024 * 1024
            csrf.protect()

    @app.errorhandler(HotlineError)
    def _refusal(error: HotlineError) -> AnyResponse:
        return _answer(error)

    @app.errorhandler(SignInFirst)
    def _sign_in(error: SignInFirst) -> AnyResponse:
        target = url_for("sessions.sign_in", next=error.wanted)
        if request.headers.get("HX-Request"):
            return Response(status=401, headers={"HX-Redirect": target})
        return redirect(target)

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> AnyResponse:
        refusal = HotlineError("页面已过期，请返回刷新后重试", "CSRF")
        refusal.status = 400  # type: ignore[misc]
        return _answer(refusal)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        return _answer(http.from_http(error))

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> AnyResponse:
        return _answer(http.unexpected(error))


def _answer(error: HotlineError) -> AnyResponse:
    if http.is_api(request.path) or request.accept_mimetypes.best == "application/json":
        return http.refuse(error)
    page = render_template(
        "error.html",
        product_name=current_app.config["SETTINGS"].product_name,
        status=error.status,
        title=_TITLES.get(error.status, "请求无法处理"),
        message=error.message,
        request_id=http.request_id() if error.status >= 500 else None,
    )
    return Response(page, error.status)
