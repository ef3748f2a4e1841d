"""`/openapi/v1`: what 12345 sends after a ticket (I11–I15): 补充, 催单, 撤回, 回访, 重办."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, RefusalSchema, signed
from app.callbacks import services as callbacks
from app.callbacks.schemas import CALLBACK, REWORK, CallbackSchema, ReworkSchema
from app.core import clock
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.engine import runner
from app.exchange import inbound
from app.exchange.models import Partner
from app.files import services as files
from app.matters import rules
from app.matters import services as matters
from app.matters.schemas import (
    SUPPLEMENT,
    URGE,
    WITHDRAWAL,
    SupplementSchema,
    UrgeSchema,
    WithdrawalSchema,
)
from app.tickets import merge, queries
from app.tickets.errors import StateConflict
from app.tickets.models import Ticket

blueprint = Blueprint("followups", __name__, url_prefix="/openapi/v1", description="后续事项")

KEY = "Idempotency-Key"
MOST_KEY = 128


class FollowUpData(Schema):
    """What was taken in."""

    acceptance_no = fields.String(metadata={"example": "TS5200002026112300042S"})
    taken_by = fields.String(metadata={"description": "并单后由哪张工单承接"})
    status = fields.String(metadata={"example": "handling"})
    duplicate = fields.Boolean()


class FollowUpAnswer(Schema):
    """The envelope of it."""

    code = fields.String(metadata={"example": "0"})
    message = fields.String(metadata={"example": "成功"})
    request_id = fields.String()
    data = fields.Nested(FollowUpData)


_REPEATS = (
    f"可带 {KEY} 头：相同的键和内容重复提交返回首次应答（200，duplicate=true），内容不同返回 409；"
    "不带时以内容判断是否重复。只能用于本平台提交的工单。"
)


def _document(summary: str, description: str, schema: type[Schema], **example: Any) -> Any:
    taken = {"content": {"application/json": {"schema": FollowUpAnswer}}}
    header = {"in": "header", "name": KEY, "required": False, "schema": {"type": "string"}}
    return blueprint.doc(
        summary=summary,
        description=f"{description}{_REPEATS}",
        parameters=[*SIGNATURE_HEADERS, header],
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        responses={
            "201": {"description": "已收到", **taken},
            "200": {"description": "重复提交，返回首次应答", **taken},
            "404": {"description": "TICKET_NOT_FOUND"},
            "409": {
                "description": "STATE_CONFLICT（附当前状态）、MATTER_OPEN、IDEMPOTENCY_CONFLICT",
                "content": {"application/json": {"schema": RefusalSchema}},
            },
            **REFUSALS,
        },
    )


@blueprint.post("/tickets/<acceptance_no>/supplements")
@_document(
    "I11 补充材料",
    "归档前随时可补充，承办单位会收到提醒；工单处于待补充时即为答复我方的补充请求。"
    "已并单的工单，补充转给承接的工单。",
    SupplementSchema,
    content="来电人补充：村委会已公示名单，附公示照片。",
    attachments=["att_2k7xq5v3mzr4w6yhn8tbcadefg"],
)
@signed()
def supplement(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """Add words and files; to a merged ticket they go to the one that goes on (DUP-03)."""
    values = load(SUPPLEMENT, json_object())

    def take(ticket: Ticket, now: datetime) -> Ticket:
        kept = _held(merge.survivor_of(ticket), rules.SUPPLEMENTABLE)
        owner = files.Owner(partner_id=partner.id)
        files.attach(values["attachments"], kept.id, owner, now)
        matters.supply(
            kept,
            values.get("content") or rules.FILES_ONLY,
            attachments=values["attachments"],
            by=matters.Raiser.platform(partner),
            now=now,
            via=_via(ticket, kept),
        )
        return kept

    return _once(partner, acceptance_no, "supplement", take)


@blueprint.post("/tickets/<acceptance_no>/urges")
@_document(
    "I12 催单",
    "承办单位须在1个工作日内答复，办理时限不变。已并单的工单，催单转给承接的工单。"
    f"内容相同的再次催单须以 occurred_at 或 {KEY} 区分。",
    UrgeSchema,
    content="来电人再次来电，询问办理进展。",
)
@signed()
def urge(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """The caller asks when it will be done."""
    values = load(URGE, json_object())

    def take(ticket: Ticket, now: datetime) -> Ticket:
        kept = _held(merge.survivor_of(ticket), rules.RUNNING)
        by = matters.Raiser.platform(partner)
        matter = matters.urge(kept, values["content"], by=by, now=now, via=_via(ticket, kept))
        matters.deliver(kept, matter, now)
        return kept

    return _once(partner, acceptance_no, "urge", take)


@blueprint.post("/tickets/<acceptance_no>/withdrawals")
@_document(
    "I13 撤回",
    "诉求人要求撤回，由省级确认；确认后通知 withdrawn，依职权继续办理时通知 withdrawal_refused。",
    WithdrawalSchema,
    reason="来电人表示问题已解决，要求撤回。",
)
@signed()
def withdraw(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """The caller takes the matter back; the province confirms."""
    values = load(WITHDRAWAL, json_object())

    def take(ticket: Ticket, now: datetime) -> Ticket:
        _held(ticket, rules.WITHDRAWABLE)
        by = matters.Raiser.platform(partner)
        matters.deliver(ticket, matters.withdraw(ticket, values["reason"], by=by, now=now), now)
        return ticket

    return _once(partner, acceptance_no, "withdraw", take)


@blueprint.post("/tickets/<acceptance_no>/callbacks")
@_document(
    "I14 回访结果",
    "satisfaction：1 满意，2 基本满意，3 不满意，4 未评价，5 无法联系。"
    "不满意的首次自动退回原承办单位重办，"
    "再次由省级决定；回访期（5个工作日）内未收到回访即归档。"
    "同一轮有多条的，以最后一条为准。已并单的工单，回访转给承接的工单。",
    CallbackSchema,
    satisfaction=1,
    solved=True,
    opinion="来电人对处理结果满意。",
)
@signed()
def report_callback(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """What the caller thinks of the result."""
    values = load(CALLBACK, json_object())
    return _reported(partner, acceptance_no, values, rework_asked=False)


@blueprint.post("/tickets/<acceptance_no>/rework-requests")
@_document(
    "I15 重办申请",
    "在回访期内提出；首次自动退回原承办单位重办，再次由省级决定。"
    "已并单的工单，重办申请转给承接的工单。",
    ReworkSchema,
    reason="来电人称补贴仍未到账，要求重新核实。",
)
@signed()
def ask_rework(partner: Partner, acceptance_no: str) -> tuple[Any, int]:
    """The caller wants it handled again."""
    values = load(REWORK, json_object())
    return _reported(partner, acceptance_no, values, rework_asked=True)


def _reported(
    partner: Partner, acceptance_no: str, values: dict[str, Any], *, rework_asked: bool
) -> tuple[Any, int]:
    def take(ticket: Ticket, now: datetime) -> Ticket:
        kept = _held(merge.survivor_of(ticket), callbacks.REPORTABLE)
        callbacks.reported(kept, partner, values, rework_asked=rework_asked, now=now)
        return kept

    kept = merge.survivor_of(queries.ticket_of_partner(partner.id, acceptance_no))
    what = "rework" if rework_asked else "callback"
    return _once(partner, acceptance_no, f"{what}:{callbacks.result_no(kept)}", take)


def _once(
    partner: Partner, acceptance_no: str, what: str, take: Callable[[Ticket, datetime], Ticket]
) -> tuple[Any, int]:
    """Do it once: the same key or, without one, the same body gets the first answer again."""
    ticket = queries.ticket_of_partner(partner.id, acceptance_no)
    digest = inbound.fingerprint(json_object())
    key = request.headers.get(KEY, "").strip()
    if len(key) > MOST_KEY:
        raise Invalid([FieldError(KEY, "length", f"最多{MOST_KEY}个字符")])

    def work() -> dict[str, Any]:
        kept = take(ticket, clock.now())
        session().flush()
        return {
            "acceptance_no": acceptance_no,
            "taken_by": kept.acceptance_no,
            "status": kept.status,
        }

    data, duplicate = inbound.idempotent(
        f"{partner.app_id}:{what}", f"{acceptance_no}:{key or digest}", digest, work
    )
    return {**data, "duplicate": duplicate}, 200 if duplicate else 201


def _held(ticket: Ticket, states: frozenset[str]) -> Ticket:
    """The ticket, locked through its instance; StateConflict in any other state (EX-17)."""
    runner.hold(ticket.acceptance_no)
    session().refresh(ticket)
    if ticket.status not in states:
        raise StateConflict(ticket)
    return ticket


def _via(ticket: Ticket, kept: Ticket) -> str | None:
    return None if kept is ticket else ticket.acceptance_no
