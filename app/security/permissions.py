"""The permission table: which role may do what. Whose tickets, is the ticket room's question.

An edge asks `require(principal, action)` before anything else and then reads with the principal's
scope. The three administrators (三员) exclude each other and hold no business role (SEC-13).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.errors import NotAllowed
from app.security.principal import Principal

LEVELS = ("national", "province", "city", "county")


@dataclass(frozen=True)
class Role:
    """A role: its Chinese name and the levels of units whose staff can hold it."""

    name: str
    levels: tuple[str, ...]
    administrator: bool = False


ROLES: dict[str, Role] = {
    "national": Role("国家业务员", ("national",)),
    "province_operator": Role("省业务员", ("province",)),
    "province_agent": Role("省坐席员", ("province",)),
    "province_leader": Role("省审批人", ("province",)),
    "city_operator": Role("市业务员", ("city",)),
    "county_operator": Role("县业务员", ("county",)),
    "supervisor": Role("督办员", LEVELS),
    "process_analyst": Role("流程分析员", ("national", "province")),
    "system_admin": Role("系统管理员", ("national", "province"), administrator=True),
    "security_admin": Role("安全管理员", ("national", "province"), administrator=True),
    "audit_admin": Role("审计管理员", ("national", "province"), administrator=True),
}

OPERATOR = "operator"
"""What a task's role says when any level's operator of its unit may do it (本单位业务员)."""

_OPERATORS = frozenset({"national", "province_operator", "city_operator", "county_operator"})
_HANDLERS = _OPERATORS | {"province_agent", "province_leader"}
_BUSINESS = _HANDLERS | {"supervisor"}
_UPPER = frozenset({"national", "province_operator", "city_operator"})
_TECHNICAL = frozenset({"process_analyst", "system_admin"})
_ADMINISTRATORS = frozenset({"system_admin", "security_admin", "audit_admin"})
_EVERYBODY = frozenset(ROLES)

PERMISSIONS: dict[str, frozenset[str]] = {
    # tickets 工单
    "ticket.view": _BUSINESS,
    "ticket.search": _BUSINESS,
    "ticket.register": _UPPER | {"province_agent"},
    "call.answer": frozenset({"province_agent"}),
    "ticket.supplement": _HANDLERS,
    "ticket.reveal": _HANDLERS,
    "ticket.view_sealed": frozenset({"province_operator", "province_agent", "province_leader"}),
    "ticket.print": _BUSINESS,
    "ticket.export": _OPERATORS | {"province_leader", "supervisor"},
    "ticket.extend": _OPERATORS,
    "ticket.return": _OPERATORS,
    "ticket.recall": _UPPER,
    "ticket.suspend": _OPERATORS,
    "ticket.withdraw": frozenset({"province_operator", "province_agent"}),
    "ticket.urge": _UPPER | {"province_agent", "supervisor"},
    "ticket.supervise": frozenset({"supervisor"}),
    "ticket.approve": frozenset({"province_leader"}),
    # tasks 待办
    "task.view": _BUSINESS,
    "task.claim": _BUSINESS,
    "task.complete": _BUSINESS,
    "task.reassign": _OPERATORS | {"province_leader"},
    # attachments 附件
    "attachment.upload": _BUSINESS,
    "attachment.download": _BUSINESS,
    # statistics 统计
    "statistics.view": _BUSINESS | {"process_analyst"},
    # diagrams and running processes 流程
    "diagram.view": _TECHNICAL,
    "diagram.edit": frozenset({"process_analyst"}),
    "diagram.deploy": frozenset({"process_analyst"}),
    "diagram.approve": frozenset({"process_analyst"}),
    "process.view": _TECHNICAL,
    "process.start": _TECHNICAL,
    "process.cancel": _TECHNICAL,
    "process.migrate": frozenset({"process_analyst"}),
    "message.send": _TECHNICAL,
    "incident.view": _TECHNICAL,
    "incident.retry": _TECHNICAL,
    # deliveries 投递
    "queue.view": _TECHNICAL | {"province_operator"},
    "queue.replay": frozenset({"system_admin", "province_operator"}),
    # time limits 时限
    "calendar.view": _BUSINESS | _TECHNICAL,
    "deadline.trial": _BUSINESS | _TECHNICAL,
    # administration 管理
    "partner.view": frozenset({"system_admin", "security_admin"}),
    "partner.manage": frozenset({"system_admin"}),
    "calendar.manage": frozenset({"system_admin"}),
    "deadline.manage": _TECHNICAL,
    "unit.manage": frozenset({"system_admin"}),
    "division.manage": frozenset({"system_admin"}),
    "user.view": _ADMINISTRATORS,
    "user.manage": frozenset({"system_admin"}),
    "user.grant": frozenset({"security_admin"}),
    "user.unlock": frozenset({"security_admin"}),
    "accesslog.view": frozenset({"audit_admin"}),
    "accesslog.export": frozenset({"audit_admin"}),
    # one's own account 本人账号
    "account.password": _EVERYBODY,
    "notification.read": _EVERYBODY,
    "account.token": _BUSINESS | _TECHNICAL,
}
"""Action → roles. An action that is not in the table is a programming error, not a refusal."""


def implied(roles: Iterable[str]) -> frozenset[str]:
    """The roles held and what they imply: each level's operator is an `operator`."""
    held = frozenset(roles)
    return held if held.isdisjoint(_OPERATORS) else held | {OPERATOR}


def may(principal: Principal | None, action: str) -> bool:
    """Whether one of the principal's roles permits the action; nobody signed in may nothing."""
    permitted = PERMISSIONS[action]
    return principal is not None and not principal.roles.isdisjoint(permitted)


def require(principal: Principal | None, action: str) -> Principal:
    """The principal, when permitted. Raises NotAllowed otherwise.

    With a password that must be changed first, only the action that changes it is permitted.
    """
    if principal is None or not may(principal, action):
        raise NotAllowed
    if principal.must_change_password and action != "account.password":
        raise NotAllowed("请先修改密码", "PASSWORD_CHANGE_REQUIRED")
    return principal


def role_names(roles: Iterable[str]) -> list[str]:
    """Chinese names in the order of the table."""
    held = set(roles)
    return [role.name for code, role in ROLES.items() if code in held]


def role_objections(roles: Iterable[str], level: str) -> list[str]:
    """Why these roles cannot be held together by staff of such a unit; empty when they can."""
    held = sorted(set(roles))
    found = [f"没有名为“{code}”的角色" for code in held if code not in ROLES]
    known = [ROLES[code] for code in held if code in ROLES]
    found += [f"本级机构不能设置“{role.name}”" for role in known if level not in role.levels]
    if any(role.administrator for role in known) and len(known) > 1:
        found.append("系统管理员、安全管理员、审计管理员须由不同人员担任，且不得兼任业务角色")
    return found
