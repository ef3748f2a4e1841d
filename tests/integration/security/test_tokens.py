"""Bearer tokens: shown once, cheap to look up, ended by time, owner or administrator."""

import hashlib
import uuid

import pytest
from sqlalchemy import select

from app.core import clock as core_clock
from app.core.db import db, session, transact
from app.core.errors import Invalid, NotFound
from app.security import services, tokens
from app.security.models import ApiToken, User
from app.security.principal import SYSTEM
from app.security.queries import principal_for_user, tokens_of


def make_token(user: User, days: int = 30) -> str:
    now = core_clock.now()
    principal = principal_for_user(user.id, now)
    return transact(lambda: tokens.create_token(principal, "报表程序", now, days))


def test_a_token_stands_for_its_user_and_is_stored_as_a_hash(make_user):
    user = make_user()
    token = make_token(user)

    principal = tokens.principal_for_token(token, core_clock.now())

    assert principal == principal_for_user(user.id, core_clock.now())
    row = session().scalars(select(ApiToken).where(ApiToken.user_id == user.id)).one()
    assert row.token_hash == hashlib.sha256(token.encode()).digest()
    assert token.startswith("zb_")


def test_looking_a_token_up_is_exactly_one_statement(make_user, statements):
    token = make_token(make_user())
    db.session.remove()
    statements.clear()

    assert tokens.principal_for_token(token, core_clock.now()) is not None

    assert len(statements) == 1
    assert statements[0].startswith("SELECT")


def test_what_is_no_token_of_ours_costs_no_statement(context, statements):
    assert tokens.principal_for_token("eyJhbGciOiJIUzI1NiJ9", core_clock.now()) is None
    assert statements == []


@pytest.mark.parametrize("token", ["zb_", "zb_guess", "zb_" + "A" * 43])
def test_a_guessed_token_is_nobody(context, clock, token):
    assert tokens.principal_for_token(token, core_clock.now()) is None


def test_a_token_ends_with_its_last_day(make_user, clock):
    token = make_token(make_user(), days=1)

    clock.move(hours=23, minutes=59)
    assert tokens.principal_for_token(token, core_clock.now())
    clock.move(minutes=1)
    assert tokens.principal_for_token(token, core_clock.now()) is None


def test_a_revoked_token_is_nobody_and_no_longer_listed(make_user):
    user = make_user()
    token = make_token(user)
    principal = principal_for_user(user.id, core_clock.now())
    (row,) = tokens_of(user.id)

    transact(lambda: tokens.revoke_token(principal, row.id, core_clock.now(), ip=None))

    assert tokens.principal_for_token(token, core_clock.now()) is None
    assert tokens_of(user.id) == []


def test_an_outsider_cannot_revoke_a_token(make_user):
    owner, outsider = make_user(), make_user()
    token = make_token(owner)
    (row,) = tokens_of(owner.id)
    principal = principal_for_user(outsider.id, core_clock.now())

    with pytest.raises(NotFound):
        transact(lambda: tokens.revoke_token(principal, row.id, core_clock.now(), ip=None))

    assert tokens.principal_for_token(token, core_clock.now()) is not None


def test_a_disabled_user_s_token_falls_silent_and_an_old_password_does_not_matter(make_user, clock):
    user = make_user()
    token = make_token(user, days=365)

    clock.move(days=200)
    principal = tokens.principal_for_token(token, core_clock.now())
    assert principal is not None
    assert not principal.must_change_password

    now = core_clock.now()
    transact(lambda: services.set_enabled(user.id, False, by=SYSTEM, ip=None, now=now))
    assert tokens.principal_for_token(token, now) is None


def test_use_is_to_be_noted_at_most_once_an_hour(make_user, clock):
    token = make_token(make_user())

    def stale() -> bool:
        holder = tokens.holder_for_token(token, core_clock.now())
        assert holder is not None
        if holder.stale:
            transact(lambda: tokens.touch_token(holder.key, core_clock.now()))
        return holder.stale

    seen = []
    for _ in range(4):
        seen.append(stale())
        clock.move(minutes=30)

    assert seen == [True, False, True, False]


@pytest.mark.parametrize(
    ("name", "days", "field"), [("", 30, "name"), ("a", 0, "days"), ("a", 366, "days")]
)
def test_a_token_needs_a_purpose_and_a_sane_life(make_user, name, days, field):
    principal = principal_for_user(make_user().id, core_clock.now())

    with pytest.raises(Invalid) as refusal:
        transact(lambda: tokens.create_token(principal, name, core_clock.now(), days))

    assert refusal.value.errors[0].field == field


def test_tokens_differ(make_user):
    user = make_user(username=f"t{uuid.uuid4().hex[:10]}")

    assert len({make_token(user) for _ in range(5)}) == 5
