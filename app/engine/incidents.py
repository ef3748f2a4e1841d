"""Incidents (异常事件): what broke inside an action, and the operator's retry."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.core.db import session
from app.core.errors import Conflict, NotFound
from app.engine import runner
from app.engine.errors import InstanceExists, TaskAlreadyDone
from app.engine.models import Incident, ProcessInstance
from app.engine.registry import Actor


def open_incidents(limit: int = 100) -> list[Incident]:
    """The unresolved ones, oldest first."""
    return list(
        session().scalars(
            select(Incident).where(Incident.state == "open").order_by(Incident.id).limit(limit)
        )
    )


def retry(incident_id: int, *, by: str, now: datetime) -> Incident:
    """Do the recorded action again as its first actor; success resolves the incident.

    When it breaks again the failure is counted on the same incident. What somebody has done
    meanwhile counts as settled; any other refusal passes on and leaves the incident open.
    """
    incident = _locked(incident_id)
    request = dict(incident.request)
    actor = Actor(**request.pop("actor"))
    with suppress(TaskAlreadyDone, InstanceExists):
        _do(incident, request, actor, now)
    incident.state, incident.resolved_at, incident.resolved_by = "resolved", now, by
    session().flush()
    return incident


def dismiss(incident_id: int, *, by: str, now: datetime) -> Incident:
    """Close an incident whose matter was settled another way.

    Refused while a timer that broke still stops its instance: nothing but the retry lets it go on.
    """
    incident = _locked(incident_id)
    instance = session().get(ProcessInstance, incident.instance_id or 0)
    if incident.action == "fire_due" and instance is not None and instance.status == "incident":
        raise Conflict("该流程的定时器仍停止，只能重试", "INSTANCE_STOPPED")
    incident.state, incident.resolved_at, incident.resolved_by = "resolved", now, by
    session().flush()
    return incident


def _locked(incident_id: int) -> Incident:
    """The open incident, locked; NotFound or Conflict otherwise."""
    incident = session().get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("没有这条异常事件", "INCIDENT_NOT_FOUND")
    if incident.state != "open":
        raise Conflict("该异常事件已处理", "INCIDENT_RESOLVED", current_state=incident.state)
    return incident


def _do(incident: Incident, request: dict[str, Any], actor: Actor, now: datetime) -> None:
    if incident.action == "start":
        runner.start(
            incident.process_key,
            incident.business_key,
            request["variables"],
            actor=actor,
            now=now,
        )
    elif incident.action == "complete_task":
        runner.complete_task(UUID(request["task_id"]), request["values"], actor=actor, now=now)
    elif incident.action == "raise_event":
        runner.raise_event(
            incident.business_key,
            request["name"],
            request["payload"],
            actor=actor,
            now=now,
            task_id=UUID(request["task_id"]) if request["task_id"] else None,
            once=request["once"],
        )
    elif incident.action == "cancel":
        runner.cancel(incident.instance_id or 0, request["reason"], actor=actor, now=now)
    elif incident.action == "deliver_message":
        if "message_id" in request:
            runner.deliver_message(
                request["message_id"],
                request["name"],
                incident.business_key,
                request["payload"],
                now=now,
                actor=actor,
            )
        runner.deliver_early(incident.instance_id or 0, now=now)
    elif incident.action == "fire_due":
        session().execute(
            update(ProcessInstance)
            .where(ProcessInstance.id == incident.instance_id)
            .values(status="open")
        )
        runner.fire_due(incident.instance_id or 0, now=now)
