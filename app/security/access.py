"""The access log (操作日志, SEC-05 and SEC-14): write a line, search lines.

A line is written in the transaction of what it speaks of, so neither exists without the other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.core.db import session
from app.security.models import AccessLog
from app.security.principal import Principal

PAGE = 50


def record(
    principal: Principal,
    action: str,
    object_type: str,
    object_id: str | int,
    *,
    ip: str | None,
    now: datetime,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> AccessLog:
    """Add a line. `detail` takes field names, counts and codes, never a citizen's data."""
    line = AccessLog(
        at=now,
        user_id=principal.user_id,
        user_name=principal.display_name,
        unit_id=principal.unit_id,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        ip=ip,
        reason=reason,
        detail=detail or {},
    )
    session().add(line)
    session().flush()
    return line


@dataclass(frozen=True)
class Filter:
    """What an auditor looks for; every field that is set narrows the search."""

    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    user_id: int | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    ip: str | None = None


def lines(wanted: Filter, *, before_id: int | None = None, limit: int = PAGE) -> list[AccessLog]:
    """Lines from the newest back; `before_id` is the last id of the page before (keyset)."""
    query = select(AccessLog).order_by(AccessLog.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AccessLog.id < before_id)
    if wanted.since is not None:
        query = query.where(AccessLog.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AccessLog.at < wanted.until)
    for name in ("user_id", "action", "object_type", "object_id", "ip"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(AccessLog, name) == value)
    return list(session().scalars(query))


def trail(object_type: str, object_id: str | int, *, limit: int = PAGE) -> list[AccessLog]:
    """Who opened, revealed, printed or changed this object (查看痕迹), newest first."""
    return lines(Filter(object_type=object_type, object_id=str(object_id)), limit=limit)
