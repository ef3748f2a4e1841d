"""`/api/v1/tickets`: what people may do with a ticket at any time, for staff systems."""

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.http import json_object, load
from app.api.staff import permitted
from app.core import clock
from app.core.errors import NotFound
from app.security.permissions import require
from app.security.principal import Principal
from app.tickets.actions import ACTIONS, Request, offered_to, perform
from app.tickets.queries import ticket_for

blueprint = Blueprint("actions_api", __name__, url_prefix="/api/v1", description="随时操作")

_SECURED: dict[str, Any] = {"security": [{"bearer": []}]}


class ActionSchema(Schema):
    """Body of an action. With an `action_id` a repeat changes nothing."""

    values = fields.Dict(keys=fields.String(), load_default=dict)
    action_id = fields.UUID(load_default=None, error_messages={"invalid_uuid": "应为 UUID"})


_ACTION = ActionSchema()


@blueprint.get("/tickets/<acceptance_no>/actions")
@blueprint.doc(summary="可以进行的操作", **_SECURED)
@permitted("ticket.view")
def offered(principal: Principal, acceptance_no: str) -> tuple[Any, int]:
    """What this person may do with the ticket now."""
    ticket = ticket_for(principal, acceptance_no)
    actions = [{"key": each.key, "title": each.title} for each in offered_to(principal, ticket)]
    return {"acceptance_no": acceptance_no, "status": ticket.status, "actions": actions}, 200


@blueprint.post("/tickets/<acceptance_no>/actions/<key>")
@blueprint.doc(
    summary="进行一项操作",
    description="key 如 urge 催办、extend 申请延期、recall 收回；values 须符合该操作的表单。"
    "工单状态不允许时返回 409 STATE_CONFLICT 和当前状态。",
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": ActionSchema}},
    },
    **_SECURED,
)
@permitted("ticket.view", writes=True)
def act(principal: Principal, acceptance_no: str, key: str) -> tuple[Any, int]:
    """Do it."""
    if key not in ACTIONS:
        raise NotFound("没有这项操作", "ACTION_NOT_FOUND")
    each = ACTIONS[key]
    require(principal, each.permission)
    body = load(_ACTION, json_object())
    values = load(each.schema, body["values"])
    ticket = ticket_for(principal, acceptance_no)
    asked = {"id": body["action_id"]} if body["action_id"] else {}
    perform(each, Request(ticket, values, principal, clock.now(), **asked))
    return {"acceptance_no": acceptance_no, "status": ticket.status}, 200
