"""The signed door of `/openapi/v1`: who calls, one transaction a request, one form of answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields

from app.api import door
from app.api.http import answer, request_id
from app.core import clock
from app.core.db import transact
from app.exchange import inbound, signature
from app.exchange.errors import SignatureInvalid

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
        (413, "FILE_TOO_LARGE：请求体过大"),
        (422, "VALIDATION_FAILED：一次列出全部字段错误"),
        (429, "RATE_LIMITED：请求过于频繁，Retry-After 头和 retry_after 为须等待的秒数"),
    )
}


def signed(
    *, most: int = MAX_JSON, streamed: bool = False
) -> Callable[[View], Callable[..., Response]]:
    """Verify the caller by the head of the request, then its body, and run the view.

    The view gets the partner first and returns (data, status); it runs in one transaction, and
    twice after a deadlock. No byte of the body is read before the head is known to be a partner's.
    With `streamed` the body is a form with a file that is never held in memory as a whole.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def run(**kwargs: Any) -> Response:
            claim = signature.claim_of(request.headers)
            door.admit(claim, request.path, request.query_string.decode(errors="replace"))
            request.max_content_length = most
            digest = door.digest_of_form(claim) if streamed else door.digest_of_body(claim)
            if not signature.declares(claim, digest):
                raise SignatureInvalid
            now = clock.now()
            data, status = transact(lambda: view(inbound.enter(claim, now), **kwargs))
            envelope = {"code": "0", "message": "成功", "request_id": request_id(), "data": data}
            return answer(envelope, status)

        return run

    return decorate
