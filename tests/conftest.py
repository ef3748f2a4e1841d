"""Fixtures of the whole suite: real PostgreSQL, the application, the clock and the people."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fasteners import InterProcessLock
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.core import clock as core_clock
from app.core.db import db
from app.factory import create_app
from tests.support import template
from tests.support.database import ROOT, Server, schema_digest


def make_settings(database_url: str, files_dir: Path) -> Settings:
    """Settings of a test application; the keys are fixed and worthless."""
    return Settings(
        database_url=database_url,
        secret_key="tests-only",
        data_keys={"t1": bytes(range(32))},
        hash_key=b"tests-only-hash-key",
        files_dir=files_dir,
        public_url="http://127.0.0.1",
        secure_cookies=False,
        allow_private_callbacks=True,
        product_name="12317 热线工单系统",
        pool_size=8,
        proxies=0,
        session_idle_minutes=15,
    )


@pytest.fixture(scope="session")
def server() -> Server:
    """The PostgreSQL server of this run."""
    (ROOT / "instance").mkdir(exist_ok=True)
    return Server()


@pytest.fixture(scope="session")
def template_database(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of the migrated template database; made once per schema and kept between runs."""
    name = f"zb_template_{schema_digest()}"
    with InterProcessLock(ROOT / "instance" / ".template.lock"):
        if not server.exists(name):
            building = f"zb_building_{uuid.uuid4().hex[:12]}"
            server.create(building)
            app = create_app(make_settings(server.url(building), tmp_path_factory.mktemp("files")))
            template.fill(app)
            with app.app_context():
                db.engine.dispose()
            server.rename(building, name)
            for old in server.old_templates(keep=name):
                server.drop(old)
    return name


@pytest.fixture(scope="session")
def database(server: Server, template_database: str) -> Iterator[str]:
    """A clone of the template for this worker."""
    name = f"zb_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with InterProcessLock(ROOT / "instance" / ".template.lock"):
        server.create(name, template_database)
    yield name
    server.drop(name)


@pytest.fixture(scope="session")
def app(server: Server, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on this worker's database."""
    application = create_app(make_settings(server.url(database), tmp_path_factory.mktemp("files")))
    application.config.update(TESTING=True)
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context; leaves the rows of reference data, removes what the test wrote."""
    with app.app_context():
        yield
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An HTTP client without a session."""
    return app.test_client()


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **delta: float) -> None:
        """Move forward by a timedelta's keywords."""
        self.moment += timedelta(**delta)


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    """The product's clock, standing at Tuesday 2026-11-24 09:30 in Beijing."""
    movable = MovableClock(datetime(2026, 11, 24, 9, 30, tzinfo=core_clock.BEIJING))
    core_clock.set_source(movable)
    yield movable
    core_clock.set_source(None)
