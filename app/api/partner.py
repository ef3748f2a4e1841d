"""`/openapi/v1`: what a 12345 platform calls (REQUIREMENTS 4). A request is one transaction.

Submitting tickets is in `submissions`.
"""

from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint

from app.api.signed import (
    MAX_JSON,
    REFUSALS,
    SIGNATURE_HEADERS,
    DataAnswer,
    signed,
)
from app.core import clock
from app.core.errors import FieldError, Invalid, NotFound
from app.divisions import queries as divisions
from app.exchange import queries as exchange
from app.exchange.models import Partner
from app.files import responses
from app.files import services as files
from app.files.links import LIFE, open_signed
from app.matters import queries as matters
from app.tickets import codes, progress, queries, results
from app.tickets.rules import STATES

blueprint = Blueprint("partner", __name__, url_prefix="/openapi/v1", description="12345 平台对接")


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
        "415": {"description": "FILE_TYPE_DENIED"},
        **REFUSALS,
    },
)
@signed(most=files.MAX_BYTES + MAX_JSON, streamed=True)
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
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    waiting = matters.flags([ticket.id]).get(ticket.id, frozenset())
    flags = {"urged": "urge" in waiting, "supervised": "supervise" in waiting}
    return {**results.status_answer(ticket), **flags}, 200


@blueprint.get("/tickets/<acceptance_no>/events")
@blueprint.doc(
    summary="I8 办理进度",
    description="按时间列出环节和单位；不含办理意见、人员和电话。只能查询本平台提交的工单。",
    parameters=SIGNATURE_HEADERS,
    responses={
        "200": {
            "description": "进度",
            "content": {
                "application/json": {
                    "schema": DataAnswer,
                    "example": {
                        "code": "0",
                        "message": "成功",
                        "request_id": "b1f0c2",
                        "data": {
                            "acceptance_no": "TS5200002026112300042S",
                            "status": "reviewing",
                            "status_label": "待初审",
                            "events": [
                                {
                                    "seq": 1,
                                    "at": "2026-11-23T09:31:02+08:00",
                                    "step": "受理",
                                    "unit": None,
                                },
                                {
                                    "seq": 4,
                                    "at": "2026-11-23T09:45:10+08:00",
                                    "step": "签收",
                                    "unit": "贵州省农业农村厅",
                                },
                            ],
                        },
                    },
                }
            },
        },
        "404": {"description": "TICKET_NOT_FOUND"},
        **REFUSALS,
    },
)
@signed()
def ticket_events(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """The steps a ticket of this platform has taken."""
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    return {
        "acceptance_no": ticket.acceptance_no,
        "status": ticket.status,
        "status_label": STATES[ticket.status],
        "events": progress.told(ticket),
    }, 200
