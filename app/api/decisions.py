"""`/openapi/v1`: what 12345 decides about our requests (REQUIREMENTS 4.1 I9, I10)."""

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, RefusalSchema, signed
from app.approvals import extensions, services
from app.approvals.schemas import (
    EXTENSION_DECISION,
    RETURN_DECISION,
    ExtensionDecisionSchema,
    ReturnDecisionSchema,
)
from app.core import clock
from app.exchange.models import Partner
from app.tickets import queries
from app.tickets.services import beijing

blueprint = Blueprint("decisions", __name__, url_prefix="/openapi/v1", description="12345 平台批复")

_ANSWERS: dict[str, Any] = {
    "200": {"description": "已记录", "content": {"application/json": {"schema": DataAnswer}}},
    "404": {"description": "TICKET_NOT_FOUND"},
    "409": {
        "description": "REQUEST_NOT_OPEN",
        "content": {"application/json": {"schema": RefusalSchema}},
    },
    **REFUSALS,
}
_REPEATS = (
    "同一批复重复提交返回 200，没有待批复的申请返回 409 REQUEST_NOT_OPEN。"
    "同一工单第二次申请起，须以 request_no 指明批复哪一次申请。"
)


def _body(schema: type[Schema], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": True, "content": content}


@blueprint.post("/tickets/<acceptance_no>/return-decision")
@blueprint.doc(
    summary="I9 批复退单申请",
    description=f"approved：1 同意，2 不同意；批复意见必填。{_REPEATS}",
    parameters=SIGNATURE_HEADERS,
    requestBody=_body(
        ReturnDecisionSchema,
        {"approved": 2, "opinion": "来电人户籍在脱贫村，请按政策解释答复。"},
    ),
    responses=_ANSWERS,
)
@signed()
def decide_return(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """Take 12345's answer to a return request (table 4)."""
    answer = load(RETURN_DECISION, json_object())
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    repeated = services.decide_return(ticket, answer, clock.now())
    return {"acceptance_no": acceptance_no, "duplicate": repeated}, 200


@blueprint.post("/tickets/<acceptance_no>/extension-decision")
@blueprint.doc(
    summary="I10 批复延期申请",
    description="approved：1 同意，2 不同意；批复意见必填；approved_days 可选，不填即按申请的天数，"
    "不得超过申请的天数，不同意时不得填写。"
    f"{_REPEATS}",
    parameters=SIGNATURE_HEADERS,
    requestBody=_body(
        ExtensionDecisionSchema,
        {"approved": 1, "opinion": "同意延期，请抓紧办理。", "approved_days": 10},
    ),
    responses=_ANSWERS,
)
@signed()
def decide_extension(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """Take 12345's answer to an extension request (table 5)."""
    answer = load(EXTENSION_DECISION, json_object())
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    repeated = extensions.answer(ticket, answer, clock.now())
    due_at = beijing(ticket.due_at)
    return {"acceptance_no": acceptance_no, "duplicate": repeated, "due_at": due_at}, 200
