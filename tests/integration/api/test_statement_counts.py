"""What a request costs the database: statements and commits, counted as they are sent."""

import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.core.db import db, transact
from app.engine import definitions, runner
from app.engine.registry import SYSTEM
from app.exchange import partners, signature
from tests.bench.diagrams import THREE_STEPS, bundle
from tests.support.journey import complaint
from tests.support.people import GUIZHOU, MEITAN, ZUNYI, Person, hire

MOST_TO_COMPLETE = 17
MOST_TO_TAKE_IN = 25
"""Two of them let the platform in: who it is, and whether it comes too often."""


@dataclass
class Count:
    """What one request sent."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counting(app: Flask) -> Iterator[Count]:
    """Count what the application's engine sends."""
    with app.app_context():
        engine = db.engine
    seen = Count()

    def statement(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        seen.statements.append(sql)

    def commit(_c: Any) -> None:
        seen.commits += 1

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


@pytest.fixture
def in_context(app: Flask) -> Callable[[Callable[[], Any]], Any]:
    """Run something in a transaction of its own application context."""

    def run(work: Callable[[], Any]) -> Any:
        with app.app_context():
            made = transact(work)
            db.session.remove()
        return made

    return run


def _use(client: FlaskClient, person: Person) -> None:
    """The first use of a token is noted in a transaction of its own, once an hour: let it pass."""
    assert client.get("/api/v1/tasks?limit=1", headers=person.headers).status_code == 200


def _complete(client: FlaskClient, person: Person, task_id: str, **values: Any) -> dict[str, Any]:
    answer = client.post(
        f"/api/v1/tasks/{task_id}/complete",
        json={"variables": values, "action_id": str(uuid.uuid4())},
        headers=person.headers,
    )
    assert answer.status_code == 200, answer.text
    return answer.json or {}


def _submit(client: FlaskClient, app_id: str, secret: str, body: dict[str, Any]) -> dict[str, Any]:
    raw = orjson.dumps(body)
    headers = signature.sign(
        "POST",
        "/openapi/v1/complaints",
        app_id=app_id,
        secret=secret,
        timestamp=round(time.time() * 1000),
        nonce=secrets.token_hex(16),
        body=raw,
    )
    answer = client.post(
        "/openapi/v1/complaints", data=raw, headers=headers, content_type="application/json"
    )
    assert answer.status_code == 201, answer.text
    return (answer.json or {})["data"]


def _partner() -> tuple[str, str]:
    app_id = f"t{uuid.uuid4().hex[:10]}"
    _, secret = partners.create(app_id, {"name": "计数12345", "province_code": "520000"})
    return app_id, secret


def test_completing_a_plain_task_takes_few_statements_and_one_commit(
    app: Flask, client: FlaskClient, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    now = datetime.now(UTC)
    person = in_context(lambda: hire(MEITAN))

    def start() -> list[dict[str, Any]]:
        definitions.deploy(bundle(THREE_STEPS), THREE_STEPS, deployed_by="测试", now=now)
        started = runner.start(THREE_STEPS, uuid.uuid4().hex, {}, actor=SYSTEM, now=now)
        return started.opened

    (task,) = in_context(start)
    _use(client, person)
    for step in ("first", "second", "third"):
        with counting(app) as seen:
            outcome = _complete(client, person, task["task_id"], number=1)
        print(f"{step}: {len(seen.statements)} statements")
        assert len(seen.statements) <= MOST_TO_COMPLETE, seen.statements
        assert seen.commits == 1
        task = (outcome["opened"] or [{}])[0]
    assert outcome["status"] == "completed"


def test_taking_a_ticket_in_and_working_on_it_takes_few_statements_and_one_commit(
    app: Flask, client: FlaskClient, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    app_id, secret = in_context(_partner)
    province, city, county = in_context(lambda: [hire(p) for p in (GUIZHOU, ZUNYI, MEITAN)])
    _submit(client, app_id, secret, complaint())  # what a process reads once, it has read now
    for person in (province, city, county):
        _use(client, person)

    with counting(app) as seen:
        receipt = _submit(client, app_id, secret, complaint())
    print(f"intake: {len(seen.statements)} statements")
    assert len(seen.statements) <= MOST_TO_TAKE_IN, seen.statements
    assert seen.commits == 1

    number = receipt["acceptance_no"]
    steps: list[tuple[str, Person, dict[str, Any]]] = [
        ("sign_in", province, {}),
        ("review", province, {"review": "accept"}),
        ("dispatch", province, {"route": "down", "target_unit_id": city.principal.unit_id}),
        ("city_decide", city, {"city_route": "county", "target_unit_id": county.principal.unit_id}),
        ("county_sign_in", county, {}),
    ]
    for element_id, person, values in steps:
        listed = client.get(f"/api/v1/tasks?business_key={number}", headers=person.headers)
        (task,) = (listed.json or {})["tasks"]
        assert task["element_id"] == element_id
        with counting(app) as seen:
            _complete(client, person, task["id"], **values)
        print(f"{element_id}: {len(seen.statements)} statements")
        assert len(seen.statements) <= MOST_TO_COMPLETE, (element_id, seen.statements)
        assert seen.commits == 1


def test_a_page_of_tasks_takes_two_statements_and_no_commit(
    app: Flask, client: FlaskClient, in_context: Callable[[Callable[[], Any]], Any]
) -> None:
    person = in_context(lambda: hire(MEITAN))
    _use(client, person)
    with counting(app) as seen:
        assert client.get("/api/v1/tasks", headers=person.headers).status_code == 200
    assert len(seen.statements) == 2, seen.statements
    assert seen.commits == 0
