"""Where it is measured: embedded PostgreSQL as shipped, a seeded database, a served application."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

from fasteners import InterProcessLock
from psycopg import sql

from app.core import embedded
from app.core.db import db, transact
from app.factory import create_app
from tests.bench import seed
from tests.bench.clients import Script, drive
from tests.bench.figures import Load
from tests.conftest import make_settings
from tests.support import template
from tests.support.database import ROOT, Server, schema_digest

T = TypeVar("T")
HOME = ROOT / "instance" / "bench"
WORKERS, THREADS = 2, 4
_TICK = os.sysconf("SC_CLK_TCK")


class BenchServer(Server):
    """An embedded server of its own, with its shipped settings: fsync is on."""

    def __init__(self) -> None:
        self._handle = embedded.start(HOME / "pgdata")
        self._given = ""

    def clone(self, name: str, source: str) -> None:
        """Copy a whole database file by file."""
        with self.admin() as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(source)
                )
            )

    def named_like(self, pattern: str) -> list[str]:
        """Databases by pattern."""
        with self.admin() as connection:
            rows = connection.execute(
                "select datname from pg_database where datname like %s", (pattern,)
            ).fetchall()
        return [row[0] for row in rows]

    @property
    def postmaster(self) -> int:
        """Process id of the server."""
        return int((HOME / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


class Stage:
    """Made piece by piece when first asked for; `close` ends what was started."""

    def __init__(self, tickets: int, events: int) -> None:
        self.tickets = tickets
        self.events = events
        self._web: subprocess.Popen[bytes] | None = None
        self._name: str | None = None
        HOME.mkdir(parents=True, exist_ok=True)
        self._alone = InterProcessLock(HOME / ".lock")
        if not self._alone.acquire(blocking=False):
            raise SystemExit("another bench is running on this machine")

    @cached_property
    def server(self) -> BenchServer:
        """The database server."""
        return BenchServer()

    @cached_property
    def database(self) -> str:
        """A clone of the seeded database for this run."""
        name = f"zb_bench_run_{os.getpid()}"
        self.server.clone(name, self._seeded())
        self._name = name
        return name

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The name of a database with units and diagrams only, for one section."""
        base = f"zb_empty_{schema_digest()}"
        if not self.server.exists(base):
            for old in self.server.named_like("zb_empty_%"):
                self.server.drop(old)
            building = f"zb_building_{uuid.uuid4().hex[:8]}"
            self.server.create(building)
            os.environ.update(self._environment(building))
            app = create_app()
            template.fill(app)
            with app.app_context():
                db.engine.dispose()
            self.server.rename(building, base)
        name = f"zb_section_{uuid.uuid4().hex[:8]}"
        self.server.clone(name, base)
        try:
            yield name
        finally:
            self.server.drop(name)

    def _seeded(self) -> str:
        """The seeded database; made once a day for each schema and size, since tickets age."""
        sources = Path(seed.__file__).read_bytes() + Path(__file__).read_bytes()
        key = sha256(sources).hexdigest()[:8]
        day = datetime.now(UTC).strftime("%Y%m%d")
        family = f"zb_bench_full_{schema_digest()}_{key}_{day}"
        name = f"{family}_{self.tickets}"
        found = self.server.named_like("zb_bench_%")
        for old in found:
            if not old.startswith(family):
                self.server.drop(old)
        if name in found:
            return name
        building = f"zb_bench_building_{uuid.uuid4().hex[:8]}"
        self.server.create(building)
        began = time.perf_counter()
        os.environ.update(self._environment(building))
        app = create_app()
        template.fill(app)
        with app.app_context():
            transact(lambda: seed.prepare())
            db.session.remove()
            db.engine.dispose()
        seed.fill(self.server.uri(building), self.tickets)
        self.server.rename(building, name)
        print(f"{self.tickets:,} tickets seeded in {time.perf_counter() - began:.0f} s", flush=True)
        return name

    def _environment(self, database: str) -> dict[str, str]:
        """Settings of the served application: the keys of the tests, which `claim` uses too."""
        settings = make_settings(self.server.url(database), HOME / "files")
        keys = {name: base64.b64encode(key).decode() for name, key in settings.data_keys.items()}
        return {
            "DATABASE_URL": self.server.uri(database),
            "FLASK_APP": "app.wsgi",
            "HOTLINE_SECRET_KEY": settings.secret_key,
            "HOTLINE_DATA_KEYS": ",".join(f"{name}:{key}" for name, key in keys.items()),
            "HOTLINE_HASH_KEY": base64.b64encode(settings.hash_key).decode(),
            "HOTLINE_SECURE_COOKIES": "false",
            "HOTLINE_ALLOW_PRIVATE_CALLBACKS": "true",
            "HOTLINE_FILES_DIR": str(HOME / "files"),
        }

    @cached_property
    def app(self) -> Any:
        """The application in this process, to prepare work with."""
        os.environ.update(self._environment(self.database))
        return create_app()

    def do(self, work: Callable[[], T]) -> T:
        """One transaction in this process."""
        with self.app.app_context():
            made = transact(work)
            db.session.remove()
        return made

    @cached_property
    def port(self) -> int:
        """Port of the served application, served as `make run` does."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(port), "--workers", str(WORKERS)]
        command += ["--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning"]
        environment = {**os.environ, **self._environment(self.database)}
        with (HOME / "web.log").open("wb") as log:
            self._web = subprocess.Popen(
                [*command, "app.wsgi:app"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(300):
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                    return port
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the application did not start; see {HOME / 'web.log'}")

    def drive(self, script: Script, jobs: list[Any]) -> Load:
        """Let clients work and note what server and database spent on it."""
        port = self.port
        assert self._web is not None
        web, postgres = self._web.pid, self.server.postmaster
        before = _cpu_seconds(web), _cpu_seconds(postgres)
        load = drive(port, script, jobs)
        load.web_cpu_s = _cpu_seconds(web) - before[0]
        load.database_cpu_s = _cpu_seconds(postgres) - before[1]
        return load

    def database_seconds(self) -> float:
        """CPU time that all processes of the database have used."""
        return _cpu_seconds(self.server.postmaster)

    def worker_megabytes(self) -> list[float]:
        """Resident memory of each web worker, shared pages counted in full."""
        assert self.port
        assert self._web is not None
        sizes = sorted((_resident(pid) for pid in _family(self._web.pid)), reverse=True)
        return sizes[:WORKERS]

    @contextmanager
    def connection(self) -> Any:
        """A plain connection to the measured database."""
        import psycopg

        with psycopg.connect(self.server.uri(self.database)) as connection:
            yield connection

    def close(self) -> None:
        """End the web server, drop the clone; the seeded database stays for the next time."""
        if self._web is not None:
            self._web.terminate()
            try:
                self._web.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._web.kill()
                self._web.wait()
        if "app" in self.__dict__:
            with self.app.app_context():
                db.engine.dispose()
        if self._name is not None:
            self.server.drop(self._name)
        self._alone.release()


def _family(root: int) -> list[int]:
    """A process and everything below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat:
                parents[int(entry.name)] = int(stat[1])
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on; empty when the process has ended."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_seconds(root: int) -> float:
    """CPU time of a process, of its living family, and of the children it has buried."""
    total = 0
    for pid in _family(root):
        stat = _stat(pid)
        if stat:
            total += sum(int(ticks) for ticks in stat[11:15])
    return total / _TICK


def _resident(pid: int) -> float:
    text = (Path("/proc") / str(pid) / "status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return round(int(found.group(1)) / 1024, 1) if found else 0.0
