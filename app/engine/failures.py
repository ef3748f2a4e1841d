"""An action that broke: rolled back by the edge, then recorded as an incident (异常事件)."""

import traceback
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.db import RecordedFailure
from app.core.errors import HotlineError
from app.core.logs import logger
from app.engine.models import Incident, ProcessInstance


@dataclass(frozen=True)
class Attempt:
    """What was tried, with all that a retry needs. `instance_id` is None for a failed start."""

    instance_id: int | None
    process_key: str
    business_key: str
    action: str
    element_id: str | None
    request: dict[str, Any]
    at: datetime


class ActionFailed(HotlineError, RecordedFailure):
    """An action broke unexpectedly; after the rollback it leaves an incident."""

    def __init__(self, attempt: Attempt, cause: BaseException) -> None:
        super().__init__("处理时发生内部错误，数据没有变化，已记录异常事件待重试", "INTERNAL")
        self.attempt = attempt
        frames = [f for f in traceback.extract_tb(cause.__traceback__) if "/app/" in f.filename]
        self.trace = [f"{f.filename.rpartition('/app/')[2]}:{f.lineno} {f.name}" for f in frames]
        place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
        self.error = f"{type(cause).__name__}{place}"

    def record(self, session: Session) -> None:
        """Write the incident; a timer that broke stops its instance's timers until the retry.

        The log gets the places in the code; an exception's text may quote a citizen.
        """
        attempt = self.attempt
        logger().error(
            "action_failed",
            action=attempt.action,
            element=attempt.element_id,
            instance=attempt.instance_id,
            error=self.error,
            trace=self.trace,
        )
        known = self._known(session)
        if known is None:
            known = Incident(
                instance_id=attempt.instance_id,
                process_key=attempt.process_key,
                business_key=attempt.business_key,
                action=attempt.action,
                state="open",
                attempts=0,
            )
            session.add(known)
        known.attempts += 1
        known.error = self.error
        known.element_id = attempt.element_id
        known.request = attempt.request
        known.at = attempt.at
        if attempt.action == "fire_due":
            session.execute(
                update(ProcessInstance)
                .where(ProcessInstance.id == attempt.instance_id)
                .values(status="incident")
            )

    def _known(self, session: Session) -> Incident | None:
        """The open incident of the same action on the same task: trying again only counts."""
        same = session.scalars(
            select(Incident).where(
                Incident.state == "open",
                Incident.process_key == self.attempt.process_key,
                Incident.business_key == self.attempt.business_key,
                Incident.action == self.attempt.action,
            )
        )
        wanted = self.attempt.request.get("task_id")
        return next((i for i in same if i.request.get("task_id") == wanted), None)


def is_for_caller(error: Exception, *, unattended: bool) -> bool:
    """Refusals are the caller's, unless the scheduler is the caller.

    It has nobody to tell, and would meet the same instance again at every tick and get no further.
    A database that is away or asks for another try (SQLSTATE 08, 40, 53, 57, or none) says nothing
    about the instance; one that refuses what a step writes has met a defect, as any other.
    """
    if isinstance(error, HotlineError):
        return not unattended or isinstance(error, ActionFailed)
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or "08"
        return state[:2] in {"08", "40", "53", "57"}
    return False
