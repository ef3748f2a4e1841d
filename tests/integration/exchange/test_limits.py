"""How often a platform may call: shared by nodes, refused with the time to wait, forgotten."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.core.db import db, session, transact
from app.core.errors import RateLimited
from app.exchange import limits, rules
from app.exchange.models import RateBucket

pytestmark = pytest.mark.usefixtures("context")


def caller() -> str:
    return f"rate-{uuid.uuid4().hex[:10]}"


def wait(name: str, seconds: float) -> None:
    """Let time pass for one bucket."""
    with db.engine.begin() as connection:
        connection.execute(
            text("update rate_buckets set full_at = full_at - :by where key = :key"),
            {"key": f"partner:{name}", "by": timedelta(seconds=seconds)},
        )


def refused(name: str, per_minute: int, burst: int) -> int:
    """The seconds a caller is told to wait."""
    with pytest.raises(RateLimited) as refusal:
        limits.take(name, per_minute=per_minute, burst=burst)
    return int(refusal.value.details["retry_after"])


def test_a_burst_is_let_in_at_once_and_then_the_rate_alone() -> None:
    name = caller()
    for _ in range(5):
        limits.take(name, per_minute=60, burst=5)

    assert refused(name, 60, 5) == 1
    wait(name, 1)
    limits.take(name, per_minute=60, burst=5)
    assert refused(name, 60, 5) == 1
    assert refused(name, 6, 1) > 1


def test_a_refused_request_is_not_counted() -> None:
    name = caller()
    limits.take(name, per_minute=1, burst=1)
    told = [refused(name, 1, 1) for _ in range(5)]

    assert all(59 <= seconds <= 60 for seconds in told)


def test_a_quiet_caller_saves_up_no_more_than_its_burst() -> None:
    name = caller()
    limits.take(name, per_minute=60, burst=3)
    wait(name, 3600)
    for _ in range(3):
        limits.take(name, per_minute=60, burst=3)

    assert refused(name, 60, 3) == 1


def test_callers_at_the_same_moment_get_exactly_what_there_is(app: Flask) -> None:
    name = caller()
    let_in: list[bool] = []

    def call() -> None:
        with app.app_context():
            for _ in range(10):
                try:
                    limits.take(name, per_minute=1, burst=17)
                    let_in.append(True)
                except RateLimited:
                    let_in.append(False)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(let_in), len(let_in)) == (17, 40)


def test_one_caller_says_nothing_about_another() -> None:
    one, other = caller(), caller()
    limits.take(one, per_minute=1, burst=1)

    limits.take(other, per_minute=1, burst=1)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "ip:203.0.113.7"),
        ("::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::"),
        ("2001:db8:1:2::9", "ip:2001:db8:1:2::"),
        ("-", "ip:-"),
    ],
)
def test_a_stranger_is_its_address_and_a_network_of_ipv6_one_stranger(
    address: str, key: str
) -> None:
    assert rules.caller_key(address) == key


def test_what_is_full_again_is_forgotten() -> None:
    quiet, busy = caller(), caller()
    limits.take(quiet, per_minute=60, burst=1)
    limits.take(busy, per_minute=1, burst=1)
    wait(quiet, 10)

    transact(lambda: limits.forget_full(datetime.now(UTC)))

    keys = select(RateBucket.key).where(RateBucket.key.in_([f"partner:{quiet}", f"partner:{busy}"]))
    assert session().scalars(keys).all() == [f"partner:{busy}"]
