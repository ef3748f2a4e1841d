"""The worklist by light: what is late first, within a light the one due first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from app.core.db import db, session
from app.core.errors import Invalid
from app.engine.models import NO_DUE_DATE, UserTask
from app.tickets import worklist
from app.tickets.worklist import Place, TaskFilter
from tests.support.journey import Chain, World

NOW = datetime(2030, 5, 15, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = TaskFilter()


@pytest.fixture
def desk(world: World, app: Flask) -> Iterator[tuple[Chain, list[UUID]]]:
    """A unit with five open tasks of one ticket each; what is changed here is rolled back."""
    people = world.chain()
    numbers = [world.submit(content=f"反映灯序{uuid4().hex}需要核实处理。") for _ in range(5)]
    with app.app_context():
        rows = session().query(UserTask).filter(UserTask.business_key.in_(numbers)).all()
        session().execute(
            text("update user_tasks set state = 'done' where id <> all(:ids)"),
            {"ids": [row.id for row in rows]},
        )
        yield people, [row.id for row in rows]
        session().rollback()
        db.session.remove()


def light_up(task_id: UUID, yellow: float, orange: float, due: float) -> None:
    """Give a task its moments, in hours from now."""
    row = session().get_one(UserTask, task_id)
    row.yellow_at, row.orange_at = NOW + yellow * HOUR, NOW + orange * HOUR
    row.due_at = row.sort_at = NOW + due * HOUR
    session().flush()


def ids(people: Chain, wanted: TaskFilter = ALL, **more: object) -> list[UUID]:
    rows, _ = worklist.page(people.province.principal, wanted, NOW, **more)  # type: ignore[arg-type]
    return [task.id for task, _, _ in rows]


def test_lights_come_in_order_and_within_one_the_due_date(desk: tuple[Chain, list[UUID]]) -> None:
    people, (green, yellow, orange, late, later) = desk
    light_up(green, 1, 2, 3)  # due before all but the late ones, and yet not near
    light_up(yellow, -1, 1, 50)
    light_up(orange, -2, -1, 90)
    light_up(late, -3, -2, -1)
    light_up(later, -5, -4, -3)

    counts = worklist.light_counts(people.province.principal, NOW)
    assert ids(people) == [later, late, orange, yellow, green]
    assert ids(people, counts=counts) == ids(people)
    assert ids(people, TaskFilter(light="green"), counts=counts) == [green]
    assert counts == {"all": 5, "red": 2, "orange": 1, "yellow": 1, "green": 1}
    for light, members in {"red": [later, late], "orange": [orange], "green": [green]}.items():
        assert ids(people, TaskFilter(light=light)) == members


@pytest.mark.parametrize(
    ("yellow", "orange", "due", "light"),
    [
        (0, 1, 2, "yellow"),
        (0.001, 1, 2, "green"),
        (-1, 0, 2, "orange"),
        (-1, 0.001, 2, "yellow"),
        (-2, -1, 0, "orange"),
        (-2, -1, -0.001, "red"),
        (0, 0, 0, "orange"),
    ],
)
def test_a_light_begins_at_its_moment_and_the_due_moment_is_in_time(
    desk: tuple[Chain, list[UUID]], yellow: float, orange: float, due: float, light: str
) -> None:
    people, (first, *others) = desk
    light_up(first, yellow, orange, due)
    for other in others:
        light_up(other, 500, 600, 700)

    assert worklist.light_of(session().get_one(UserTask, first), NOW) == light
    assert first in ids(people, TaskFilter(light=light))
    assert worklist.light_counts(people.province.principal, NOW)[light] >= 1


def test_what_stands_still_is_nobodys_hurry(desk: tuple[Chain, list[UUID]]) -> None:
    people, tasks = desk
    for number, task_id in enumerate(tasks):
        light_up(task_id, 10, 20, 30 + number)
    row = session().get_one(UserTask, tasks[0])
    row.yellow_at = row.orange_at = row.sort_at = NO_DUE_DATE
    row.due_at = NOW - HOUR
    session().flush()

    assert ids(people)[-1] == tasks[0]
    assert worklist.stands_still(row)
    assert worklist.light_counts(people.province.principal, NOW)["red"] == 0


def test_pages_follow_the_lights_of_the_first_ones_moment(desk: tuple[Chain, list[UUID]]) -> None:
    people, tasks = desk
    for number, task_id in enumerate(tasks):
        light_up(task_id, number + 1, number + 2, number + 3)
    principal = people.province.principal

    first, place = worklist.page(principal, TaskFilter(), NOW, limit=2)
    assert place is not None
    read = worklist.read_place(str(place))
    much_later = NOW + timedelta(hours=5)
    second, place = worklist.page(principal, TaskFilter(), much_later, after=read, limit=2)
    assert place is not None
    third, end = worklist.page(principal, TaskFilter(), much_later, after=place, limit=2)

    assert [row[0].id for row in (*first, *second, *third)] == tasks
    assert end is None


def test_a_page_may_end_between_two_lights(desk: tuple[Chain, list[UUID]]) -> None:
    people, tasks = desk
    light_up(tasks[0], -3, -2, -1)
    light_up(tasks[1], -3, -2, 5)
    for task_id in tasks[2:]:
        light_up(task_id, -1, 4, 6)
    found: list[UUID] = []
    place: Place | None = None

    while True:
        page, place = worklist.page(
            people.province.principal, TaskFilter(), NOW, after=place, limit=1
        )
        found += [row[0].id for row in page]
        if place is None:
            break

    assert len(found) == len(set(found)) == 5
    assert found[:2] == tasks[:2]


@pytest.mark.parametrize("text", ["", "nonsense", "!!!", "YXxifGN8ZA=="])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        worklist.read_place(text)


def test_the_ids_of_a_page_come_from_the_index(desk: tuple[Chain, list[UUID]]) -> None:
    people, _ = desk
    for way in ("seqscan", "bitmapscan", "sort"):  # what is cheaper while tables are small
        session().execute(text(f"set local enable_{way} = off"))
    statement = text(
        "explain select id from user_tasks where state = 'open' and unit_id = :unit"
        " and role in ('province_operator') and sort_at >= now() and orange_at <= now()"
        " order by sort_at, id limit 21"
    )
    plan = "\n".join(
        session().scalars(statement, {"unit": people.province.principal.unit_id}).all()
    )

    assert "Index Only Scan using ix_user_tasks_unit_open" in plan
    assert "Sort" not in plan
