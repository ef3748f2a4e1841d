"""The `flask` commands of operators: each opens its own transaction and calls one service."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from app import demo
from app.api import documents
from app.core import clock
from app.core.db import session, transact
from app.engine import incidents
from app.security import tokens
from app.security.models import User
from app.security.queries import principal_for_user
from app.simulator.config import SimulatorConfig
from app.simulator.server import run as serve_simulator
from app.workqueue import queries as queue
from app.workqueue import services as workqueue

ROOT = Path(__file__).resolve().parents[1]


def init_app(app: Flask) -> None:
    """Add the commands."""
    for group in (diagrams, token, scheduler, simulated, work, incident, seed):
        app.cli.add_command(group)
    app.cli.add_command(openapi)


diagrams = AppGroup("diagrams", help="流程图：发布")
token = AppGroup("token", help="接口令牌")
scheduler = AppGroup("scheduler", help="定时任务进程")
simulated = AppGroup("simulator", help="12345 平台模拟器")
work = AppGroup("queue", help="工作队列：死信与重发")
incident = AppGroup("incidents", help="异常事件：列出与重试")
seed = AppGroup("seed", help="基础数据与演示数据")


@diagrams.command("publish")
@click.argument("directory", default=str(ROOT / "bpmn"), type=click.Path(exists=True))
def publish(directory: str) -> None:
    """Check and publish the diagrams of a directory; unchanged ones keep their version."""
    for made in transact(lambda: demo.publish_diagrams(Path(directory), clock.now())):
        click.echo(f"{made.process_key} 第 {made.version} 版")


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


@simulated.command("run")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=5345)
@click.option("--platform", default="http://127.0.0.1:5000", help="12317 平台地址")
@click.option("--app-id", default=demo.GUIZHOU)
@click.option("--secret", envvar="SIMULATOR_SECRET", required=True)
@click.option("--journal", default=None, type=click.Path(path_type=Path))
def run_simulator(
    host: str, port: int, platform: str, app_id: str, secret: str, journal: Path | None
) -> None:
    """Play a province's 12345 platform."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    config = SimulatorConfig(
        platform_url=platform,
        app_id=app_id,
        secret=secret,
        journal=journal or Path("instance") / f"simulator-{app_id}.jsonl",
        province_code=demo.PROVINCES.get(app_id, (None, ""))[0],
        name=demo.PROVINCES.get(app_id, ("", app_id))[1],
        ticket_prefix=app_id.upper(),
    )
    serve_simulator(config, host, port)


@work.command("dead")
def dead_items() -> None:
    """List what nobody could deliver."""
    for item in queue.dead_letters("outbound"):
        click.echo(f"{item.id}\t{item.dest}\t{item.business_key}\t{item.reason}")


@work.command("replay")
@click.argument("item_id", type=int)
def replay(item_id: int) -> None:
    """Try a dead item again."""
    transact(lambda: workqueue.replay(item_id, actor="命令行"))
    click.echo("已重新排队")


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
