"""`/openapi/v1`: what 12345 decides about our requests (REQUIREMENTS 4.1 I9)."""

from typing import Any

from flask_smorest import Blueprint

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, RefusalSchema, signed
from app.approvals import services
from app.approvals.schemas import RETURN_DECISION, ReturnDecisionSchema
from app.core import clock
from app.exchange.models import Partner
from app.tickets import queries

blueprint = Blueprint("decisions", __name__, url_prefix="/openapi/v1", description="12345 平台批复")


@blueprint.post("/tickets/<acceptance_no>/return-decision")
@blueprint.doc(
    summary="I9 批复退单申请",
    description="approved：1 同意，2 不同意；批复意见必填。同一批复重复提交返回 200，"
    "没有待批复的申请返回 409 REQUEST_NOT_OPEN。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": ReturnDecisionSchema,
                "example": {"approved": 2, "opinion": "来电人户籍在脱贫村，请按政策解释答复。"},
            }
        },
    },
    responses={
        "200": {"description": "已记录", "content": {"application/json": {"schema": DataAnswer}}},
        "404": {"description": "TICKET_NOT_FOUND"},
        "409": {
            "description": "REQUEST_NOT_OPEN",
            "content": {"application/json": {"schema": RefusalSchema}},
        },
        **REFUSALS,
    },
)
@signed()
def decide_return(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """Take 12345's answer to a return request (table 4)."""
    answer = load(RETURN_DECISION, json_object())
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    repeated = services.decide_return(ticket, answer, clock.now())
    return {"acceptance_no": acceptance_no, "duplicate": repeated}, 200
