"""`/api/v1/tickets`: staff systems register letters, visits, e-mails and national matters."""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from app.api.http import json_object, load
from app.api.staff import permitted
from app.core import clock
from app.core.errors import FieldError, Invalid
from app.exchange import inbound
from app.security.principal import Principal
from app.tickets import registration
from app.tickets.access import actor_of
from app.tickets.fields import REQUIRED_MESSAGES
from app.tickets.services import Receipt
from app.tickets.sources import SOURCES
from app.tickets.types import TABLES

blueprint = Blueprint("registrations", __name__, url_prefix="/api/v1", description="登记工单")

_ENTERED = [code for code, source in SOURCES.items() if source.levels]
_LONGEST_KEY = 128


class RegisterSchema(Schema):
    """Body of a registration: the source, the intake table, and the table's fields."""

    source = fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=OneOf(_ENTERED, error="没有这种登记来源"),
        metadata={"description": "、".join(f"{c} {SOURCES[c].title}" for c in _ENTERED)},
    )
    table = fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=OneOf(list(TABLES), error="没有这种登记表"),
    )
    values = fields.Dict(keys=fields.String(), required=True, error_messages=REQUIRED_MESSAGES)


_REGISTER = RegisterSchema()
_EXAMPLE = {
    "source": "letter",
    "table": "complaint",
    "values": {
        "called_at": "2026-11-20T09:00:00+08:00",
        "is_anonymous": False,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "division_code": "520328104205",
        "content": "来信反映村级公益岗位补助发放不及时。",
        "problem_category": 6,
    },
}


@blueprint.post("/tickets")
@blueprint.doc(
    summary="登记来信、来访、来邮、国家转办件",
    description="与登记页面同一套校验，全部字段错误一次返回。带 Idempotency-Key 请求头时，"
    "同一登记重复提交返回同一受理编号（200）。",
    parameters=[{"in": "header", "name": "Idempotency-Key", "schema": {"type": "string"}}],
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": RegisterSchema, "example": _EXAMPLE}},
    },
    security=[{"bearer": []}],
)
@permitted("ticket.register", writes=True)
def register(principal: Principal) -> tuple[Any, int]:
    """Register a ticket; its number, query code and due date."""
    payload = json_object()
    body = load(_REGISTER, payload)
    source = registration.source_for(principal, body["source"])
    now = clock.now()
    taken = registration.read(source, body["table"], body["values"], principal, now)

    def work() -> dict[str, Any]:
        ticket = registration.register(source, taken, principal, actor_of(principal), now)
        return Receipt(ticket, taken.warnings).as_data()

    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return work(), 201
    if len(key) > _LONGEST_KEY:
        raise Invalid([FieldError("Idempotency-Key", "length", f"最多{_LONGEST_KEY}个字符")])
    data, duplicate = inbound.idempotent(
        f"register:{principal.user_id}", key, inbound.fingerprint(payload), work
    )
    return {**data, "duplicate": duplicate}, 200 if duplicate else 201
