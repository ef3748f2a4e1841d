"""A night in which nothing ran, with hundreds of tickets over: each urges once (scenario 15).

Thousands of them are measured by `python -m tests.bench.night`.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from app.core.db import db
from app.deadlines.enforcement import BATCH
from tests.support import nights
from tests.support.journey import World
from tests.support.journey import complaint as from_guizhou
from tests.support.people import CHONGQING, WANZHOU
from tests.support.timelimits import deadlines, hour

pytestmark = pytest.mark.slow

TICKETS = 300


def complaint() -> dict[str, object]:
    """A complaint from 重庆."""
    return from_guizhou(division_code=WANZHOU)


def test_each_ticket_that_a_night_let_pass_is_urged_once_by_two_schedulers(
    world_of: Callable[[str], World],
) -> None:
    world = world_of("500000")
    operator = world.employ(CHONGQING)
    with world.app.app_context():
        now = datetime.now(UTC)
        numbers = nights.receive_many(world.partner_id, TICKETS, now, complaint)
        db.session.remove()
    morning = deadlines(world, numbers[0])["total"].due_at + timedelta(hours=14)
    batches: list[int] = []

    def wake() -> None:
        with world.app.app_context():
            nights.wake(world.app, batches.append)

    def after_the_night() -> dict[str, Counter[int]]:
        with hour(morning), world.app.app_context():
            called = nights.call(numbers, morning)
            schedulers = [Thread(target=wake) for _ in range(2)]
            for each in schedulers:
                each.start()
            for each in schedulers:
                each.join()
            while called and nights.call(numbers, morning):
                nights.wake(world.app, batches.append)
            found = nights.told(numbers, operator.principal.user_id)
            db.session.remove()
        return found

    first, again = after_the_night(), after_the_night()

    once, never = Counter({1: TICKETS}), Counter({0: TICKETS})
    assert first["urges"] == first["urge_tasks"] == first["drawn"] == once
    assert first["total_red"] == first["sign_in_red"] == once
    assert first["overtaken"] == never
    assert len(first["told"]) == 1  # each as often as every other
    assert 0 not in first["told"]
    assert again == first
    assert max(batches) <= BATCH
    assert sum(batches) > 2 * TICKETS
