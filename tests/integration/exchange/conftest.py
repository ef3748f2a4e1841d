"""The exchange's tables, a partner of this test only, and a simulated platform on real HTTP."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer

from app.core.db import db, session, transact
from app.exchange import models, partners, registry
from app.exchange.models import Partner
from app.simulator import server as simulator_server
from app.simulator.behaviour import Behaviour
from app.simulator.config import SimulatorConfig
from app.simulator.journal import Journal
from app.workqueue import models as workqueue_models

TABLES = (
    *(models.Partner, models.Nonce, models.IdempotencyKey, models.OutboundSequence),
    *(models.OutboundMessage, models.OutboundAttempt, models.Circuit, models.RateBucket),
    *(workqueue_models.WorkItem, workqueue_models.WorkItemIntervention),
)


@pytest.fixture(scope="session", autouse=True)
def tables(app: Flask) -> None:
    """Whatever the template was built with, the exchange's tables are there."""
    with app.app_context():
        db.metadata.create_all(db.engine, tables=[model.__table__ for model in TABLES])


@pytest.fixture(autouse=True)
def nobody_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange alone: what the ticket side has registered is tested with the ticket side."""
    monkeypatch.setattr(registry, "_callbacks", {})
    monkeypatch.setattr(registry, "_preparations", {})
    monkeypatch.setattr(registry, "_given_up", [])


@dataclass
class Platform:
    """A running simulator and the partner profile that points at it."""

    partner_id: int
    app_id: str
    secret: str
    config: SimulatorConfig
    http: BaseWSGIServer
    thread: threading.Thread
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def partner(self) -> Partner:
        return session().get_one(Partner, self.partner_id)

    @property
    def journal(self) -> Journal:
        return self.http.app.extensions["journal"]

    def behave(self, mode: str, **values: Any) -> None:
        self.http.app.extensions["control"].set(Behaviour(mode, **values))

    def stop(self) -> None:
        self.released.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
        self.journal.close()


def start_platform(folder: Path, **profile: Any) -> Platform:
    """A simulator on a free port of 127.0.0.1; its slow answers end when `released` is set."""
    app_id = f"p-{uuid.uuid4().hex[:12]}"
    created = transact(
        lambda: partners.create(app_id, {"name": "模拟平台", "province_code": "520000", **profile})
    )
    partner_id, secret = created[0].id, created[1]
    config = SimulatorConfig("http://127.0.0.1:9", app_id, secret, folder / f"{app_id}.jsonl")
    released = threading.Event()
    http = simulator_server.make_server(
        "127.0.0.1",
        0,
        simulator_server.create_simulator(config, pause=lambda seconds: released.wait(seconds)),
        threaded=True,
    )
    base = f"http://127.0.0.1:{http.server_port}/api"
    transact(lambda: partners.update(partner_id, {"callback_base": base}))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    return Platform(partner_id, app_id, secret, config, http, thread, released)


@pytest.fixture
def platform(context: None, tmp_path: Path) -> Iterator[Platform]:
    """One simulated platform."""
    running = start_platform(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def other_platform(context: None, tmp_path: Path) -> Iterator[Platform]:
    """A second one, in another province."""
    running = start_platform(tmp_path, province_code="500000")
    yield running
    running.stop()
