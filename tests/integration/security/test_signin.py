"""Signing in: the right password, the wrong one, and the locks."""

import threading
import uuid

import pytest
from argon2 import PasswordHasher
from flask import Flask

from app.core import clock as core_clock
from app.core.db import db, session, transact
from app.security import access, passwords, services, signin
from app.security.models import User
from app.security.principal import SYSTEM
from app.security.rules import FAILURES
from app.security.signin import LOCKED, WRONG, SignIn
from tests.integration.security.conftest import PASSWORD


def attempt(username: str, password: str, ip: str) -> SignIn:
    return transact(lambda: signin.authenticate(username, password, ip, core_clock.now()))


def other_ips() -> list[str]:
    return [f"2001:db8::{uuid.uuid4().hex[:4]}:{number}" for number in range(1, 20)]


def test_the_right_password_signs_in_and_the_last_time_is_told(make_user, fresh_ip, clock):
    user = make_user()
    started = core_clock.now()

    first = attempt(f" {user.username.upper()} ", PASSWORD, fresh_ip)
    clock.move(hours=1)
    second = attempt(user.username, PASSWORD, "2001:db8::2")

    assert first.principal is not None
    assert first.principal.user_id == user.id
    assert first.last_login_at is None
    assert second.last_login_at == started
    assert second.last_login_ip == fresh_ip


def test_wrong_password_unknown_name_and_disabled_account_look_the_same(make_user, fresh_ip):
    user, disabled = make_user(), make_user()
    now = core_clock.now()
    transact(lambda: services.set_enabled(disabled.id, False, by=SYSTEM, ip=None, now=now))

    outcomes = [
        attempt(user.username, "Wrong-12317-x", fresh_ip),
        attempt(f"nobody{uuid.uuid4().hex[:8]}", PASSWORD, fresh_ip),
        attempt(disabled.username, PASSWORD, fresh_ip),
    ]

    assert outcomes == [SignIn(None, WRONG)] * 3


def test_five_failures_lock_the_account_for_thirty_minutes_even_for_its_owner(make_user, clock):
    user = make_user()
    ips = other_ips()
    for ip in ips[:FAILURES]:
        assert attempt(user.username, "Wrong-12317-x", ip).refusal == WRONG

    assert attempt(user.username, PASSWORD, ips[6]).refusal == LOCKED
    assert signin.locked_until(user, core_clock.now()) is not None
    clock.move(minutes=29)
    assert attempt(user.username, PASSWORD, ips[6]).refusal == LOCKED
    clock.move(minutes=1)
    assert attempt(user.username, PASSWORD, ips[6]).principal is not None
    assert signin.locked_until(user, core_clock.now()) is None


def test_five_failures_from_one_address_lock_the_address_for_everybody(make_user, fresh_ip):
    for _ in range(FAILURES):
        attempt(f"nobody{uuid.uuid4().hex[:8]}", PASSWORD, fresh_ip)
    user = make_user()

    assert attempt(user.username, PASSWORD, fresh_ip).refusal == LOCKED
    assert attempt(user.username, PASSWORD, other_ips()[0]).principal is not None


def test_a_name_nobody_has_locks_like_any_other(context, clock):
    name = f"nobody{uuid.uuid4().hex[:8]}"
    ips = other_ips()
    for ip in ips[:FAILURES]:
        attempt(name, PASSWORD, ip)

    assert attempt(name, PASSWORD, ips[6]).refusal == LOCKED


def test_signing_in_forgets_the_failures_of_the_account_but_not_of_the_address(make_user, fresh_ip):
    user = make_user()
    for _ in range(FAILURES - 1):
        attempt(user.username, "Wrong-12317-x", fresh_ip)
    attempt(user.username, PASSWORD, fresh_ip)

    attempt(f"nobody{uuid.uuid4().hex[:8]}", PASSWORD, fresh_ip)

    assert attempt(user.username, PASSWORD, fresh_ip).refusal == LOCKED
    assert attempt(user.username, PASSWORD, other_ips()[0]).principal is not None


def test_failures_more_than_thirty_minutes_apart_lock_nothing(make_user, clock):
    user = make_user()
    for ip in other_ips()[:8]:
        attempt(user.username, "Wrong-12317-x", ip)
        clock.move(minutes=10)

    assert attempt(user.username, PASSWORD, other_ips()[0]).principal is not None


def test_an_administrator_unlocks_before_the_time(make_user):
    user = make_user()
    ips = other_ips()
    for ip in ips[:FAILURES]:
        attempt(user.username, "Wrong-12317-x", ip)

    transact(lambda: services.unlock(user.id, by=SYSTEM, ip=None, now=core_clock.now()))

    assert attempt(user.username, PASSWORD, ips[6]).principal is not None


def test_a_burst_of_parallel_guesses_is_not_checked_more_often(app: Flask, make_user):
    user = make_user()
    username, ips, outcomes = user.username, other_ips(), []
    start = threading.Barrier(8)

    def guess(number: int) -> None:
        with app.app_context():
            start.wait()
            outcomes.append(attempt(username, "Wrong-12317-x", ips[number]).refusal)
            db.session.remove()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == sorted([WRONG] * FAILURES + [LOCKED] * 3)


def test_an_outdated_hash_is_renewed_at_the_next_sign_in(make_user, fresh_ip):
    user = make_user()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

    def weaken() -> None:
        session().get_one(User, user.id).password_hash = weak

    transact(weaken)
    attempt(user.username, PASSWORD, fresh_ip)

    renewed = session().get_one(User, user.id).password_hash
    assert renewed != weak
    assert not passwords.is_outdated(renewed)


def test_refused_and_accepted_attempts_are_in_the_log(make_user, fresh_ip):
    user = make_user()

    attempt(user.username, "Wrong-12317-x", fresh_ip)
    attempt(user.username, PASSWORD, fresh_ip)

    actions = [(line.action, line.ip) for line in access.trail("user", user.id)]
    assert actions[:2] == [("session.open", fresh_ip), ("session.refuse", fresh_ip)]


@pytest.mark.parametrize("name", ["", "张三", "x" * 10_000, "a'; drop table users; --"])
def test_odd_names_are_refused_like_any_wrong_one(context, clock, fresh_ip, name):
    assert attempt(name, PASSWORD, fresh_ip).refusal in (WRONG, LOCKED)
