"""The `flask` commands of operators: each opens its own transaction and calls one service."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from app import demo
from app.api import documents
from app.cli_deadlines import calendar, deadlines
from app.cli_notifications import notifications
from app.core import clock
from app.core.db import session, transact
from app.core.errors import HotlineError
from app.engine import incidents
from app.exchange import outbox, partners
from app.exchange import queries as exchange
from app.organisations import queries as organisations
from app.organisations.services import MODES, change_unit
from app.security import services as security
from app.security import tokens
from app.security.models import User
from app.security.queries import principal_for_user
from app.simulator.__main__ import simulate
from app.simulator.certify.command import certify_partner

ROOT = Path(__file__).resolve().parents[1]


def init_app(app: Flask) -> None:
    """Add the commands."""
    for group in (
        diagrams,
        users,
        units,
        token,
        platforms,
        scheduler,
        simulated,
        work,
        incident,
        seed,
    ):
        app.cli.add_command(group)
    for command in (calendar, deadlines, notifications, openapi):
        app.cli.add_command(command)


diagrams = AppGroup("diagrams", help="流程图：发布")
users = AppGroup("users", help="账号")
units = AppGroup("units", help="机构：整合模式")
token = AppGroup("token", help="接密码牌")
platforms = AppGroup("partners", help="12345 对接平台")
scheduler = AppGroup("scheduler", help="定时任务进程")
simulated = AppGroup("simulator", help="12345 平台模拟器")
simulated.add_command(simulate)
simulated.add_command(certify_partner)
work = AppGroup("queue", help="工作队列：死信与重发")
incident = AppGroup("incidents", help="异常事件：列出与重试")
seed = AppGroup("seed", help="基础数据与演示数据")


@diagrams.command("publish")
@click.argument("directory", default=str(ROOT / "bpmn"), type=click.Path(exists=True))
def publish(directory: str) -> None:
    """Check and publish the diagrams of a directory; unchanged ones keep their version."""
    for made in transact(lambda: demo.publish_diagrams(Path(directory), clock.now())):
        click.echo(f"{made.process_key} 第 {made.version} 版")


@units.command("mode")
@click.argument("province_code")
@click.argument("mode", type=click.Choice(list(MODES)))
def set_mode(province_code: str, mode: str) -> None:
    """Join a province by tickets (ticket) or by calls (call); what runs goes on as it began."""

    def work() -> str:
        unit = organisations.unit_of_division(province_code.ljust(12, "0"))
        if unit is None:
            raise click.ClickException(f"没有区划 {province_code}")
        try:
            return change_unit(session(), unit.id, mode=mode).name
        except HotlineError as refusal:
            raise click.ClickException(refusal.errors[0].message) from None

    click.echo(f"{transact(work)}：{MODES[mode]}")


@token.command("create")
@click.argument("username")
@click.option("--name", default="命令行生成", help="用途说明")
@click.option("--days", default=90, help="有效天数")
def create_token(username: str, name: str, days: int) -> None:
    """Make a bearer token for a user; it is shown this once."""

    def work() -> str:
        user = session().scalar(select(User).where(User.username == username))
        principal = principal_for_user(user.id, clock.now()) if user else None
        if principal is None:
            raise click.ClickException(f"没有可用的用户 {username}")
        return tokens.create_token(principal, name, clock.now(), days)

    click.echo(transact(work))


@scheduler.command("run")
def run_scheduler() -> None:
    """Tick until SIGTERM; any number of nodes may run one."""
    from app.scheduler import run

    run(current_app._get_current_object())  # type: ignore[attr-defined]


@users.command("create")
@click.argument("username")
@click.option("--name", required=True, help="姓名")
@click.option("--division", required=True, help="所属单位的行政区划编码，如 520000000000")
@click.option("--role", "roles", multiple=True, required=True, help="岗位，可多个")
@click.option("--position", default="业务员", help="职务")
@click.option("--phone", default="", help="办公电话")
@click.password_option(help="首个密码，本人首次登录须修改")
def create_user(username: str, division: str, password: str, name: str, **values: Any) -> None:
    """Open an account; its owner must change the password at the first sign-in."""

    def work() -> str:
        unit = organisations.unit_of_division(division)
        made = security.create_user(
            username,
            password,
            display_name=name,
            unit_id=unit.id if unit else 0,
            now=clock.now(),
            **values,
        )
        return f"已创建 {made.username}（{unit.name if unit else ''}）"

    click.echo(_done(work))


@platforms.command("create")
@click.argument("app_id")
@click.option("--name", required=True, help="平台名称")
@click.option("--province", "province_code", required=True, help="省级编码六位，如 520000")
@click.option("--callback", "callback_base", default=None, help="回调地址")
@click.option("--page-origin", default=None, help="可在框架内显示页面的来源，如 https://主机")
def create_partner(app_id: str, **profile: Any) -> None:
    """Make a 12345 platform's profile; its secret is shown this once."""

    def work() -> str:
        _, secret = partners.create(app_id, profile)
        return f"app_id  {app_id}\nsecret  {secret}"

    click.echo(_done(work))


@platforms.command("rotate")
@click.argument("app_id")
@click.option("--retire-old", is_flag=True, help="停用旧密钥，只留新密钥")
def rotate_secret(app_id: str, retire_old: bool) -> None:
    """Add a second live secret, or retire the old one when the platform uses the new."""

    def work() -> str:
        partner = partners.by_app_id(app_id)
        if retire_old:
            partners.retire_old_secret(partner.id)
            return "旧密钥已停用"
        return f"secret  {partners.rotate_secret(partner.id)}"

    click.echo(_done(work))


@work.command("dead")
def dead_messages() -> None:
    """List what nobody could deliver."""
    for message in exchange.dead_messages():
        shown = (message.message_id, message.business_key, message.title, message.last_error)
        click.echo("\t".join(str(part) for part in shown))


@work.command("replay")
@click.argument("message_id", type=int)
def replay(message_id: int) -> None:
    """Try a dead message again, with its idempotency key."""

    def work() -> str:
        outbox.resend(message_id, actor="命令行")
        return "已重新排队"

    click.echo(_done(work))


@incident.command("list")
def list_incidents() -> None:
    """List what broke inside an action."""
    for row in incidents.open_incidents():
        click.echo(f"{row.id}\t{row.business_key}\t{row.action}\t{row.error}\t{row.attempts} 次")


@incident.command("retry")
@click.argument("incident_id", type=int)
def retry_incident(incident_id: int) -> None:
    """Do the recorded action again."""
    transact(lambda: incidents.retry(incident_id, by="命令行", now=clock.now()))
    click.echo("已重试成功")


@seed.command("reference")
def seed_reference() -> None:
    """Load divisions and units, publish the diagrams; what is there stays."""
    demo.load_reference(show_progress)


@seed.command("demo")
@click.option("--password", envvar="DEMO_PASSWORD", required=True)
@click.option("--secret", envvar="SIMULATOR_SECRET", required=True)
@click.option("--callback-port", default=5345, help="贵州模拟平台端口，重庆为其后一个")
def seed_demo(password: str, secret: str, callback_port: int) -> None:
    """Add sample staff of 贵州 and 重庆, a sample platform and a morning of tickets, once."""
    callbacks = {
        app_id: f"http://127.0.0.1:{callback_port + n}/api"
        for n, app_id in enumerate(demo.PROVINCES)
    }
    demo.load_demo(password, secret, callbacks, clock.now())


def _done(work: Callable[[], str]) -> str:
    """Run it as one transaction; a refusal becomes a message with every wrong field."""
    try:
        return transact(work)
    except HotlineError as refusal:
        lines = [f"{error.field}：{error.message}" for error in refusal.errors]
        raise click.ClickException("\n".join([refusal.message, *lines])) from None


@click.command("openapi")
@click.option("--out", default=str(ROOT / "docs" / "reference"), type=click.Path(path_type=Path))
def openapi(out: Path) -> None:
    """Write both OpenAPI documents."""
    for name, text in openapi_documents(current_app._get_current_object()).items():  # type: ignore[attr-defined]
        (out / name).write_text(text)
        click.echo(name)


def openapi_documents(app: Flask) -> dict[str, str]:
    """File name → the document as it is committed."""
    found: dict[str, str] = {}
    apis = app.extensions["flask-smorest"]["apis"]
    for prefix, name in (
        (documents.PARTNER, "openapi-partner.json"),
        (documents.STAFF, "openapi-staff.json"),
    ):
        spec: dict[str, Any] = apis[prefix]["ext_obj"].spec.to_dict()
        found[name] = json.dumps(spec, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return found


def show_progress(done: int, total: int) -> None:
    """A progress bar on a terminal, a few lines elsewhere."""
    share = done / total if total else 1
    if sys.stdout.isatty():
        filled = int(share * 40)
        bar = "█" * filled + "░" * (40 - filled)
        print(f"\r  行政区划 {bar} {done:,}/{total:,}", end="", flush=True)
        if done >= total:
            print()
    elif done >= total:
        print(f"  行政区划 {done:,}/{total:,}", flush=True)
