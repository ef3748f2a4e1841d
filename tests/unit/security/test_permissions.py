"""The permission table: every role and action, and the separation of the three administrators."""

from dataclasses import replace

import pytest

from app.core.errors import NotAllowed
from app.security.permissions import (
    PERMISSIONS,
    ROLES,
    may,
    require,
    role_names,
    role_objections,
)
from app.security.principal import SYSTEM, Principal

PERSON = Principal(
    1, "zunyi", "张三", "科员", "0851-85551234", 7, "遵义市农业农村局", "city", "520300000000"
)

CODES = {
    "N": "national",
    "P": "province_operator",
    "G": "province_agent",
    "L": "province_leader",
    "C": "city_operator",
    "K": "county_operator",
    "S": "supervisor",
    "A": "process_analyst",
    "1": "system_admin",
    "2": "security_admin",
    "3": "audit_admin",
}
MATRIX = {
    "ticket.view": "NPGLCKS",
    "ticket.search": "NPGLCKS",
    "ticket.register": "NPGC",
    "call.answer": "G",
    "ticket.supplement": "NPGLCK",
    "ticket.reveal": "NPGLCK",
    "ticket.view_sealed": "PGL",
    "ticket.print": "NPGLCKS",
    "ticket.export": "NPLCKS",
    "ticket.extend": "NPCK",
    "ticket.return": "NPCK",
    "ticket.recall": "NPC",
    "ticket.suspend": "NPCK",
    "ticket.withdraw": "PG",
    "ticket.urge": "NPGCS",
    "ticket.supervise": "S",
    "ticket.approve": "L",
    "task.view": "NPGLCKS",
    "task.claim": "NPGLCKS",
    "task.complete": "NPGLCKS",
    "task.reassign": "NPLCK",
    "attachment.upload": "NPGLCKS",
    "attachment.download": "NPGLCKS",
    "statistics.view": "NPGLCKSA",
    "notification.read": "NPGLCKSA123",
    "diagram.view": "A1",
    "diagram.edit": "A",
    "diagram.deploy": "A",
    "diagram.approve": "A",
    "process.view": "A1",
    "process.start": "A1",
    "process.cancel": "A1",
    "process.migrate": "A",
    "message.send": "A1",
    "incident.view": "A1",
    "incident.retry": "A1",
    "queue.view": "PA1",
    "queue.replay": "P1",
    "partner.view": "12",
    "partner.manage": "1",
    "calendar.manage": "1",
    "deadline.manage": "A1",
    "calendar.view": "NPGLCKSA1",
    "deadline.trial": "NPGLCKSA1",
    "unit.manage": "1",
    "division.manage": "1",
    "user.view": "123",
    "user.manage": "1",
    "user.grant": "2",
    "user.unlock": "2",
    "accesslog.view": "3",
    "accesslog.export": "3",
    "account.password": "NPGLCKSA123",
    "account.token": "NPGLCKSA1",
}


def with_roles(*roles: str) -> Principal:
    return replace(PERSON, roles=frozenset(roles))


def test_the_matrix_names_every_action_and_role():
    assert MATRIX.keys() == PERMISSIONS.keys()
    assert set(CODES.values()) == ROLES.keys()


@pytest.mark.parametrize("action", sorted(MATRIX))
@pytest.mark.parametrize("letter", sorted(CODES))
def test_each_role_may_exactly_what_the_matrix_says(action, letter):
    principal = with_roles(CODES[letter])

    assert may(principal, action) is (letter in MATRIX[action])
    if letter in MATRIX[action]:
        assert require(principal, action) is principal
    else:
        with pytest.raises(NotAllowed):
            require(principal, action)


@pytest.mark.parametrize("action", sorted(MATRIX))
def test_nobody_a_roleless_person_and_the_platform_may_nothing(action):
    for principal in (None, PERSON, SYSTEM):
        assert not may(principal, action)
        with pytest.raises(NotAllowed):
            require(principal, action)


def test_two_roles_add_up():
    principal = with_roles("province_operator", "province_leader")

    assert may(principal, "ticket.return")
    assert may(principal, "ticket.approve")


def test_an_unknown_action_is_a_programming_error():
    with pytest.raises(KeyError):
        may(with_roles("national"), "ticket.eat")


def test_an_outdated_password_opens_only_the_password_page():
    principal = replace(with_roles("city_operator"), must_change_password=True)

    assert require(principal, "account.password") is principal
    with pytest.raises(NotAllowed) as refusal:
        require(principal, "ticket.view")
    assert refusal.value.code == "PASSWORD_CHANGE_REQUIRED"


@pytest.mark.parametrize("admin", ["system_admin", "security_admin", "audit_admin"])
def test_no_administrator_sees_business_data(admin):
    assert not any(
        may(with_roles(admin), action) for action in MATRIX if action.startswith("ticket.")
    )


@pytest.mark.parametrize(
    ("roles", "level", "fine"),
    [
        (["province_operator", "province_agent"], "province", True),
        (["county_operator", "supervisor"], "county", True),
        ([], "county", True),
        (["system_admin"], "province", True),
        (["province_operator"], "city", False),
        (["system_admin"], "county", False),
        (["system_admin", "audit_admin"], "province", False),
        (["system_admin", "province_operator"], "province", False),
        (["king"], "national", False),
    ],
)
def test_roles_fit_the_level_and_administrators_stand_alone(roles, level, fine):
    assert (role_objections(roles, level) == []) is fine


def test_role_names_are_chinese_and_in_the_order_of_the_table():
    assert role_names({"supervisor", "national"}) == ["国家业务员", "督办员"]
