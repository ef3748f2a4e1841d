"""Where the sweep takes place: its own database, a simulator process, people, and forked nodes."""

import os
import pickle
import re
import select
import signal
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from fasteners import InterProcessLock
from flask import Flask

from app.core.db import db, transact
from app.exchange import partners
from app.factory import create_app
from app.organisations import queries as organisations
from app.organisations.services import change_unit
from app.simulator import server as simulator
from app.simulator.config import SimulatorConfig
from tests.conftest import make_settings
from tests.crash import effects
from tests.crash.acts import Cast, Key
from tests.crash.stories import PEOPLE, PROVINCES, UPLOADER
from tests.support import template
from tests.support.database import ROOT, Server, schema_digest
from tests.support.people import PASSWORD, hire

HUNG = 120.0
"""A child that says nothing for so many seconds is killed and reported."""
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Ending:
    """How a child ended: its exit code (-9 when killed) and what it returned, or why it failed."""

    code: int
    result: Any = None


class Child:
    """A forked process that runs one function and reports through a pipe."""

    def __init__(self, work: Callable[[], Any], log: Path) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _be_child(work, write, log)
        os.close(write)

    def wait(self) -> Ending:
        """Wait for its end."""
        raw = bytearray()
        while True:
            ready, _, _ = select.select([self._read], [], [], HUNG)
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                os.close(self._read)
                return Ending(1, "hung")
            chunk = os.read(self._read, 65536)
            if not chunk:
                break
            raw += chunk
        os.close(self._read)
        _, status = os.waitpid(self.pid, 0)
        return Ending(os.waitstatus_to_exitcode(status), pickle.loads(raw) if raw else None)

    def stop(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()


def _be_child(work: Callable[[], Any], write: int, log: Path) -> None:
    """Run and leave without unwinding the parent's stack or its exit hooks."""
    code = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(target, 1)
        os.dup2(target, 2)
        try:
            result, code = work(), 0
        except BaseException as error:
            traceback.print_exc()
            result = f"{type(error).__name__}: {error}"
        os.write(write, pickle.dumps(result))
    finally:
        os._exit(code)


class World:
    """The stage. The parent keeps no database connection and no thread, so that it can fork."""

    def __init__(self, folder: Path, server: Server, database: str) -> None:
        self.folder = folder
        self.uri = server.uri(database)
        self.log = folder / "nodes.log"
        self.journal = folder / "12345.jsonl"
        self.app: Flask = create_app(make_settings(server.url(database), folder / "files"))
        self.cast: Cast

    def connect(self) -> psycopg.Connection:
        """A connection of the parent; close it before the next fork."""
        return psycopg.connect(self.uri, autocommit=True)

    def fork(self, work: Callable[[], Any]) -> Child:
        """Run a function in a process of its own."""
        return Child(work, self.log)

    def expire_leases(self, *, most_attempts: int = 9) -> None:
        """Let time pass for the leases of dead nodes (two minutes in the product)."""
        with self.connect() as connection:
            connection.execute(
                "update work_items set lease_until = now() where state = 'leased'"
                " and attempts <= %s",
                (most_attempts,),
            )


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """Database, simulator and people; all gone at the end."""
    server = Server()
    name = f"zb_crash_{os.getpid()}_{uuid.uuid4().hex[:6]}"
    kept = f"zb_template_{schema_digest()}"
    with InterProcessLock(ROOT / "instance" / ".template.lock"):
        cloned = server.exists(kept)
        server.create(name, kept if cloned else None)
    try:
        world = World(folder, server, name)
        if not cloned:
            _must(world.fork(lambda: template.fill(world.app)))
        with world.connect() as connection:
            connection.execute(effects.TABLE)
            connection.execute(f'alter database "{name}" set synchronous_commit = off')
        keys = {code: Key(f"crash{uuid.uuid4().hex[:8]}", uuid.uuid4().hex) for code in PROVINCES}
        with _simulator(world, keys["520000"]) as address:
            world.cast = _must(world.fork(lambda: _cast(world, address, keys)))
            yield world
    finally:
        server.drop(name)


def _must(child: Child) -> Any:
    ending = child.wait()
    if ending.code != 0:
        raise RuntimeError(f"the stage could not be set: {ending.result}")
    return ending.result


@contextmanager
def _simulator(world: World, key: Key) -> Iterator[str]:
    """The 12345 platform as a process; it ends with its parent, however that ends."""
    config = SimulatorConfig("http://127.0.0.1:1", key.app_id, key.secret, world.journal)
    leash, held = os.pipe()
    port, tell = os.pipe()

    def serve() -> None:
        os.close(held)
        http = simulator.server(config)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        os.write(tell, str(http.server_port).encode())
        os.read(leash, 1)

    child = world.fork(serve)
    try:
        number = os.read(port, 16).decode()
        yield f"http://127.0.0.1:{number}"
    finally:
        for handle in (held, leash, port, tell):
            os.close(handle)
        child.wait()


def _cast(world: World, address: str, keys: dict[str, Key]) -> Cast:
    app = world.app

    def make() -> dict[str, Any]:
        for code, key in keys.items():
            profile = {
                "name": "测试12345",
                "province_code": code,
                "callback_base": f"{address}/api",
                "callback_networks": ["127.0.0.0/8"],
            }
            partner, _ = partners.create(key.app_id, profile)
            partner.secrets = [key.secret]
        calls = organisations.unit_of_division(PROVINCES["500000"])
        assert calls is not None
        change_unit(db.session, calls.id, mode="call")
        return {name: hire(*employed) for name, employed in PEOPLE.items()}

    with app.app_context():
        people = transact(make)
        db.session.remove()
    cookie, token = _sign_in(app, people[UPLOADER].username)
    return Cast(people, keys, cookie, token, world.journal)


def _sign_in(app: Flask, username: str) -> tuple[str, str]:
    """A browser session of the one who uploads: its cookie and its CSRF token."""
    browser = app.test_client()
    token = _csrf_token(browser.get("/login").get_data(as_text=True))
    form = {"username": username, "password": PASSWORD, "csrf_token": token}
    answer = browser.post("/login", data=form)
    assert answer.status_code == 302, answer.get_data(as_text=True)[:500]
    token = _csrf_token(browser.get(answer.location, follow_redirects=True).get_data(as_text=True))
    cookie = browser.get_cookie("zhuanban")
    assert cookie is not None
    return cookie.value, token


def _csrf_token(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    return found[1]
