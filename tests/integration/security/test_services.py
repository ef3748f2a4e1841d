"""Accounts: opening them, passwords, roles, and the traces they leave."""

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from app.core import clock as core_clock
from app.core.db import session, transact
from app.core.errors import Conflict, Invalid, NotFound
from app.security import access, passwords, services
from app.security.models import LoginSession, User
from app.security.principal import SYSTEM, Principal
from app.security.queries import principal_for_user, users
from tests.integration.security.conftest import PASSWORD, unit_at


def principal_of(user: User) -> Principal:
    principal = principal_for_user(user.id, core_clock.now())
    assert principal is not None
    return principal


def test_a_new_user_is_known_with_unit_and_roles(make_user):
    user = make_user("county", position="科员", phone="0851-85551234")

    principal = principal_of(user)

    unit = unit_at("county")
    assert (principal.unit_id, principal.unit_name, principal.level, principal.division_code) == (
        unit.id,
        unit.name,
        "county",
        unit.division_code,
    )
    assert principal.roles == {"county_operator", "operator"}
    assert (principal.position, principal.phone) == ("科员", "0851-85551234")
    assert not principal.must_change_password


def test_the_password_is_stored_as_a_hash_only(make_user):
    user = make_user()

    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in user.password_hash


def test_everything_wrong_with_a_new_account_is_told_at_once(context):
    def create() -> User:
        return services.create_user(
            "张 三",
            "short",
            display_name=" ",
            unit_id=-1,
            roles=["king"],
            now=core_clock.now(),
        )

    with pytest.raises(Invalid) as refusal:
        transact(create)

    fields = {error.field for error in refusal.value.errors}
    assert fields == {"username", "password", "display_name", "unit_id"}


def test_a_role_of_another_level_is_refused(make_user):
    with pytest.raises(Invalid) as refusal:
        make_user("county", roles=["province_operator"])

    assert refusal.value.errors[0].field == "roles"


def test_a_user_name_is_given_once_whatever_its_case(make_user):
    user = make_user()

    with pytest.raises(Conflict) as refusal:
        make_user(username=user.username.upper())

    assert refusal.value.code == "USERNAME_TAKEN"


def test_a_first_password_must_be_changed(make_user):
    user = make_user(must_change_password=True)
    principal = principal_of(user)
    assert principal.must_change_password

    transact(
        lambda: services.change_password(
            principal, PASSWORD, "Another-12317", ip=None, now=core_clock.now()
        )
    )

    assert not principal_of(user).must_change_password


def test_a_password_must_be_changed_after_ninety_days(make_user, clock):
    user = make_user()

    clock.move(days=passwords.VALID_DAYS - 1)
    assert not principal_of(user).must_change_password
    clock.move(days=1)
    assert principal_of(user).must_change_password


def change(principal: Principal, old: str, new: str) -> None:
    transact(lambda: services.change_password(principal, old, new, ip="::1", now=core_clock.now()))


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ("Wrong-12317-x", "Another-12317", "old_password", "match"),
        (PASSWORD, "short", "new_password", "policy"),
        (PASSWORD, PASSWORD, "new_password", "history"),
    ],
)
def test_a_bad_change_is_refused_and_the_old_password_stays(make_user, old, new, field, rule):
    user = make_user()

    with pytest.raises(Invalid) as refusal:
        change(principal_of(user), old, new)

    assert (refusal.value.errors[0].field, refusal.value.errors[0].rule) == (field, rule)
    assert passwords.matches(session().get_one(User, user.id).password_hash, PASSWORD)


def test_the_last_five_passwords_may_not_come_back(make_user):
    principal = principal_of(make_user())
    used = [PASSWORD, *(f"Guizhou-1231{number}" for number in range(5))]
    for old, new in pairwise(used):
        change(principal, old, new)

    for forbidden in used[1:]:
        with pytest.raises(Invalid):
            change(principal, used[-1], forbidden)
    change(principal, used[-1], PASSWORD)


def open_session(user: User) -> None:
    def insert() -> None:
        now = core_clock.now()
        token = uuid.uuid4().bytes
        session().add(
            LoginSession(
                token_hash=token, user_id=user.id, created_at=now, last_seen_at=now, ip=None
            )
        )

    transact(insert)


def open_sessions(user: User) -> int:
    query = select(LoginSession).where(LoginSession.user_id == user.id)
    return len(session().scalars(query).all())


@pytest.mark.parametrize("act", ["change", "reset", "disable"])
def test_changing_resetting_or_disabling_ends_all_sessions(make_user, act):
    user = make_user()
    principal = principal_of(user)
    open_session(user)
    now = core_clock.now()

    def work() -> None:
        if act == "change":
            services.change_password(principal, PASSWORD, "Another-12317", ip=None, now=now)
        elif act == "reset":
            services.reset_password(user.id, "Another-12317", by=SYSTEM, ip=None, now=now)
        else:
            services.set_enabled(user.id, False, by=SYSTEM, ip=None, now=now)

    transact(work)

    assert open_sessions(user) == 0


def test_a_reset_password_obeys_the_policy_and_must_be_changed(make_user):
    user = make_user()

    def reset(new: str) -> None:
        now = core_clock.now()
        transact(lambda: services.reset_password(user.id, new, by=SYSTEM, ip=None, now=now))

    with pytest.raises(Invalid):
        reset("short")
    reset("Another-12317")

    assert principal_of(user).must_change_password


def test_a_disabled_user_is_nobody_until_enabled_again(make_user):
    user = make_user()
    now = core_clock.now()

    transact(lambda: services.set_enabled(user.id, False, by=SYSTEM, ip=None, now=now))
    assert principal_for_user(user.id, now) is None

    transact(lambda: services.set_enabled(user.id, True, by=SYSTEM, ip=None, now=now))
    assert principal_for_user(user.id, now) is not None


def grant(user: User, roles: list[str], by: Principal) -> None:
    now = core_clock.now()
    transact(lambda: services.grant_roles(user.id, roles, by=by, ip="::1", now=now))


def test_granted_roles_replace_the_old_ones_and_are_logged(make_user):
    user, admin = make_user(), make_user("province", roles=["security_admin"])

    grant(user, ["city_operator", "supervisor"], principal_of(admin))

    assert principal_of(user).roles == {"city_operator", "operator", "supervisor"}
    line = access.trail("user", user.id)[0]
    assert (line.action, line.user_id) == ("user.grant", admin.id)
    assert line.detail == {"before": ["city_operator"], "after": ["city_operator", "supervisor"]}


def test_nobody_grants_roles_to_himself_or_joins_administrators(make_user):
    user, admin = make_user(), make_user("province", roles=["security_admin"])

    with pytest.raises(Invalid):
        grant(admin, ["audit_admin"], principal_of(admin))
    with pytest.raises(Invalid):
        grant(user, ["system_admin", "city_operator"], principal_of(admin))


def test_an_unknown_user_is_not_found(context):
    with pytest.raises(NotFound):
        transact(lambda: services.set_enabled(-1, False, by=SYSTEM, ip=None, now=core_clock.now()))


def test_users_are_listed_page_by_page(make_user):
    unit_id = unit_at("city").id
    names = sorted(make_user().username for _ in range(3))

    page = users(unit_id=unit_id, role="city_operator", enabled=True, after="", limit=1000)
    assert set(names) <= {user.username for user in page}

    assert users(unit_id=unit_id, after=names[0], limit=1)[0].username > names[0]


def test_sweeping_removes_dead_sessions_only(make_user, clock):
    user = make_user()
    open_session(user)
    clock.move(days=1, minutes=1)
    open_session(user)

    transact(lambda: services.sweep(core_clock.now()))

    assert open_sessions(user) == 1


def test_accounts_leave_traces_without_passwords(make_user):
    user = make_user()

    line = access.trail("user", user.id)[0]

    assert (line.action, line.user_name) == ("user.create", "系统")
    assert line.at - core_clock.now() < timedelta(seconds=1)
    assert PASSWORD not in str(line.detail)
