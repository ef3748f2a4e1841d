"""What both interfaces share: the request id, reading JSON, and one form for every refusal."""

import uuid
from typing import Any

import orjson
from flask import Flask, Request, Response, current_app, g, request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException

from app.core import logs
from app.core.errors import HotlineError, Invalid
from app.engine.entry import field_errors

JSON = "application/json"


class Malformed(HotlineError):
    """400: not JSON, or not an object."""

    status = 400

    def __init__(self, message: str = "请求体应为 UTF-8 编码的 JSON 对象") -> None:
        super().__init__(message, "MALFORMED")


def request_id() -> str:
    """The id of this request, in every answer and log line."""
    if "request_id" not in g:
        g.request_id = uuid.uuid4().hex
    return str(g.request_id)


def answer(data: Any, status: int = 200) -> Response:
    """A JSON answer by orjson."""
    return Response(orjson.dumps(data), status, mimetype=JSON)


def json_object(raw: bytes | None = None) -> dict[str, Any]:
    """The request's JSON object; Malformed when it is none."""
    body = request.get_data() if raw is None else raw
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed from None
    if not isinstance(value, dict):
        raise Malformed
    return value


def load(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Validate; Invalid names every field."""
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as error:
        raise Invalid(field_errors(error.messages_dict)) from None
    return loaded


def is_api(path: str) -> bool:
    """Whether an error answers a machine."""
    return path.startswith(("/api/", "/openapi/"))


def refuse(error: HotlineError) -> Response:
    """A refusal as JSON."""
    response = answer({**error.payload(), "request_id": request_id()}, error.status)
    if error.status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = "Bearer"
    response.headers.update(wait_of(error))
    return response


def wait_of(error: HotlineError) -> dict[str, str]:
    """The header of a refusal that says when to come again."""
    seconds = error.details.get("retry_after")
    return {} if seconds is None else {"Retry-After": str(seconds)}


_HTTP_CODES = {
    400: ("MALFORMED", "请求格式有误"),
    404: ("NOT_FOUND", "没有这个地址"),
    405: ("METHOD_NOT_ALLOWED", "该地址不支持此方法"),
    413: ("FILE_TOO_LARGE", "请求体过大"),
    415: ("MALFORMED", "不支持的内容类型"),
    429: ("RATE_LIMITED", "请求过于频繁，请稍后重试"),
}


def from_http(error: HTTPException) -> HotlineError:
    """Flask's own refusals in our form."""
    status = error.code or 500
    code, message = _HTTP_CODES.get(status, ("INTERNAL", "请求无法处理"))
    refusal = HotlineError(message, code)
    refusal.status = status
    return refusal


def unexpected(error: Exception) -> HotlineError:
    """A defect: logged by type and place, told to nobody."""
    logs.logger().error(
        "request_failed",
        request_id=request_id(),
        method=request.method,
        path=request.url_rule.rule if request.url_rule else "-",
        exc_info=error if current_app.config.get("LOG_TRACES", True) else None,
        error=type(error).__name__,
    )
    return HotlineError("系统内部错误，数据没有变化，可以重试", "INTERNAL")


def client_ip(from_request: Request | None = None) -> str:
    """The caller's address as the server saw it."""
    return (from_request or request).remote_addr or "-"


def init_app(app: Flask) -> None:
    """Answer machines in JSON; pages register their own way in `ui`."""

    @app.after_request
    def _name_the_request(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        return response
