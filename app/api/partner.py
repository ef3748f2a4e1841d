"""`/openapi/v1`: what a 12345 platform calls (REQUIREMENTS 4). A request is one transaction."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.http import json_object
from app.api.signed import (
    MAX_JSON,
    REFUSALS,
    SIGNATURE_HEADERS,
    DataAnswer,
    RefusalSchema,
    signed,
)
from app.core import clock
from app.core.errors import FieldError, HotlineError, Invalid, NotFound
from app.divisions import queries as divisions
from app.engine.errors import UnknownDefinition
from app.exchange import inbound
from app.exchange import queries as exchange
from app.exchange.models import Partner
from app.files import responses
from app.files import services as files
from app.files.links import LIFE, open_signed
from app.tickets import codes, queries, results, services
from app.tickets.schemas import ComplaintSchema, read_complaint

blueprint = Blueprint("partner", __name__, url_prefix="/openapi/v1", description="12345 平台对接")


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


EXAMPLE = {
    "external_ticket_no": "GZ12345-20261123-000981",
    "operator_no": "GZ12345-0231",
    "caller_number": "13800001234",
    "called_at": "2026-11-23T09:20:11+08:00",
    "is_anonymous": False,
    "caller_name": "李某某",
    "contact_phone": "13800001234",
    "division_code": "520328104205",
    "detail_address": "三组",
    "target_info": "村委会主任王某",
    "content": "反映危房改造补助资金未按标准发放。",
    "problem_category": 3,
    "required_completion_date": "2026-12-14",
    "attachments": [],
}


@blueprint.post("/complaints")
@blueprint.doc(
    summary="I1 提交投诉举报",
    description="以（应用，external_ticket_no）为幂等键：内容相同的重复提交返回原回执（200，duplicate=true），"
    "内容不同返回 409 IDEMPOTENCY_CONFLICT。所有字段错误一次返回。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": ComplaintSchema, "example": EXAMPLE}},
    },
    responses={
        "201": {
            "description": "已受理",
            "content": {"application/json": {"schema": ReceiptAnswer}},
        },
        "200": {
            "description": "重复提交，返回原回执",
            "content": {"application/json": {"schema": ReceiptAnswer}},
        },
        "409": {
            "description": "IDEMPOTENCY_CONFLICT",
            "content": {"application/json": {"schema": RefusalSchema}},
        },
        **REFUSALS,
    },
)
@signed()
def submit_complaint(partner: Partner) -> tuple[Any, int]:
    """Receive a complaint (table 2)."""
    payload = json_object()
    now = clock.now()
    intake = read_complaint(
        payload,
        now=now,
        anonymity_mode=partner.anonymity_mode,
        boolean_mapping=partner.boolean_mapping,
    )
    try:
        data, duplicate = inbound.idempotent(
            f"{partner.app_id}:submit",
            intake.values["external_ticket_no"],
            inbound.fingerprint(payload),
            lambda: services.receive(intake, partner, now).as_data(),
        )
    except UnknownDefinition as error:  # our own omission: the sender shall try again, not give up
        raise HotlineError("系统尚未就绪，请稍后重试", "INTERNAL") from error
    return {**data, "duplicate": duplicate}, 200 if duplicate else 201


@blueprint.post("/attachments")
@blueprint.doc(
    summary="I4 上传附件",
    description="multipart/form-data，字段名 file；返回 attachment_id 和摘要，再随工单提交。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    },
    responses={
        "201": {"description": "已上传", "content": {"application/json": {"schema": DataAnswer}}},
        "413": {"description": "FILE_TOO_LARGE"},
        "415": {"description": "FILE_TYPE_DENIED"},
        **REFUSALS,
    },
)
@signed(most=files.MAX_BYTES + MAX_JSON)
def upload_attachment(partner: Partner) -> tuple[Any, int]:
    """Take a file in; it is a draft until a ticket names it."""
    upload = request.files.get("file")
    if upload is None:
        raise Invalid([FieldError("file", "required", "必填")])
    stored = files.store(
        cast("BinaryIO", upload.stream),
        upload.filename or "",
        upload.mimetype,
        owner=files.Owner(partner_id=partner.id),
        now=clock.now(),
    )
    data = {
        "attachment_id": stored.id,
        "name": stored.name,
        "size": stored.size,
        "sha256": stored.sha256,
        "sm3": stored.sm3,
    }
    return data, 201


@blueprint.get("/attachments/<attachment_id>/content")
@blueprint.doc(
    summary="O9 下载调查报告",
    description="由结果消息中的签名链接访问，每次推送后 15 分钟内有效，无需签名头。",
    responses={"200": {"description": "文件内容"}, "404": {"description": "链接无效或已过期"}},
)
def download_attachment(attachment_id: str) -> Response:
    """Serve a report file to whoever holds its link, for a while after each try to deliver it."""
    since = clock.now() - LIFE
    found = open_signed(
        attachment_id,
        request.args.get("message", ""),
        request.args.get("signature", ""),
        lambda message: exchange.was_sent_since(UUID(message), since),
    )
    return responses.send(found)


@blueprint.get("/divisions")
@blueprint.doc(
    summary="I5 查询下级区划",
    description="parent_code 为空返回省级（初始值 000000000000），逐级传递编码下钻。",
    parameters=[
        *SIGNATURE_HEADERS,
        {"in": "query", "name": "parent_code", "schema": {"type": "string"}},
    ],
    responses={
        "200": {"description": "下级区划", "content": {"application/json": {"schema": DataAnswer}}},
        **REFUSALS,
    },
)
@signed()
def list_divisions(partner: Partner) -> tuple[Any, int]:
    """Children of a division (table 10)."""
    parent = request.args.get("parent_code") or None
    if parent == ROOT:
        parent = None
    if parent is not None and divisions.get(parent) is None:
        raise NotFound("没有这个区划编码", "DIVISION_NOT_FOUND")
    rows = [
        {
            "parent_code": parent or ROOT,
            "division_code": row.code,
            "division_name": row.name,
            "level": row.level,
            "has_children": row.has_children,
        }
        for row in divisions.children(parent)
    ]
    return {"version": divisions.version(), "divisions": rows}, 200


ROOT = "000000000000"
"""行政区划父节编码 of the provinces: the seed's 「初始值由12317提供」."""


@blueprint.get("/code-tables/<name>")
@blueprint.doc(
    summary="I6 查询代码表",
    parameters=SIGNATURE_HEADERS,
    responses={
        "200": {"description": "代码表", "content": {"application/json": {"schema": DataAnswer}}},
        "404": {"description": "CODE_TABLE_NOT_FOUND"},
        **REFUSALS,
    },
)
@signed()
def code_table(partner: Partner, name: str) -> tuple[Any, int]:
    """One code table."""
    table = codes.TABLES.get(name)
    if table is None:
        raise NotFound("没有这个代码表", "CODE_TABLE_NOT_FOUND")
    rows = [{"code": c.code, "label": c.label, "parent": c.parent} for c in table.codes]
    return {"name": table.name, "title": table.title, "codes": rows}, 200


@blueprint.get("/tickets/<acceptance_no>")
@blueprint.doc(
    summary="I7 查询工单状态",
    description="只能查询本平台提交的工单，其它一律 404。",
    parameters=SIGNATURE_HEADERS,
    responses={
        "200": {"description": "状态", "content": {"application/json": {"schema": DataAnswer}}},
        "404": {"description": "TICKET_NOT_FOUND"},
        **REFUSALS,
    },
)
@signed()
def ticket_status(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """Where a ticket of this platform stands."""
    return results.status_answer(queries.ticket_of_partner(partner.id, acceptance_no)), 200
