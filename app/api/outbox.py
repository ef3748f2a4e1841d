"""`/openapi/v1/outbox`: 12345 fetches what we have for it, and confirms it (I17)."""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, Range

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, signed
from app.core import clock
from app.exchange import pull
from app.exchange.models import Partner
from app.tickets.fields import REQUIRED_MESSAGES, CleanText

blueprint = Blueprint("outbox", __name__, url_prefix="/openapi/v1", description="拉取消息")


class _Page(Schema):
    class Meta:
        unknown = EXCLUDE

    after = fields.Integer(
        load_default=0, validate=Range(0, 2**62, error="游标应为本接口返回的 next")
    )
    limit = fields.Integer(load_default=100, validate=Range(1, pull.MOST, error="应为1–500"))


class ReceiptItemSchema(Schema):
    """A receipt for one message."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    event_id = fields.UUID(
        required=True, error_messages={**REQUIRED_MESSAGES, "invalid_uuid": "应为消息的event_id"}
    )
    receipt_no = CleanText(
        most=128, load_default=None, allow_none=True, metadata={"description": "贵方回执编号"}
    )
    code = fields.String(
        load_default="0", metadata={"description": "0 表示已处理；其它表示拒收，转我方人工处理"}
    )


class ReceiptsSchema(Schema):
    """Receipts, in the order of the messages."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    receipts = fields.List(
        fields.Nested(ReceiptItemSchema),
        required=True,
        validate=Length(1, pull.MOST_RECEIPTS, error="应为1–100条"),
        error_messages=REQUIRED_MESSAGES,
    )


_PAGE, _RECEIPTS = _Page(), ReceiptsSchema()


@blueprint.get("/outbox")
@blueprint.doc(
    summary="I17 拉取未确认的消息",
    description="按先后返回尚未确认的消息，body 与推送内容相同；重复拉取返回同样内容，直到确认。"
    "next 作为下一页的 after；没有更多时为 null。送达方式为“由平台自行拉取”的，只能由此取得消息。",
    parameters=[
        *SIGNATURE_HEADERS,
        {"in": "query", "name": "after", "schema": {"type": "integer", "default": 0}},
        {
            "in": "query",
            "name": "limit",
            "schema": {"type": "integer", "default": 100, "minimum": 1, "maximum": pull.MOST},
        },
    ],
    responses={
        "200": {
            "description": "消息",
            "content": {
                "application/json": {
                    "schema": DataAnswer,
                    "example": {
                        "code": "0",
                        "message": "成功",
                        "request_id": "b1f0c2",
                        "data": {
                            "messages": [
                                {
                                    "cursor": 4711,
                                    "event_id": "0b6c2f0e-7f5e-4c55-9d3a-6d9c1f4d2a10",
                                    "event_seq": 1,
                                    "operation": "return-requests",
                                    "idempotency_key": "0b6c2f0e-7f5e-4c55-9d3a-6d9c1f4d2a10",
                                    "acceptance_no": "TS5200002026112300042S",
                                    "body": {
                                        "acceptance_no": "TS5200002026112300042S",
                                        "return_reason": "建议转供水主管部门。",
                                    },
                                }
                            ],
                            "next": None,
                        },
                    },
                }
            },
        },
        **REFUSALS,
    },
)
@signed()
def fetch(partner: Partner) -> tuple[Any, int]:
    """A page of what waits for this platform."""
    wanted = load(_PAGE, dict(request.args))
    found = pull.waiting(partner, wanted["after"], wanted["limit"] + 1, clock.now())
    page = found[: wanted["limit"]]
    following = page[-1]["cursor"] if len(found) > len(page) else None
    return {"messages": page, "next": following}, 200


@blueprint.post("/outbox/ack")
@blueprint.doc(
    summary="I17 确认消息",
    description="逐条应答：0 已确认（重复确认 duplicate=true）；"
    "OUT_OF_ORDER 同一工单有更早的消息未确认；MESSAGE_NOT_FOUND；"
    "INTERNAL 可再次确认。确认与推送时的应答同等效力。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": ReceiptsSchema,
                "example": {
                    "receipts": [
                        {
                            "event_id": "0b6c2f0e-7f5e-4c55-9d3a-6d9c1f4d2a10",
                            "receipt_no": "GZ12345-20261124-000001",
                        }
                    ]
                },
            }
        },
    },
    responses={
        "200": {"description": "逐条结果", "content": {"application/json": {"schema": DataAnswer}}},
        **REFUSALS,
    },
)
@signed()
def acknowledge(partner: Partner) -> tuple[Any, int]:
    """Receipts of messages that were fetched."""
    receipts = load(_RECEIPTS, json_object())["receipts"]
    return {"results": pull.acknowledge(partner, receipts, clock.now())}, 200
