"""The signed door of `/openapi/v1`: who calls, one transaction a request, one form of answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields

from app.api.http import answer, client_ip, request_id
from app.core import clock
from app.core.db import transact
from app.exchange import inbound

SIGNATURE_HEADERS = [
    {"in": "header", "name": name, "required": True, "schema": {"type": "string"}}
    for name in (
        "X-App-Id",
        "X-Timestamp",
        "X-Nonce",
        "X-Sign-Method",
        "X-Body-Digest",
        "X-Signature",
    )
]
MAX_JSON = 1024 * 1024

View = Callable[..., tuple[Any, int]]


class FieldErrorSchema(Schema):
    """One wrong field."""

    field = fields.String()
    rule = fields.String()
    message = fields.String()


class RefusalSchema(Schema):
    """A refusal; `errors` names every wrong field at once."""

    code = fields.String(metadata={"example": "VALIDATION_FAILED"})
    message = fields.String()
    request_id = fields.String()
    errors = fields.List(fields.Nested(FieldErrorSchema))


class DataAnswer(Schema):
    """The envelope of anything else."""

    code = fields.String(metadata={"example": "0"})
    message = fields.String()
    request_id = fields.String()
    data = fields.Raw()


REFUSALS: dict[str, Any] = {
    str(status): {
        "description": text,
        "content": {"application/json": {"schema": RefusalSchema}},
    }
    for status, text in (
        (400, "MALFORMED：不是 JSON"),
        (401, "SIGNATURE_INVALID、TIMESTAMP_SKEW、NONCE_REPLAY、APP_DISABLED"),
        (403, "IP_NOT_ALLOWED"),
        (422, "VALIDATION_FAILED：一次列出全部字段错误"),
    )
}


def signed(*, most: int = MAX_JSON) -> Callable[[View], Callable[..., Response]]:
    """Verify the caller and run the view, all in one transaction.

    The view gets the partner first and returns (data, status); it may run twice after a deadlock.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def run(**kwargs: Any) -> Response:
            request.max_content_length = most
            body = request.get_data()
            headers = dict(request.headers)
            now = clock.now()

            def work() -> tuple[Any, int]:
                partner = inbound.authenticate(
                    request.method,
                    request.path,
                    request.query_string.decode(errors="replace"),
                    headers,
                    body,
                    client_ip(),
                    now,
                )
                return view(partner, **kwargs)

            data, status = transact(work)
            envelope = {"code": "0", "message": "成功", "request_id": request_id(), "data": data}
            return answer(envelope, status)

        return run

    return decorate
