"""The result reaches 12345 once, whatever 12345 does meanwhile."""

import httpx
import pytest

from app.core.db import session
from app.exchange import post
from app.exchange.queries import deliveries_of
from tests.support.journey import Chain, World, serving


def concluded(world: World, people: Chain) -> str:
    """A ticket whose result is on its way."""
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert world.status(number) == "result_pending"
    return number


def test_a_platform_that_was_down_gets_the_result_once_it_is_up(world: World) -> None:
    people = world.chain()
    with serving(world.simulator) as address:
        gone = address  # nobody listens there from here on
    world.point_callback(gone)
    number = concluded(world, people)

    assert world.deliver() == 1
    assert world.status(number) == "result_pending"
    assert world.received() == []
    assert world.deliver() == 0  # it waits before it tries again
    with serving(world.simulator) as address:
        world.point_callback(address)
        world.hurry()
        assert world.deliver() == 1
        world.hurry()
        assert world.deliver() == 0

    assert world.status(number) == "callback_pending"
    (message,) = world.received()
    assert message.deliveries == 1
    with world.app.app_context():
        (sent,) = deliveries_of(number)
        assert (sent.state, sent.attempts) == ("delivered", 2)
        session().rollback()


def test_a_push_that_times_out_after_it_was_applied_is_applied_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT", httpx.Timeout(0.5))
    number = concluded(world, world.chain())
    world.misbehave("timeout", seconds=5, times=1)

    world.deliver()
    assert world.status(number) == "result_pending"
    assert len(world.received()) == 1
    world.hurry()
    world.deliver()

    assert world.status(number) == "callback_pending"
    (message,) = world.received()
    assert message.deliveries == 2
    with world.app.app_context():
        (sent,) = deliveries_of(number)
        assert sent.receipt_no == message.receipt_no
        session().rollback()


@pytest.mark.parametrize(
    ("mode", "tries_again"), [("fail", True), ("reject", False), ("duplicate", False)]
)
def test_only_the_platforms_own_word_ends_the_wait(
    world: World, mode: str, tries_again: bool
) -> None:
    number = concluded(world, world.chain())
    world.misbehave(mode, times=1)

    world.deliver()

    if mode == "duplicate":  # 12345 has it already: that is its receipt
        assert world.status(number) == "callback_pending"
        return
    assert world.status(number) == "result_pending"
    world.hurry()
    assert world.deliver() == (1 if tries_again else 0)
    assert world.status(number) == ("callback_pending" if tries_again else "result_pending")


def test_being_in_time_is_judged_by_the_audit_and_not_by_the_push(world: World) -> None:
    number = concluded(world, world.chain())
    before = world.partner.ticket(number).data["completed_at"]
    world.misbehave("fail", times=1)
    world.deliver()
    world.hurry()
    world.deliver()

    assert world.partner.ticket(number).data["completed_at"] == before is not None
