"""`make run`: everything on one machine. Database, schema, sample data, web, scheduler, simulator.

What it makes is kept in `instance/`: the data, the keys and the demo password of this machine.
Ctrl-C ends every process it started, in order.
"""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.request import urlopen

from app.core import embedded
from app.demo import PROVINCES

ROOT = Path(__file__).resolve().parents[1]
INSTANCE = ROOT / "instance"
SECRETS = INSTANCE / "dev.env"
DATABASE = "zhuanban"


def main() -> int:
    """Start, print the addresses, wait for Ctrl-C."""
    INSTANCE.mkdir(exist_ok=True)
    ports = {
        "web": int(os.environ.get("HOTLINE_PORT", "5000")),
        "simulator": int(os.environ.get("HOTLINE_SIMULATOR_PORT", "5345")),
    }
    wanted = [ports["web"], *_simulators(ports).values()]
    busy = [port for port in wanted if _is_taken(port)]
    if busy:
        taken = "、".join(map(str, busy))
        print(f"端口 {taken} 已被占用；可用 HOTLINE_PORT、HOTLINE_SIMULATOR_PORT 另选")
        return 1
    stopping = _Stop()
    environment, server = _environment(ports)
    os.environ.update(environment)
    _prepare(ports)
    children = _Children(environment)
    try:
        children.start(ports)
        _wait_until_served(ports["web"], children)
        _greet(ports, environment)
        while not stopping.asked and children.all_alive():
            time.sleep(0.2)
        return 0 if stopping.asked else 1
    finally:
        children.stop()
        if server is not None:
            server.cleanup()
        print("已停止。数据保存在 instance/，再次 make run 继续使用。")


def _environment(ports: Mapping[str, int]) -> tuple[dict[str, str], Any]:
    """The settings of this machine, and the embedded server when no DATABASE_URL is given."""
    kept = _kept_secrets()
    server = None
    database_url = os.environ.get("DATABASE_URL")
    if not database_url:
        print("启动内置 PostgreSQL …", flush=True)
        server = embedded.start(INSTANCE / "pgdata")
        embedded.ensure_database(server, DATABASE)
        database_url = embedded.url(server, DATABASE)
    values = {
        **kept,
        "DATABASE_URL": database_url,
        "FLASK_APP": "app.wsgi",
        "HOTLINE_PUBLIC_URL": f"http://127.0.0.1:{ports['web']}",
        "HOTLINE_SECURE_COOKIES": "false",
        "HOTLINE_ALLOW_PRIVATE_CALLBACKS": "true",
        "HOTLINE_FILES_DIR": str(INSTANCE / "files"),
    }
    return {**values, **{k: v for k, v in os.environ.items() if k.startswith("HOTLINE_")}}, server


def _kept_secrets() -> dict[str, str]:
    """Keys and demo password of this machine, made once and readable by its owner only."""
    if not SECRETS.exists():
        made = {
            "HOTLINE_SECRET_KEY": secrets.token_urlsafe(48),
            "HOTLINE_DATA_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "HOTLINE_HASH_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "SIMULATOR_SECRET": secrets.token_hex(32),
            "DEMO_PASSWORD": f"Zb-{secrets.randbelow(10**6):06d}-demo",
        }
        SECRETS.touch(mode=0o600)
        SECRETS.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    lines = SECRETS.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _prepare(ports: Mapping[str, int]) -> None:
    """Migrate, and load what is missing; nothing is done twice."""
    from flask_migrate import upgrade

    from app.cli import show_progress
    from app.core import clock
    from app.core.db import db
    from app.demo import load_demo, load_reference
    from app.factory import create_app

    application = create_app()
    with application.app_context():
        print("检查数据库结构 …", flush=True)
        upgrade(directory=str(ROOT / "migrations"))
        print("检查基础数据 …", flush=True)
        load_reference(show_progress)
        load_demo(
            os.environ["DEMO_PASSWORD"],
            os.environ["SIMULATOR_SECRET"],
            {a: f"http://127.0.0.1:{port}/api" for a, port in _simulators(ports).items()},
            clock.now(),
        )
        db.session.remove()
        db.engine.dispose()


class _Stop:
    """Remembers that Ctrl-C or SIGTERM came."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


class _Children:
    """The processes we started."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, ports: Mapping[str, int]) -> None:
        """Web, scheduler, simulator; each in its own session so that Ctrl-C reaches only us."""
        web = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(ports["web"])]
        web += ["--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"]
        flask = [sys.executable, "-m", "flask"]
        platform = f"http://127.0.0.1:{ports['web']}"
        simulator = [sys.executable, "-m", "app.simulator", "--platform", platform]
        for command in (
            [sys.executable, "-m", *web, "app.wsgi:app"],
            [*flask, "scheduler", "run"],
            *(
                [*simulator, "--app-id", app_id, "--port", str(port), *_profile(app_id)]
                for app_id, port in _simulators(ports).items()
            ),
        ):
            self.running.append(
                subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)  # noqa: S603
            )

    def all_alive(self) -> bool:
        """False as soon as one of them has ended by itself."""
        return all(child.poll() is None for child in self.running)

    def stop(self) -> None:
        """Ask each to finish what it has in hand, and wait."""
        for child in self.running:
            if child.poll() is None:
                child.terminate()
        for child in self.running:
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _simulators(ports: Mapping[str, int]) -> dict[str, int]:
    """Platform → the port its simulator answers on, one after the other."""
    return {app_id: ports["simulator"] + n for n, app_id in enumerate(PROVINCES)}


def _profile(app_id: str) -> list[str]:
    province, name = PROVINCES[app_id]
    return ["--province", province, "--name", name]


def _wait_until_served(port: int, children: _Children) -> None:
    for _ in range(200):
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            if not children.all_alive():
                return
            time.sleep(0.1)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _greet(ports: Mapping[str, int], environment: Mapping[str, str]) -> None:
    web = f"http://127.0.0.1:{ports['web']}"
    password = environment["DEMO_PASSWORD"]
    addresses = [f"http://127.0.0.1:{port}" for port in _simulators(ports).values()]
    simulators = "  ".join(f"{a}（{n}）" for a, n in zip(addresses, ("贵州", "重庆"), strict=True))
    print(
        f"""
转办已启动（Ctrl-C 停止）
  业务系统        {web}
  12345 模拟平台  {simulators}
  对接接口文档    {web}/openapi/v1/docs
  内部接口文档    {web}/api/v1/docs

  演示账号（密码均为 {password}）
    贵州省  p520000a  p520000b      遵义市  c520300a  c520300b      湄潭县  x520328a  x520328b
    重庆市  p500000a  p500000b      万州区  x500101a  x500101b      重庆坐席  agent500000a
    国家    n000000a  admin000000   流程分析员  analyst520000       审批人    leader520000
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
