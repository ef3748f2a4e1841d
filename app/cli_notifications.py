"""`flask notifications`: where messages for staff go out, and who signs them."""

from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import AppGroup

from app.core.db import transact
from app.core.errors import HotlineError
from app.notifications import hooks, queries
from app.notifications.hooks import APP_ID
from app.organisations import queries as organisations
from app.organisations.models import Unit

T = TypeVar("T")

notifications = AppGroup("notifications", help="提醒：短信、邮件通道")
hook = AppGroup("hook", help="提醒通道")
notifications.add_command(hook)


@hook.command("set")
@click.argument("province_code")
@click.option("--url", required=True, help="通道地址，如 https://主机/sms")
@click.option("--app-id", default=APP_ID, show_default=True, help="签名中的应用标识")
@click.option("--network", "networks", multiple=True, help="通道所在内网网段，可多个")
@click.option("--quiet", default="21:00-08:00", show_default=True, help="免打扰时段")
@click.option(
    "--secret", envvar="NOTIFICATION_SECRET", default=None, help="通道方指定的密钥，不填则生成"
)
def set_hook(
    province_code: str,
    url: str,
    app_id: str,
    networks: tuple[str, ...],
    quiet: str,
    secret: str | None,
) -> None:
    """Set up a province's hook, or with 000000 the nation's; a made secret is shown this once."""

    def work() -> str | None:
        unit = _unit(province_code)
        hours = hooks.parse_quiet(quiet)
        return hooks.set_up(unit, url, app_id=app_id, networks=networks, quiet=hours, secret=secret)

    made = _done(work)
    click.echo(f"secret  {made}" if made and not secret else "已保存")


@hook.command("show")
def show_hooks() -> None:
    """List the hooks with what waits and what was given up."""
    for row in queries.hook_health():
        state = "启用" if row.enabled else "停用"
        quiet = f"{row.quiet_from:%H:%M}-{row.quiet_until:%H:%M}"
        counts = f"待发 {row.waiting}，未送达 {row.dead}"
        click.echo("\t".join((row.unit_name, state, row.url, quiet, counts)))


@hook.command("rotate")
@click.argument("province_code")
@click.option("--retire-old", is_flag=True, help="停用旧密钥，改用新密钥签名")
def rotate_secret(province_code: str, retire_old: bool) -> None:
    """Add a second secret, or retire the old one when the gateway knows the new."""

    def work() -> str:
        unit_id = _unit(province_code).id
        if retire_old:
            hooks.retire_old_secret(unit_id)
            return "旧密钥已停用"
        return f"secret  {hooks.rotate_secret(unit_id)}"

    click.echo(_done(work))


@hook.command("switch")
@click.argument("province_code")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch_hook(province_code: str, state: str) -> None:
    """Stop sending or go on; what was not sent meanwhile is not sent later."""

    def work() -> str:
        hooks.switch(_unit(province_code).id, enabled=state == "on")
        return "已启用" if state == "on" else "已停用"

    click.echo(_done(work))


def _unit(code: str) -> Unit:
    unit = organisations.unit_with_code(code.ljust(12, "0"))
    if unit is None:
        raise click.ClickException(f"没有区划 {code} 的单位")
    return unit


def _done(work: Callable[[], T]) -> T:
    try:
        return transact(work)
    except HotlineError as refusal:
        lines = [f"{error.field}：{error.message}" for error in refusal.errors]
        raise click.ClickException("\n".join([refusal.message, *lines])) from None
