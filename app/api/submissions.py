"""`/openapi/v1`: a 12345 platform submits tickets (I1–I3), one address an intake table."""

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.http import json_object
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, RefusalSchema, signed
from app.core import clock
from app.core.errors import HotlineError, Invalid
from app.engine.errors import UnknownDefinition
from app.exchange import inbound
from app.exchange.models import Partner
from app.tickets import intake, services
from app.tickets.types import TABLES

blueprint = Blueprint("submissions", __name__, url_prefix="/openapi/v1", description="提交工单")


class WarningSchema(Schema):
    """A hint beside a success."""

    code = fields.String()
    field = fields.String()
    message = fields.String()


class ReceiptSchema(Schema):
    """受理回执."""

    acceptance_no = fields.String(metadata={"example": "TS5200002026112300042S"})
    external_ticket_no = fields.String()
    received_at = fields.DateTime()
    due_at = fields.DateTime()
    query_code = fields.String()
    duplicate = fields.Boolean()
    warnings = fields.List(fields.Nested(WarningSchema))


class ReceiptAnswer(Schema):
    """The envelope of a receipt."""

    code = fields.String(metadata={"example": "0"})
    message = fields.String(metadata={"example": "成功"})
    request_id = fields.String()
    data = fields.Nested(ReceiptSchema)


_CALL = {
    "operator_no": "GZ12345-0231",
    "caller_number": "13800001234",
    "called_at": "2026-11-23T09:20:11+08:00",
    "division_code": "520328104205",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "投诉举报": {
        "external_ticket_no": "GZ12345-20261123-000981",
        **_CALL,
        "is_anonymous": False,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "detail_address": "三组",
        "target_info": "村委会主任王某",
        "content": "反映危房改造补助资金未按标准发放。",
        "problem_category": 3,
        "required_completion_date": "2026-12-14",
        "attachments": [],
    },
    "自主申报": {
        "external_ticket_no": "GZ12345-20261123-000982",
        **_CALL,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "id_card_no": "11010519491231002X",
        "detail_address": "三组",
        "content": "户主突发疾病住院，自付医疗费约6万元，家中无其他劳动力，申请纳入监测帮扶。",
        "poverty_risk": [1, 9],
        "poverty_risk_note": "房屋受潮，需要修缮",
        "household_head": "李某某",
        "relation": "本人",
    },
    "咨询": {
        "external_ticket_no": "GZ12345-20261123-000983",
        **_CALL,
        "caller_category": 2,
        "service_type": 1,
        "problem_category": 9,
        "content_summary": "咨询脱贫人口小额信贷的申请条件和办理地点。",
        "callback_phone": "13800001234",
    },
    "建议": {
        "external_ticket_no": "GZ12345-20261123-000984",
        **_CALL,
        "caller_category": "扶贫工作人员",
        "service_type": "建议",
        "problem_category": 13,
        "content_summary": "建议在通组公路的急弯处加装护栏和反光镜。",
    },
}
"""Bodies that are accepted as they are."""

_DESCRIPTION = (
    "以（应用，external_ticket_no）为幂等键，各类工单共用：内容相同的重复提交返回原回执（200，duplicate=true），"
    "内容不同返回 409 IDEMPOTENCY_CONFLICT。所有字段错误一次返回。"
)


def _document(table: str, summary: str, *examples: str) -> dict[str, Any]:
    """The description of one address of submissions."""
    receipt = {"content": {"application/json": {"schema": ReceiptAnswer}}}
    return {
        "summary": summary,
        "description": _DESCRIPTION,
        "parameters": SIGNATURE_HEADERS,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": type(TABLES[table]),
                    "examples": {name: {"value": EXAMPLES[name]} for name in examples},
                }
            },
        },
        "responses": {
            "201": {"description": "已受理", **receipt},
            "200": {"description": "重复提交，返回原回执", **receipt},
            "409": {
                "description": "IDEMPOTENCY_CONFLICT",
                "content": {"application/json": {"schema": RefusalSchema}},
            },
            **REFUSALS,
        },
    }


@blueprint.post("/complaints")
@blueprint.doc(**_document("complaint", "I1 提交投诉举报", "投诉举报"))
@signed()
def submit_complaint(partner: Partner) -> tuple[Any, int]:
    """Receive a complaint (table 2)."""
    return _submit(partner, "complaint")


@blueprint.post("/declarations")
@blueprint.doc(**_document("declaration", "I2 提交自主申报", "自主申报"))
@signed()
def submit_declaration(partner: Partner) -> tuple[Any, int]:
    """Receive a declaration (table 1)."""
    return _submit(partner, "declaration")


@blueprint.post("/consultations")
@blueprint.doc(**_document("consultation", "I3 提交咨询、建议", "咨询", "建议"))
@signed()
def submit_consultation(partner: Partner) -> tuple[Any, int]:
    """Receive a question or a suggestion (table 3)."""
    return _submit(partner, "consultation")


def _submit(partner: Partner, table: str) -> tuple[Any, int]:
    """Read the submission and store it once, whatever its table: a number is given once."""
    payload = json_object()
    now = clock.now()
    try:
        taken = intake.read(
            table,
            payload,
            now=now,
            anonymity_mode=partner.anonymity_mode,
            boolean_mapping=partner.boolean_mapping,
        )
    except Invalid as refusal:
        named = {error.field for error in refusal.errors}
        more = services.reference_problems(payload, partner)
        raise Invalid(refusal.errors + [e for e in more if e.field not in named]) from None
    try:
        data, duplicate = inbound.idempotent(
            f"{partner.app_id}:submit",
            taken.values["external_ticket_no"],
            inbound.fingerprint({"table": table, "payload": payload}),
            lambda: services.receive(taken, partner, now).as_data(),
        )
    except UnknownDefinition as error:  # our own omission: the sender shall try again, not give up
        raise HotlineError("系统尚未就绪，请稍后重试", "INTERNAL") from error
    return {**data, "duplicate": duplicate}, 200 if duplicate else 201
