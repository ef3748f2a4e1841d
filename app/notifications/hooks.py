"""Hooks (提醒通道): where a province's SMS or mail gateway is called; set up by command."""

import secrets as random_secrets
from collections.abc import Sequence
from datetime import time

from sqlalchemy import select

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.exchange import guard, rules
from app.exchange.errors import NothingToRetire, RotationOpen
from app.notifications.errors import UnknownHook
from app.notifications.models import NotificationHook
from app.notifications.rules import NIGHT, Quiet
from app.organisations.models import Unit

APP_ID = "zhuanban"


def set_up(
    unit: Unit,
    url: str,
    *,
    app_id: str = APP_ID,
    networks: Sequence[str] = (),
    quiet: Quiet = NIGHT,
    secret: str | None = None,
) -> str | None:
    """Make or change a unit's hook, and switch it on; the new secret the first time, else None.

    `secret` is the gateway's own, where it has chosen one.
    """
    _check(unit, url, networks)
    hook = session().get(NotificationHook, unit.id, with_for_update=True)
    made = None
    if hook is None:
        made = secret or random_secrets.token_hex(32)
        hook = NotificationHook(unit_id=unit.id, secrets=[made])
        session().add(hook)
    elif secret is not None:
        hook.secrets = [secret]
    hook.url, hook.app_id, hook.networks = url, app_id, list(networks)
    hook.quiet_from, hook.quiet_until, hook.enabled = quiet.start, quiet.end, True
    session().flush()
    return made


def switch(unit_id: int, *, enabled: bool) -> None:
    """Stop or resume sending; what was not sent meanwhile is not sent later."""
    _locked(unit_id).enabled = enabled
    session().flush()


def rotate_secret(unit_id: int) -> str:
    """A second secret, returned this once; the old one signs until it is retired."""
    hook = _locked(unit_id)
    if len(hook.secrets) > 1:
        raise RotationOpen
    made = random_secrets.token_hex(32)
    hook.secrets = [*hook.secrets, made]
    session().flush()
    return made


def retire_old_secret(unit_id: int) -> None:
    """From now on the new secret signs."""
    hook = _locked(unit_id)
    if len(hook.secrets) < 2:
        raise NothingToRetire
    hook.secrets = hook.secrets[1:]
    session().flush()


def parse_quiet(text: str) -> Quiet:
    """`21:00-08:00`; Invalid for anything else. Equal ends mean no quiet hours."""
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
        if start.tzinfo or end.tzinfo:
            raise ValueError("no time zone")
    except ValueError:
        wrong = FieldError("quiet", "format", "免打扰时段应如 21:00-08:00")
        raise Invalid([wrong]) from None
    return Quiet(start, end)


def _check(unit: Unit, url: str, networks: Sequence[str]) -> None:
    errors = []
    if unit.level not in {"national", "province"}:
        errors.append(FieldError("unit", "level", "只有国家和省级单位可设提醒通道"))
    try:
        guard.take_apart(url)
    except ValueError:
        errors.append(FieldError("url", "format", "地址应为http(s)://主机/路径，不带参数"))
    if not rules.are_networks(list(networks)):
        errors.append(FieldError("networks", "format", "网段格式不正确，例如10.1.0.0/16"))
    if errors:
        raise Invalid(errors)


def _locked(unit_id: int) -> NotificationHook:
    found = session().scalar(
        select(NotificationHook).where(NotificationHook.unit_id == unit_id).with_for_update()
    )
    if found is None:
        raise UnknownHook
    return found
