"""A hook is set up, turned and watched by command and on the operations page."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from app.cli_notifications import notifications
from app.core.clock import BEIJING
from app.core.db import session, transact
from app.notifications import alarms, queries
from app.notifications.models import Notification, NotificationHook
from tests.integration.notifications.conftest import (
    Gateway,
    province,
    rows_of,
    send,
    tell,
)
from tests.support.people import Person

NOON = datetime(2026, 11, 24, 12, tzinfo=BEIJING)


@pytest.fixture
def command(app: Flask, context: None) -> Iterator[Callable[..., Any]]:
    """Runs `flask notifications …`; the hooks that it made are gone afterwards."""
    runner = app.test_cli_runner()
    yield lambda *words: runner.invoke(notifications, ["hook", *words])
    session().rollback()
    transact(lambda: session().execute(delete(NotificationHook)))


def test_a_hook_is_made_changed_turned_and_shown(command: Callable[..., Any]) -> None:
    made = command("set", "540000", "--url", "https://sms.example.gov.cn/12317")
    assert made.exit_code == 0, made.output
    secret = made.output.split()[1]
    assert len(secret) == 64

    quiet = ("--quiet", "22:00-07:00", "--network", "10.1.0.0/16")
    changed = command("set", "540000", "--url", "https://sms.example.gov.cn/v2", *quiet)
    assert (changed.exit_code, secret in changed.output) == (0, False)
    shown = command("show").output
    assert "https://sms.example.gov.cn/v2" in shown
    assert "22:00-07:00" in shown

    assert command("rotate", "540000").output.startswith("secret  ")
    assert "请先停用旧密钥" in command("rotate", "540000").output
    assert "旧密钥已停用" in command("rotate", "540000", "--retire-old").output
    assert "已停用" in command("switch", "540000", "off").output
    assert "停用" in command("show").output
    hook = session().get_one(NotificationHook, province().id)
    assert (hook.secrets == [secret], len(hook.secrets)) == (False, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("540000", "--url", "ftp://sms.example.gov.cn"), "地址应为"),
        (("540000", "--url", "https://user@sms.example.gov.cn/"), "地址应为"),
        (("540000", "--url", "https://sms.example.gov.cn/?to=x"), "地址应为"),
        (("540000", "--url", "https://a.cn", "--network", "10.1"), "网段格式"),
        (("540000", "--url", "https://a.cn", "--quiet", "night"), "21:00-08:00"),
        (("540000", "--url", "https://a.cn", "--quiet", "21:00"), "21:00-08:00"),
        (("520300", "--url", "https://a.cn"), "只有国家和省级单位"),
        (("999999", "--url", "https://a.cn"), "没有区划"),
    ],
)
def test_a_wrong_hook_is_refused_with_the_reason(
    command: Callable[..., Any], words: tuple[str, ...], says: str
) -> None:
    answer = command("set", *words)

    assert answer.exit_code != 0
    assert says in answer.output
    assert queries.hook_health() == []


def test_a_unit_without_a_hook_has_none_to_turn(command: Callable[..., Any]) -> None:
    assert "未设提醒通道" in command("switch", "540000", "off").output


def test_a_private_address_is_not_posted_to(app: Flask, gateway: Gateway, clerk: Person) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, allow_private_callbacks=False)
    try:
        tell(clerk, NOON)
        send(NOON + timedelta(minutes=1))
    finally:
        app.config["SETTINGS"] = settings

    assert (gateway.bodies, gateway.refused) == ([], [])


def test_administrators_are_told_once_that_a_year_s_calendar_is_missing(
    context: None, staff: Callable[..., Person]
) -> None:
    admin, clerk = staff("system_admin"), staff()
    for hours in range(3):
        transact(lambda at=NOON + timedelta(hours=hours): alarms.tell(at))

    assert [(row.kind, "2027" in row.title) for row in rows_of(admin)] == [("calendar", True)]
    assert rows_of(clerk) == []
    transact(lambda: session().execute(delete(Notification)))
