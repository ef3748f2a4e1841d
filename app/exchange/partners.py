"""Partner profiles (对接平台档案): made, changed, switched off; secrets shown once and rotated."""

import secrets as random_secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.exchange import guard, limits, rules, signature
from app.exchange.errors import NothingToRetire, RotationOpen, UnknownPartner
from app.exchange.models import Partner

ALGORITHMS = tuple(signature.ALGORITHMS)

ANONYMITY_MODES = ("named_requires_caller", "named_requires_group", "seed_literal", "lenient")

CHANGEABLE = frozenset(
    "name province_code sign_methods delivery callback_base callback_networks page_origin paths"
    " field_names boolean_mapping anonymity_mode ip_allow_list requests_per_minute request_burst"
    " retry_minutes"
    " enabled".split()
)
RATE = frozenset({"requests_per_minute", "request_burst"})


def create(app_id: str, profile: Mapping[str, Any]) -> tuple[Partner, str]:
    """A new partner and its secret, which is never shown again. Refused with all wrong fields."""
    values = {"sign_methods": list(ALGORITHMS), **profile}
    errors = _app_id_problems(app_id) + _problems(values)
    errors += [
        FieldError(name, "required", "此项必填")
        for name in ("name", "province_code")
        if not values.get(name)
    ]
    if errors:
        raise Invalid(errors)
    secret = _new_secret()
    partner = Partner(app_id=app_id, secrets=[secret], **values)
    session().add(partner)
    session().flush()
    return partner, secret


def update(partner_id: int, changes: Mapping[str, Any]) -> Partner:
    """Change a profile; only the fields of CHANGEABLE, refused with all wrong fields at once."""
    check(changes)
    partner = _locked(partner_id)
    for name, value in changes.items():
        setattr(partner, name, value)
    if not RATE.isdisjoint(changes):
        limits.forget(partner.app_id)
    session().flush()
    return partner


def check(changes: Mapping[str, Any]) -> None:
    """Invalid with all wrong fields, as `update` would be; changes nothing."""
    if errors := _problems(changes):
        raise Invalid(errors)


def rotate_secret(partner_id: int) -> str:
    """Add a second live secret, returned this once; we sign with the old one until it retires."""
    partner = _locked(partner_id)
    if len(partner.secrets) > 1:
        raise RotationOpen
    secret = _new_secret()
    partner.secrets = [*partner.secrets, secret]
    session().flush()
    return secret


def retire_old_secret(partner_id: int) -> None:
    """End a rotation: the old secret is refused from now on, and we sign with the new one."""
    partner = _locked(partner_id)
    if len(partner.secrets) < 2:
        raise NothingToRetire
    partner.secrets = partner.secrets[1:]
    session().flush()


def get(partner_id: int) -> Partner:
    """The partner, or UnknownPartner."""
    partner = session().get(Partner, partner_id)
    if partner is None:
        raise UnknownPartner
    return partner


def all_of() -> list[Partner]:
    """Every platform, by province."""
    return list(session().scalars(select(Partner).order_by(Partner.province_code, Partner.id)))


def by_app_id(app_id: str) -> Partner:
    """The partner of that application id, or UnknownPartner."""
    partner = session().scalar(select(Partner).where(Partner.app_id == app_id))
    if partner is None:
        raise UnknownPartner
    return partner


def _locked(partner_id: int) -> Partner:
    partner = session().scalar(select(Partner).where(Partner.id == partner_id).with_for_update())
    if partner is None:
        raise UnknownPartner
    return partner


def _new_secret() -> str:
    return random_secrets.token_hex(32)


def _app_id_problems(app_id: str) -> list[FieldError]:
    plain = app_id.replace("-", "").replace("_", "")
    if not (3 <= len(app_id) <= 64 and plain.isascii() and plain.isalnum()):
        return [FieldError("app_id", "format", "应用标识应为3–64位字母、数字、短横线或下划线")]
    if session().scalar(select(Partner.id).where(Partner.app_id == app_id)):
        return [FieldError("app_id", "unique", "该应用标识已存在")]
    return []


def _problems(values: Mapping[str, Any]) -> list[FieldError]:
    errors = [
        FieldError(name, "unknown", "不可修改此项") for name in values if name not in CHANGEABLE
    ]
    checks = {
        "name": (_is_name, "名称应为2–100字"),
        "province_code": (_is_province, "省级区划代码应为6位数字"),
        "sign_methods": (_are_methods, "签名算法只能是HMAC-SHA256、HMAC-SM3"),
        "delivery": (_is_delivery, "送达方式应为push或pull"),
        "callback_base": (_is_callback, "回调地址应为http(s)://主机/路径，不带参数"),
        "callback_networks": (rules.are_networks, "网段格式不正确，例如10.1.0.0/16"),
        "ip_allow_list": (rules.are_networks, "网段格式不正确，例如10.1.0.0/16"),
        "page_origin": (_is_origin, "页面来源应为https://主机[:端口]"),
        "paths": (_are_paths, "路径映射的键应为已定义的消息类型，值应为路径"),
        "field_names": (_are_other_names, "字段映射应为文本到文本，且对方字段名不能重复"),
        "boolean_mapping": (_are_booleans, "是否映射的值应为真或假"),
        "anonymity_mode": (_is_mode, "匿名规则取值不正确"),
        "retry_minutes": (_are_pauses, "重试间隔应为1–12个分钟数，每个1–1440"),
        "requests_per_minute": (_is_rate, "每分钟请求数应为1–60000"),
        "request_burst": (_is_rate, "突发请求数应为1–60000"),
        "enabled": (_is_bool, "取值应为真或假"),
    }
    return errors + [
        FieldError(name, "format", message)
        for name, (right, message) in checks.items()
        if name in values and not right(values[name])
    ]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 2 <= len(value) <= 100


def _is_province(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 6 and value.isascii() and value.isdecimal()


def _are_methods(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(each in ALGORITHMS for each in value)


def _is_delivery(value: Any) -> bool:
    return value in rules.DELIVERIES


def _is_callback(value: Any) -> bool:
    if value is None:
        return True
    try:
        guard.take_apart(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _is_origin(value: Any) -> bool:
    if value is None:
        return True
    try:
        parts = urlsplit(value)
        rest = parts.path or parts.query or parts.fragment or parts.username
        wild = any(c in value for c in " ;,'*")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not rest and not wild
    except (ValueError, AttributeError, TypeError):
        return False


def _are_paths(value: Any) -> bool:
    return _are_names(value) and all(
        name in rules.OPERATIONS
        and path.isascii()
        and not any(c in path for c in "?#% \\")
        and ".." not in path
        for name, path in value.items()
    )


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, str) and each for each in value.values()
    )


def _are_other_names(value: Any) -> bool:
    """Two of our fields under one name would be one field, and one of them lost."""
    return _are_names(value) and len(set(value.values())) == len(value)


def _are_pauses(value: Any) -> bool:
    return value is None or (
        isinstance(value, list)
        and 1 <= len(value) <= 12
        and all(type(each) is int and 1 <= each <= 1440 for each in value)
    )


def _are_booleans(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, bool) for each in value.values())


def _is_mode(value: Any) -> bool:
    return value in ANONYMITY_MODES


def _is_rate(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 60_000


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)
