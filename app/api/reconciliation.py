"""`/openapi/v1/reconciliation`: what came on a day, as both sides see it (对账, I18)."""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, OneOf, Range

from app.api.http import json_object, load
from app.api.signed import REFUSALS, SIGNATURE_HEADERS, DataAnswer, RefusalSchema, signed
from app.core import clock
from app.core.clock import BEIJING
from app.exchange.models import Partner
from app.reconciliation import queries, rules, services
from app.reconciliation.models import COMPARED, Reconciliation
from app.tickets.fields import REQUIRED_MESSAGES, CleanText
from app.tickets.types import TICKET_TYPES

blueprint = Blueprint(
    "reconciliation_api", __name__, url_prefix="/openapi/v1", description="每日对账"
)

MOST = 5000
_DAY = {**REQUIRED_MESSAGES, "invalid": "应为YYYY-MM-DD"}


class _Wanted(Schema):
    class Meta:
        unknown = EXCLUDE

    date = fields.Date(required=True, error_messages=_DAY)
    after = CleanText(most=24, load_default=None, allow_none=True)
    limit = fields.Integer(load_default=1000, validate=Range(1, MOST, error="应为1–5000"))


class _Differences(Schema):
    class Meta:
        unknown = EXCLUDE

    date = fields.Date(required=True, error_messages=_DAY)
    after = fields.Integer(load_default=0, validate=Range(0, 2**62, error="应为next的值"))
    limit = fields.Integer(load_default=1000, validate=Range(1, MOST, error="应为1–5000"))


class ListedTicketSchema(Schema):
    """A ticket as the platform has it."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    external_ticket_no = CleanText(most=64, digits=True, required=True)
    acceptance_no = CleanText(most=24, load_default=None, allow_none=True)
    outcome = fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=OneOf(list(rules.OUTCOMES), error="取值不正确"),
        metadata={"description": "、".join(f"{k} {v}" for k, v in rules.OUTCOMES.items())},
    )


class TicketListSchema(Schema):
    """A page of the platform's list of a day."""

    class Meta:
        """What we do not know is left aside."""

        unknown = EXCLUDE

    date = fields.Date(required=True, error_messages=_DAY)
    list_id = CleanText(
        most=64,
        required=True,
        metadata={"description": "贵方清单编号；换编号即重新对账"},
    )
    page = fields.Integer(
        required=True, error_messages=REQUIRED_MESSAGES, validate=Range(1, 1000, error="应为1–1000")
    )
    pages = fields.Integer(
        required=True, error_messages=REQUIRED_MESSAGES, validate=Range(1, 1000, error="应为1–1000")
    )
    tickets = fields.List(
        fields.Nested(ListedTicketSchema),
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=Length(0, MOST, error="每页最多5000条"),
    )


_WANTED, _DIFFERENCES, _LIST = _Wanted(), _Differences(), TicketListSchema()


def _query(*more: tuple[str, str, Any]) -> list[dict[str, Any]]:
    return [
        *SIGNATURE_HEADERS,
        {
            "in": "query",
            "name": "date",
            "required": True,
            "schema": {"type": "string", "format": "date"},
            "description": "北京时间的日期",
        },
        *(
            {"in": "query", "name": name, "schema": {"type": kind, "default": default}}
            for name, kind, default in more
        ),
    ]


@blueprint.get("/reconciliation")
@blueprint.doc(
    summary="I18 每日对账",
    description="某日本平台提交的工单：首页（无 after）附总数、分类计数和摘要；按受理编号分页，"
    "next 作为下一页的 after。摘要的算法见对接文档。",
    parameters=_query(("after", "string", ""), ("limit", "integer", 1000)),
    responses={
        "200": {
            "description": "计数、摘要和工单",
            "content": {
                "application/json": {
                    "schema": DataAnswer,
                    "example": {
                        "code": "0",
                        "message": "成功",
                        "request_id": "b1f0c2",
                        "data": {
                            "date": "2026-11-22",
                            "summary": {
                                "total": 1,
                                "by_type": {"complaint": 1},
                                "by_outcome": {"result": 1},
                                "digests": {
                                    "numbers": {"sm3": "6b0a…", "sha256": "90f2…"},
                                    "outcomes": {"sm3": "1c44…", "sha256": "e7a1…"},
                                },
                            },
                            "tickets": [
                                {
                                    "acceptance_no": "TS5200002026112200042S",
                                    "external_ticket_no": "GZ12345-20261122-000981",
                                    "ticket_type": "complaint",
                                    "status": "callback_pending",
                                    "outcome": "result",
                                    "result_confirmed": True,
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
def day(partner: Partner) -> tuple[Any, int]:
    """A page of a day; the first one with its summary."""
    wanted = load(_WANTED, dict(request.args))
    services.check_day(wanted["date"], clock.now())
    data: dict[str, Any] = {"date": wanted["date"].isoformat()}
    if not wanted["after"]:
        found = queries.summary(partner, wanted["date"])
        data["summary"] = {
            "total": found.total,
            "by_type": found.by_type,
            "by_outcome": found.by_outcome,
            "digests": {"numbers": found.numbers, "outcomes": found.outcomes},
        }
    after = wanted["after"] or ""
    page = queries.tickets_of(partner, wanted["date"], after, wanted["limit"] + 1)
    unconfirmed = queries.undelivered_results(partner, wanted["date"])
    shown = page[: wanted["limit"]]
    data["tickets"] = [
        {
            "acceptance_no": mine.acceptance_no,
            "external_ticket_no": mine.external_ticket_no,
            "ticket_type": TICKET_TYPES[mine.ticket_type].table,
            "status": mine.status,
            "outcome": mine.outcome,
            "result_confirmed": mine.acceptance_no not in unconfirmed
            if mine.outcome == rules.RESULT
            else None,
        }
        for mine in shown
    ]
    data["next"] = shown[-1].acceptance_no if len(page) > len(shown) else None
    return data, 200


@blueprint.post("/reconciliation")
@blueprint.doc(
    summary="I18 提交对账清单",
    description="贵方某日提交的全部工单，每页最多5000条；收齐后自动比对，差异由双方查看、我方修复。"
    "同一页重复提交以后一次为准；收齐后更换 list_id 可重新对账。",
    parameters=SIGNATURE_HEADERS,
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": TicketListSchema,
                "example": {
                    "date": "2026-11-22",
                    "list_id": "GZ-20261122-1",
                    "page": 1,
                    "pages": 1,
                    "tickets": [
                        {
                            "external_ticket_no": "GZ12345-20261122-000981",
                            "acceptance_no": "TS5200002026112200042S",
                            "outcome": "result",
                        }
                    ],
                },
            }
        },
    },
    responses={
        "201": {"description": "已收", "content": {"application/json": {"schema": DataAnswer}}},
        "409": {
            "description": "LIST_COMPLETE",
            "content": {"application/json": {"schema": RefusalSchema}},
        },
        **REFUSALS,
    },
)
@signed()
def take_list(partner: Partner) -> tuple[Any, int]:
    """A page of what the platform has."""
    run = services.take_page(partner, load(_LIST, json_object()), clock.now())
    return _state(run), 201


@blueprint.get("/reconciliation/differences")
@blueprint.doc(
    summary="I18 查询差异",
    description="、".join(f"{kind} {title}" for kind, title in rules.KINDS.items()) + "。",
    parameters=_query(("after", "integer", 0), ("limit", "integer", 1000)),
    responses={
        "200": {"description": "差异", "content": {"application/json": {"schema": DataAnswer}}},
        **REFUSALS,
    },
)
@signed()
def differences(partner: Partner) -> tuple[Any, int]:
    """What was found to differ on a day."""
    wanted = load(_DIFFERENCES, dict(request.args))
    run = queries.of_day(partner, wanted["date"])
    if run is None:
        return {"date": wanted["date"].isoformat(), "state": None, "differences": []}, 200
    found = queries.differences(run.id, after=wanted["after"], limit=wanted["limit"] + 1)
    shown = found[: wanted["limit"]]
    rows = [
        {
            "kind": each.kind,
            "acceptance_no": each.acceptance_no,
            "external_ticket_no": each.external_ticket_no,
            "ours": each.ours,
            "theirs": each.theirs,
            "repaired": each.repaired_at is not None,
        }
        for each in shown
    ]
    following = shown[-1].id if len(found) > len(shown) else None
    return {**_state(run), "differences": rows, "next": following}, 200


def _state(run: Reconciliation) -> dict[str, Any]:
    compared = run.compared_at if run.state == COMPARED else None
    return {
        "date": run.day.isoformat(),
        "list_id": run.list_id,
        "state": run.state,
        "ours": run.ours,
        "theirs": run.theirs,
        "compared_at": compared and compared.astimezone(BEIJING).isoformat(timespec="seconds"),
    }
