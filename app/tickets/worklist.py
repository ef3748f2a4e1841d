"""The worklist (待办): open tasks by light, within a light the one due first (UI-01).

Lights change with time and nothing is written when they do: a task carries the moments of its
lights, and each light is a stretch of the unit's index by due date.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select, tuple_

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.deadlines.ladder import GREEN, ORANGE, RED, YELLOW
from app.deadlines.models import Deadline
from app.engine.models import NO_DUE_DATE, UserTask
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, tasks_in_scope

LIGHTS = (RED, ORANGE, YELLOW, GREEN)
"""In the order of the list."""
Found = Row[UserTask, Ticket, Deadline | None]


@dataclass(frozen=True)
class TaskFilter:
    """What the worklist shows."""

    mine: bool = False
    step: str | None = None
    category: int | None = None
    text: str | None = None
    light: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a page ended. The pages that follow sort by the lights of the first one's moment."""

    at: datetime
    light: str
    sort_at: datetime
    task_id: UUID

    def __str__(self) -> str:
        fields = (self.at.isoformat(), self.light, self.sort_at.isoformat(), str(self.task_id))
        return base64.urlsafe_b64encode("|".join(fields).encode()).decode()


def read_place(text: str) -> Place:
    """The place a cursor names; Invalid for anything else."""
    try:
        at, light, sort_at, task_id = base64.urlsafe_b64decode(text.encode()).decode().split("|")
        place = Place(
            datetime.fromisoformat(at), light, datetime.fromisoformat(sort_at), UUID(task_id)
        )
        if light in LIGHTS and place.at.tzinfo and place.sort_at.tzinfo:
            return place
    except ValueError:
        pass
    raise Invalid([FieldError("after", "cursor", "翻页游标无效")])


def page(
    principal: Principal,
    wanted: TaskFilter,
    now: datetime,
    *,
    after: Place | None = None,
    counts: Mapping[str, int] | None = None,
    limit: int = PAGE,
) -> tuple[list[Found], Place | None]:
    """A page of open tasks, and the place where the next one begins or None.

    Light after light is asked for until the page is full: one statement where much is late, at
    most four. `counts` at this moment, of all that the unit has, say where to stop looking.
    """
    at = after.at if after else now
    most = counts if counts and at == now else dict.fromkeys(LIGHTS, limit + 1)
    lights: Sequence[str] = LIGHTS[LIGHTS.index(after.light) :] if after else LIGHTS
    found: list[tuple[str, Found]] = []
    for light in lights:
        rest = min(limit + 1 - len(found), most[light])
        if rest > 0 and wanted.light in {None, light}:
            start = after if after and after.light == light else None
            rows = _of_light(principal, wanted, light, at, start, rest)
            found += [(light, row) for row in rows]
    rows = [row for _, row in found[:limit]]
    if len(found) <= limit:
        return rows, None
    light, last = found[limit - 1]
    return rows, Place(at, light, last[0].sort_at, last[0].id)


def light_of(task: UserTask, now: datetime) -> str:
    """The light of a task, as the list sorts it."""
    for light, moment in ((RED, task.sort_at), (ORANGE, task.orange_at), (YELLOW, task.yellow_at)):
        if moment < now or (light != RED and moment == now):
            return light
    return GREEN


def stands_still(task: UserTask) -> bool:
    """Whether the task's clock is paused (暂停)."""
    return task.due_at is not None and task.sort_at == NO_DUE_DATE


def light_counts(principal: Principal, now: datetime) -> dict[str, int]:
    """How many open tasks have which light: one pass over the unit's part of the index."""
    light = case(*((_is(each, now), each) for each in LIGHTS[:-1]), else_=GREEN)
    rows = session().execute(
        select(light, func.count()).where(tasks_in_scope(principal)).group_by(light)
    )
    counts = dict.fromkeys(LIGHTS, 0) | {name: number for name, number in rows}
    return {"all": sum(counts.values()), **counts}


def _of_light(
    principal: Principal,
    wanted: TaskFilter,
    light: str,
    at: datetime,
    after: Place | None,
    limit: int,
) -> Sequence[Found]:
    """The ids come from the index alone; only the rows of the page are read."""
    ids = select(UserTask.id).where(tasks_in_scope(principal), _is(light, at))
    ids = _narrowed(ids, principal, wanted)
    if after is not None:
        ids = ids.where(tuple_(UserTask.sort_at, UserTask.id) > (after.sort_at, after.task_id))
    ids = ids.order_by(UserTask.sort_at, UserTask.id).limit(limit)
    return (
        session()
        .execute(
            select(UserTask, Ticket, Deadline)
            .join(Ticket, Ticket.acceptance_no == UserTask.business_key)
            .outerjoin(Deadline, Deadline.task_id == UserTask.id)
            .where(UserTask.id.in_(ids.scalar_subquery()))
            .order_by(UserTask.sort_at, UserTask.id)
        )
        .all()
    )


def _is(light: str, at: datetime) -> ColumnElement[bool]:
    """Whether a task has this light: it begins at one moment and ends at the next."""
    begins = {ORANGE: UserTask.orange_at <= at, YELLOW: UserTask.yellow_at <= at}
    over = {YELLOW: UserTask.orange_at > at, GREEN: UserTask.yellow_at > at}
    if light == RED:
        return UserTask.sort_at < at
    found = UserTask.sort_at >= at
    for each in (begins.get(light), over.get(light)):
        found = found if each is None else found & each
    return found


def _narrowed(query: Select[UUID], principal: Principal, wanted: TaskFilter) -> Select[UUID]:
    if wanted.category or wanted.text:
        query = query.join(Ticket, Ticket.acceptance_no == UserTask.business_key)
    if wanted.mine:
        query = query.where(UserTask.assignee_id == principal.user_id)
    if wanted.step:
        query = query.where(UserTask.element_id == wanted.step)
    if wanted.category:
        query = query.where(Ticket.problem_category == wanted.category)
    if wanted.text:
        titled = Ticket.title.contains(wanted.text, autoescape=True)
        if principal.level in {"city", "county"}:  # where a summary hides what was said
            titled &= Ticket.summary.is_(None)
        query = query.where(
            or_(
                Ticket.acceptance_no == wanted.text.upper(),
                Ticket.external_ticket_no == wanted.text,
                titled,
            )
        )
    return query
