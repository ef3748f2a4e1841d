"""`/api/v1`: processes, tasks and messages for staff systems, with bearer tokens."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from marshmallow.validate import Length

from app.api.http import Malformed, answer, json_object, load
from app.core import clock
from app.core.db import transact
from app.core.errors import HotlineError, NotAllowed
from app.engine import claims, definitions, incidents, parser, registry, runner
from app.engine import queries as engine
from app.engine.errors import UnknownTask
from app.engine.models import Incident, UserTask
from app.security.permissions import require
from app.security.principal import Principal
from app.security.sessions import bearer_principal
from app.tickets.access import actor_of, guard, may_do, telling_state
from app.tickets.fields import REQUIRED_MESSAGES

blueprint = Blueprint("staff", __name__, url_prefix="/api/v1", description="流程、待办与消息")

_SECURED: dict[str, Any] = {"security": [{"bearer": []}]}
MAX_DIAGRAM = 2 * 1024 * 1024


class NotSignedIn(HotlineError):
    """401: no valid token."""

    status = 401

    def __init__(self) -> None:
        super().__init__("令牌无效或已过期", "TOKEN_INVALID")


class StartSchema(Schema):
    """Body of a start."""

    definition = fields.String(required=True, error_messages=REQUIRED_MESSAGES)
    business_key = fields.String(
        required=True, error_messages=REQUIRED_MESSAGES, validate=Length(1, 64, error="1–64个字符")
    )
    variables = fields.Dict(keys=fields.String(), load_default=dict)
    action_id = fields.UUID(load_default=None, error_messages={"invalid_uuid": "应为 UUID"})


class CompleteSchema(Schema):
    """Body of a completion. With an `action_id` a repeat gets the first answer."""

    variables = fields.Dict(keys=fields.String(), load_default=dict)
    version = fields.Integer(load_default=None, strict=True, error_messages={"invalid": "应为整数"})
    action_id = fields.UUID(load_default=None, error_messages={"invalid_uuid": "应为 UUID"})


class MessageSchema(Schema):
    """Body of a message."""

    message_id = fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=Length(8, 128, error="8–128个字符"),
    )
    name = fields.String(required=True, error_messages=REQUIRED_MESSAGES)
    business_key = fields.String(required=True, error_messages=REQUIRED_MESSAGES)
    payload = fields.Dict(keys=fields.String(), load_default=dict)


_START, _COMPLETE, _MESSAGE = StartSchema(), CompleteSchema(), MessageSchema()

View = Callable[..., tuple[Any, int]]


def permitted(action: str, *, writes: bool = False) -> Callable[[View], Callable[..., Response]]:
    """Ask who it is and whether they may, then run the view; a writing view is one transaction."""

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def run(**kwargs: Any) -> Response:
            def work() -> tuple[Any, int]:
                principal = bearer_principal()
                if principal is None:
                    raise NotSignedIn
                require(principal, action)
                return view(principal, **kwargs)

            data, status = transact(work) if writes else work()
            return answer(data, status)

        run.permission = action  # type: ignore[attr-defined]
        return run

    return decorate


def _body(schema: type[Schema]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blueprint.post("/process-definitions")
@blueprint.doc(
    summary="部署流程图",
    description="请求体为 BPMN 2.0 XML；含被调用的流程图时用 multipart，字段 file 可多个。"
    "未通过发布检查返回 422，逐个元素说明。",
    parameters=[{"in": "query", "name": "process_key", "schema": {"type": "string"}}],
    requestBody={"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}},
    **_SECURED,
)
@permitted("diagram.deploy", writes=True)
def deploy(principal: Principal) -> tuple[Any, int]:
    """Check and publish a diagram."""
    request.max_content_length = MAX_DIAGRAM
    uploads = request.files.getlist("file")
    sources = {f.filename or f"{n}.bpmn": f.stream.read() for n, f in enumerate(uploads)}
    if not sources:
        sources = {"diagram.bpmn": request.get_data()}
    key = request.args.get("process_key") or _only_process(sources)
    made = definitions.deploy(sources, key, deployed_by=principal.display_name, now=clock.now())
    return {
        "id": made.id,
        "process_key": made.process_key,
        "version": made.version,
        "digest": made.digest,
        "status": made.status,
    }, 201


def _only_process(sources: dict[str, bytes]) -> str:
    first = next(iter(sources.values()))
    try:
        keys = parser.process_ids(first)
    except Exception:
        raise Malformed("请求体应为 BPMN 2.0 XML") from None
    if not keys:
        raise Malformed("流程图中没有流程（process）")
    return keys[0]


@blueprint.post("/process-instances")
@blueprint.doc(summary="启动流程", requestBody=_body(StartSchema), **_SECURED)
@permitted("process.start", writes=True)
def start(principal: Principal) -> tuple[Any, int]:
    """Start an instance of the published version."""
    body = load(_START, json_object())
    if registry.observers_of(body["definition"]):
        raise NotAllowed("该流程由系统受理工单时启动，不能由接口启动", "PROCESS_INTERNAL")
    outcome = runner.start(
        body["definition"],
        body["business_key"],
        body["variables"],
        actor=actor_of(principal),
        now=clock.now(),
        action_id=body["action_id"],
    )
    return outcome.as_result(), 201


@blueprint.get("/process-instances/<int:instance_id>")
@blueprint.doc(summary="查询流程实例", **_SECURED)
@permitted("process.view")
def instance(principal: Principal, instance_id: int) -> tuple[Any, int]:
    """An instance with its open tasks and history."""
    return engine.instance_view(instance_id), 200


@blueprint.get("/tasks")
@blueprint.doc(
    summary="待办列表",
    description="按时限排序，游标翻页：把 next 作为 after 传回。"
    "scope=mine 只看我认领的，unit 看本单位的。",
    parameters=[
        {"in": "query", "name": name, "schema": {"type": kind}}
        for name, kind in (
            ("scope", "string"),
            ("process_key", "string"),
            ("element_id", "string"),
            ("business_key", "string"),
            ("after", "string"),
            ("limit", "integer"),
        )
    ],
    **_SECURED,
)
@permitted("task.view")
def tasks(principal: Principal) -> tuple[Any, int]:
    """Open tasks this person may do."""
    wanted = engine.TaskQuery(
        unit_id=principal.unit_id,
        roles=principal.roles,
        assignee_id=principal.user_id if request.args.get("scope") == "mine" else None,
        process_key=request.args.get("process_key"),
        element_id=request.args.get("element_id"),
        business_key=request.args.get("business_key"),
    )
    limit = min(max(request.args.get("limit", 50, type=int), 1), 200)
    rows, following = engine.open_tasks(wanted, request.args.get("after"), limit)
    return {"tasks": [_task(row) for row in rows], "next": following}, 200


@blueprint.get("/tasks/<uuid:task_id>")
@blueprint.doc(summary="查询待办", **_SECURED)
@permitted("task.view")
def task(principal: Principal, task_id: UUID) -> tuple[Any, int]:
    """One task of this person's unit and role."""
    row = engine.task(task_id)
    if not may_do(principal, row):
        raise UnknownTask
    return _task(row), 200


@blueprint.post("/tasks/<uuid:task_id>/claim")
@blueprint.doc(summary="认领待办", **_SECURED)
@permitted("task.claim", writes=True)
def claim(principal: Principal, task_id: UUID) -> tuple[Any, int]:
    """Take a task."""
    with telling_state():
        row = claims.claim(task_id, actor=actor_of(principal), authorise=guard(principal))
    return _task(row), 200


@blueprint.post("/tasks/<uuid:task_id>/unclaim")
@blueprint.doc(summary="退回待办池", **_SECURED)
@permitted("task.claim", writes=True)
def unclaim(principal: Principal, task_id: UUID) -> tuple[Any, int]:
    """Put a task back."""
    with telling_state():
        row = claims.unclaim(task_id, actor=actor_of(principal), authorise=guard(principal))
    return _task(row), 200


@blueprint.post("/tasks/<uuid:task_id>/complete")
@blueprint.doc(
    summary="办理待办",
    description="variables 须符合该环节的表单；表单错误 422 一次列出，"
    "已被他人办理 409 并说明是谁。",
    requestBody=_body(CompleteSchema),
    **_SECURED,
)
@permitted("task.complete", writes=True)
def complete(principal: Principal, task_id: UUID) -> tuple[Any, int]:
    """Complete a task."""
    body = load(_COMPLETE, json_object())
    with telling_state():
        outcome = runner.complete_task(
            task_id,
            body["variables"],
            actor=actor_of(principal),
            now=clock.now(),
            action_id=body["action_id"],
            version=body["version"],
            authorise=guard(principal),
        )
    return outcome.as_result(), 200


@blueprint.post("/messages")
@blueprint.doc(
    summary="发送流程消息",
    description="按 business_key 与消息名送达唯一等待处；提前到达的保留至有处等待。"
    "message_id 重复不再生效。",
    requestBody=_body(MessageSchema),
    **_SECURED,
)
@permitted("message.send", writes=True)
def message(principal: Principal) -> tuple[Any, int]:
    """Deliver a message once."""
    body = load(_MESSAGE, json_object())
    if any(registry.observers_of(key) for key in engine.processes_of(body["business_key"])):
        raise NotAllowed("工单流程的消息由系统发出，不能由接口发送", "MESSAGE_INTERNAL")
    state = runner.deliver_message(
        body["message_id"],
        body["name"],
        body["business_key"],
        body["payload"],
        now=clock.now(),
        actor=actor_of(principal),
    )
    return {"message_id": body["message_id"], "state": state}, 200


@blueprint.get("/incidents")
@blueprint.doc(summary="异常事件", **_SECURED)
@permitted("incident.view")
def open_incidents(principal: Principal) -> tuple[Any, int]:
    """What broke and waits for a retry."""
    return {"incidents": [_incident(row) for row in incidents.open_incidents()]}, 200


@blueprint.post("/incidents/<int:incident_id>/retry")
@blueprint.doc(summary="重试异常事件", **_SECURED)
@permitted("incident.retry", writes=True)
def retry(principal: Principal, incident_id: int) -> tuple[Any, int]:
    """Do the recorded action again."""
    row = incidents.retry(incident_id, by=principal.display_name, now=clock.now())
    return _incident(row), 200


@blueprint.post("/incidents/<int:incident_id>/dismiss")
@blueprint.doc(summary="关闭已另行处理的异常事件", **_SECURED)
@permitted("incident.retry", writes=True)
def dismiss(principal: Principal, incident_id: int) -> tuple[Any, int]:
    """Close an incident that was settled another way."""
    row = incidents.dismiss(incident_id, by=principal.display_name, now=clock.now())
    return _incident(row), 200


def _task(row: UserTask) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "instance_id": row.instance_id,
        "process_key": row.process_key,
        "business_key": row.business_key,
        "element_id": row.element_id,
        "name": row.name,
        "lane": row.lane,
        "role": row.role,
        "form": row.form,
        "deadline_key": row.deadline_key,
        "unit_id": row.unit_id,
        "assignee_id": row.assignee_id,
        "assignee_name": row.assignee_name,
        "state": row.state,
        "version": row.version,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
    }


def _incident(row: Incident) -> dict[str, Any]:
    return {
        "id": row.id,
        "instance_id": row.instance_id,
        "process_key": row.process_key,
        "business_key": row.business_key,
        "action": row.action,
        "element_id": row.element_id,
        "error": row.error,
        "state": row.state,
        "attempts": row.attempts,
        "at": row.at,
    }
