"""`/openapi/v1/page-sessions`: 12345 opens a registration form for its operator (I16)."""

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from flask import current_app
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import OneOf, Regexp

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, RefusalSchema, signed
from app.config import Settings
from app.core import clock
from app.core.errors import Invalid
from app.exchange.models import Partner
from app.pages import rules, services
from app.tickets.fields import REQUIRED_MESSAGES, CallerNumber, CleanText, Moment
from app.tickets.rules import call_time_problems
from app.tickets.services import beijing
from app.tickets.types import TABLES

blueprint = Blueprint("pages_api", __name__, url_prefix="/openapi/v1", description="页面调用")


def _is_address(value: str | None) -> None:
    parts = urlsplit(value or "")
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValidationError("应为http(s)地址")


class PageSessionSchema(Schema):
    """What the form begins with; an operator cannot change it."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    ticket_type = fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=OneOf(list(TABLES), error="应为complaint、declaration或consultation"),
        metadata={"description": "打开哪一张登记表；建议与咨询同表"},
    )
    operator_no = fields.String(
        required=True,
        validate=Regexp(r"\A[A-Za-z0-9_-]{1,32}\Z", error="工号为1–32位字母、数字、_或-"),
        error_messages={**REQUIRED_MESSAGES, "invalid": "应为文字"},
        metadata={"description": "工号"},
    )
    caller_number = CallerNumber(
        required=True, metadata={"description": "来电号码；隐藏时为 unknown"}
    )
    called_at = Moment(required=True, metadata={"description": "来电时间"})
    external_ticket_no = CleanText(
        most=64,
        digits=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "贵方工单编号，可缺省"},
    )
    return_url = CleanText(
        most=500,
        load_default=None,
        allow_none=True,
        validate=_is_address,
        metadata={"description": "受理后返回的地址，须在档案登记的页面来源（page_origin）之内"},
    )
    display = fields.String(
        load_default=rules.WINDOW,
        validate=OneOf(rules.DISPLAYS, error="应为window或iframe"),
        metadata={"description": "新窗口（缺省）或框架；框架只允许档案登记的页面来源"},
    )


_BODY = PageSessionSchema()
EXAMPLE = {
    "ticket_type": "complaint",
    "operator_no": "GZ12345-0231",
    "caller_number": "13800001234",
    "called_at": "2026-11-23T09:20:11+08:00",
    "external_ticket_no": "GZ12345-20261123-000981",
    "display": "window",
}


def read(body: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is asked for, validated; an address that a platform signs itself says the same."""
    wanted = load(_BODY, body)
    if problems := call_time_problems(wanted["called_at"], now)[0]:
        raise Invalid(problems)
    return wanted


@blueprint.post("/page-sessions")
@blueprint.doc(
    summary="I16 页面调用",
    description="返回登记页面的一次性地址：5分钟内打开，打开后60分钟内提交。地址不含个人信息。"
    "提交后完整工单以 ticket-copies（O6）推送贵方留存。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": PageSessionSchema, "example": EXAMPLE}},
    },
    responses={
        "201": {
            "description": "url、expires_at",
            "content": {"application/json": {"schema": DataAnswer}},
        },
        "409": {
            "description": "IDEMPOTENCY_CONFLICT：该工单编号已有工单",
            "content": {"application/json": {"schema": RefusalSchema}},
        },
        **REFUSALS,
    },
)
@signed()
def open_page(partner: Partner) -> tuple[Any, int]:
    """A form for one matter of one caller; nothing of the caller is in its address."""
    now = clock.now()
    wanted = read(json_object(), now)
    page, token = services.open_session(partner, wanted, now)
    base = cast(Settings, current_app.config["SETTINGS"]).public_url.rstrip("/")
    return {
        "url": f"{base}/page/{page.intake_table}?s={token}",
        "expires_at": beijing(now + rules.OPEN_FOR),
    }, 201
