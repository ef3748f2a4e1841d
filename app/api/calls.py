"""`/openapi/v1/calls`: 12345 announces a call it puts through (I19), so that the seat knows it."""

from typing import Any

from flask_smorest import Blueprint
from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Regexp

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, RefusalSchema, signed
from app.calls import services
from app.core import clock
from app.core.db import session
from app.core.errors import Invalid
from app.engine.registry import SYSTEM
from app.exchange import inbound
from app.exchange.models import Partner
from app.tickets import rules
from app.tickets.fields import REQUIRED_MESSAGES, CallerNumber, CleanText, Moment
from app.tickets.models import Ticket

blueprint = Blueprint("calls_api", __name__, url_prefix="/openapi/v1", description="话务转接")


class CallSchema(Schema):
    """A call that is being put through."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    call_id = CleanText(
        most=64, least=1, digits=True, required=True, metadata={"description": "贵方话务流水号"}
    )
    caller_number = CallerNumber(
        required=True,
        metadata={"description": "来电人的原始号码，不是转接中继号；隐藏时为 unknown"},
    )
    from_operator = fields.String(
        required=True,
        validate=Regexp(r"\A[A-Za-z0-9_-]{1,32}\Z", error="工号为1–32位字母、数字、_或-"),
        error_messages={**REQUIRED_MESSAGES, "invalid": "应为文字"},
        metadata={"description": "转出坐席工号"},
    )
    called_at = Moment(load_default=None, metadata={"description": "来电时间，缺省为收到本消息时"})


_CALL = CallSchema()
_EXAMPLE = {
    "call_id": "GZ-20261123-0007781",
    "caller_number": "13800001234",
    "from_operator": "GZ12345-0231",
}


@blueprint.post("/calls")
@blueprint.doc(
    summary="I19 来电预告",
    description="话务转接模式下，外呼 12317 坐席前推送来电号码，坐席屏幕即弹出来电和历史工单。"
    "以 call_id 为幂等键。工单转接模式的省份返回 409 MODE。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": CallSchema, "example": _EXAMPLE}},
    },
    responses={
        "201": {"description": "已登记", "content": {"application/json": {"schema": DataAnswer}}},
        "200": {"description": "重复", "content": {"application/json": {"schema": DataAnswer}}},
        "409": {
            "description": "MODE、IDEMPOTENCY_CONFLICT",
            "content": {"application/json": {"schema": RefusalSchema}},
        },
        **REFUSALS,
    },
)
@signed()
def announce(partner: Partner) -> tuple[Any, int]:
    """A call is on its way: a draft ticket waits for the seat that answers."""
    payload = json_object()
    now = clock.now()
    body = load(_CALL, payload)
    arrived_at = body["called_at"] or now
    problems, _hints = rules.call_time_problems(arrived_at, now)
    if problems:
        raise Invalid(problems)

    def work() -> dict[str, Any]:
        call = services.open_call(
            services.province_of(partner),
            body["caller_number"],
            operator_no=body["from_operator"],
            actor=SYSTEM,
            now=now,
            arrived_at=arrived_at,
            call_id=body["call_id"],
            partner=partner,
        )
        number = session().get_one(Ticket, call.ticket_id).acceptance_no
        return {"call_id": call.call_id, "acceptance_no": number}

    data, duplicate = inbound.idempotent(
        f"{partner.app_id}:call", body["call_id"], inbound.fingerprint(payload), work
    )
    return {**data, "duplicate": duplicate}, 200 if duplicate else 201
