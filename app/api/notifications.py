"""`/api/v1/notifications`: what the token's owner was told, for staff systems."""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.http import json_object, load
from app.api.staff import permitted
from app.core import clock
from app.notifications import queries, services
from app.notifications.models import Notification
from app.notifications.rules import KINDS
from app.security.principal import Principal
from app.tickets.fields import REQUIRED_MESSAGES

blueprint = Blueprint("notifications_api", __name__, url_prefix="/api/v1", description="提醒")

_SECURED: dict[str, Any] = {"security": [{"bearer": []}]}
_LARGEST = 200


class ReadAllSchema(Schema):
    """Body of 全部已读: the newest that was seen; what came after it stays unread."""

    up_to = fields.Integer(required=True, strict=True, error_messages=REQUIRED_MESSAGES)


_READ_ALL = ReadAllSchema()


@blueprint.get("/notifications")
@blueprint.doc(
    summary="本人的提醒",
    description="由新到旧，游标翻页：把 next 作为 before 传回。unread=1 只看未读的。"
    "已不在本单位办理的工单，其提醒不再列出。",
    parameters=[
        {"in": "query", "name": name, "schema": {"type": "integer"}}
        for name in ("unread", "before", "limit")
    ],
    **_SECURED,
)
@permitted("notification.read")
def notifications(principal: Principal) -> tuple[Any, int]:
    """What one was told, and how much of it is unread (at most 100 are counted)."""
    limit = min(max(request.args.get("limit", queries.PAGE, type=int), 1), _LARGEST)
    found = queries.notifications(
        principal,
        unread=request.args.get("unread") == "1",
        before=request.args.get("before", type=int),
        limit=limit,
    )
    rows = found[:limit]
    return {
        "notifications": [_row(row) for row in rows],
        "unread": queries.unread_count(principal),
        "next": rows[-1].id if len(found) > limit else None,
    }, 200


@blueprint.post("/notifications/<int:notification_id>/read")
@blueprint.doc(summary="标为已读", **_SECURED)
@permitted("notification.read", writes=True)
def read(principal: Principal, notification_id: int) -> tuple[Any, int]:
    """One of them is read; a repeat changes nothing."""
    return _row(services.mark_read(principal, notification_id, clock.now())), 200


@blueprint.post("/notifications/read")
@blueprint.doc(
    summary="全部标为已读",
    requestBody={"required": True, "content": {"application/json": {"schema": ReadAllSchema}}},
    **_SECURED,
)
@permitted("notification.read", writes=True)
def read_all(principal: Principal) -> tuple[Any, int]:
    """All of them up to one are read."""
    body = load(_READ_ALL, json_object())
    return {"read": services.mark_all_read(principal, body["up_to"], clock.now())}, 200


def _row(row: Notification) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "kind_label": KINDS[row.kind].label,
        "title": row.title,
        "acceptance_no": row.business_key,
        "task_id": str(row.task_id) if row.task_id else None,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }
