"""The certification kit plays a 12345 platform against ours: green, and red where we lie."""

import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from app.core.db import db, transact
from app.exchange import partners
from app.simulator.certify import platform
from app.simulator.certify.clauses import FAILED, PASSED, Finding, Trial, certify
from app.simulator.certify.command import certify_partner
from app.simulator.certify.line import Line
from tests.support.journey import World, serving


@pytest.fixture
def limited(world: World) -> World:
    """Fewer requests are let through than the kit may send."""
    with world.app.app_context():
        rate = {"requests_per_minute": 60, "request_burst": 120}
        transact(lambda: partners.update(world.partner_id, rate))
        db.session.remove()
    return world


def tried(world: World, url: str) -> list[Finding]:
    with Line(url, world.app_id, world.secret) as line:
        return certify(platform.CLAUSES, Trial(line, lambda: f"C-{uuid.uuid4().hex[:16]}"))


def test_our_platform_keeps_every_clause(limited: World) -> None:
    findings = tried(limited, limited.address)
    assert [(f.clause.no, f.reason) for f in findings if f.verdict != PASSED] == []
    numbers = [tuple(map(int, finding.clause.no.split("."))) for finding in findings]
    assert numbers == sorted(set(numbers))


def test_the_command_certifies_our_platform(limited: World) -> None:
    given = ["--against", "platform", "--url", limited.address, "--app-id", limited.app_id]
    run = CliRunner().invoke(certify_partner, given, env={"CERTIFY_SECRET": limited.secret})
    assert (run.exit_code, "不符合0条" in run.output) == (0, True), run.output


class Lying:
    """The platform behind a gateway that changes some answers on their way."""

    def __init__(self, app: Any, change: Callable[[str, str, dict[str, Any]], None]) -> None:
        self.app, self.change = app, change

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        told: list[Any] = []
        raw = b"".join(self.app(environ, lambda *given: told.extend(given)))
        answer = {"status": told[0], "headers": dict(told[1]), "body": orjson.loads(raw)}
        self.change(environ["REQUEST_METHOD"], environ["PATH_INFO"], answer)
        raw = orjson.dumps(answer["body"])
        answer["headers"]["Content-Length"] = str(len(raw))
        start(answer["status"], list(answer["headers"].items()))
        return [raw]


def conflict_is_fine(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/consultations") and answer["body"]["code"] == "IDEMPOTENCY_CONFLICT":
        answer["status"] = "200 OK"


def repeats_are_silent(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/urges"):
        answer["body"].get("data", {}).pop("duplicate", None)


def digest_of_another_day(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/reconciliation") and "summary" in answer["body"].get("data", {}):
        answer["body"]["data"]["summary"]["digests"]["outcomes"]["sm3"] = "0" * 64


def limit_without_header(method: str, path: str, answer: dict[str, Any]) -> None:
    answer["headers"].pop("Retry-After", None)


def one_error_at_a_time(method: str, path: str, answer: dict[str, Any]) -> None:
    if "errors" in answer["body"]:
        answer["body"]["errors"] = answer["body"]["errors"][:1]


def stranger_may_know(method: str, path: str, answer: dict[str, Any]) -> None:
    if answer["body"]["code"] == "TICKET_NOT_FOUND":
        answer["status"] = "403 FORBIDDEN"


def receipt_without_query_code(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/complaints"):
        answer["body"].get("data", {}).pop("query_code", None)


def unknown_fields_are_silent(method: str, path: str, answer: dict[str, Any]) -> None:
    warnings = answer["body"].get("data", {}).get("warnings", [])
    warnings[:] = [each for each in warnings if each["code"] != "UNKNOWN_FIELD"]


def one_code_for_all(method: str, path: str, answer: dict[str, Any]) -> None:
    if answer["body"]["code"] == "NONCE_REPLAY":
        answer["body"]["code"] = "SIGNATURE_INVALID"


def a_repeat_looks_new(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/complaints") and answer["status"].startswith("200"):
        answer["status"] = "201 CREATED"


def any_decision_is_welcome(method: str, path: str, answer: dict[str, Any]) -> None:
    if answer["body"]["code"] == "REQUEST_NOT_OPEN":
        answer.update(status="200 OK", body={"code": "0", "data": {"duplicate": False}})


def number_in_the_address(method: str, path: str, answer: dict[str, Any]) -> None:
    if path.endswith("/page-sessions") and "data" in answer["body"]:
        answer["body"]["data"]["url"] += "&caller=13800001234"


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (receipt_without_query_code, "11.1"),
        (unknown_fields_are_silent, "11.5"),
        (one_code_for_all, "12.5"),
        (a_repeat_looks_new, "13.1"),
        (any_decision_is_welcome, "15.1"),
        (number_in_the_address, "16.1"),
        (one_error_at_a_time, "11.7"),
        (conflict_is_fine, "13.3"),
        (stranger_may_know, "14.2"),
        (repeats_are_silent, "15.3"),
        (digest_of_another_day, "17.2"),
        (limit_without_header, "18.1"),
    ],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_an_answer_changed_on_its_way_turns_its_clause_red(
    limited: World, change: Callable[..., None], clause: str
) -> None:
    with serving(Lying(limited.app, change)) as url:
        findings = tried(limited, url)
    assert [finding.clause.no for finding in findings if finding.verdict == FAILED] == [clause]
