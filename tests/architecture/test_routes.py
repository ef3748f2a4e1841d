"""Every address states who may use it, or stands on the short list of public ones."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.security.permissions import PERMISSIONS
from tests.support.openapi import offline_app

PUBLIC = {
    "sessions.sign_in": "the sign-in page",
    "sessions.sign_in_now": "takes the password",
    "sessions.sign_out": "ends one's own session",
    "assets.static": "scripts and styles",
    "api_documents.partner_docs": "the documents",
    "api_documents.staff_docs": "the documents",
    "api_documents.health": "for load balancers; says ok and nothing else",
    "partner.download_attachment": "needs a signed link that lives minutes",
    "intake.enter": "a page of 12345: needs a one-time token",
    "intake.show": "needs the cookie of the window that opened it",
    "intake.submit": "needs the key in its form",
    "intake.save": "needs the key in its form",
    "intake.upload": "needs the key in its form",
    "intake.find_places": "needs the key in its form",
    "intake.resume": "needs the key in its form",
    "intake.division_choices": "names of places, while the form is open",
    "worklist.home": "sends on to a page that asks",
}
DOCUMENTS = frozenset({"/api/v1/openapi.json", "/openapi/v1/openapi.json"})


@pytest.fixture(scope="module")
def product() -> Flask:
    return offline_app()


def routes(app: Flask) -> Iterator[Rule]:
    """The product's own addresses."""
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("tests."):
            yield rule


def permission_of(app: Flask, endpoint: str) -> str | None:
    return getattr(app.view_functions[endpoint], "permission", None)


def test_every_page_and_staff_route_states_a_known_permission(product: Flask) -> None:
    without = set()
    for rule in routes(product):
        if rule.endpoint in PUBLIC or rule.rule in DOCUMENTS or rule.rule.startswith("/openapi/"):
            continue
        action = permission_of(product, rule.endpoint)
        if action not in PERMISSIONS:
            without.add(rule.endpoint)

    assert without == set()


def test_the_public_list_holds_nothing_that_is_gone_or_guarded(product: Flask) -> None:
    known = {rule.endpoint for rule in routes(product)}

    assert set(PUBLIC) <= known
    assert {e for e in PUBLIC if permission_of(product, e)} == set()


def test_every_partner_route_wants_a_signature(app: Flask) -> None:
    client = app.test_client()
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/openapi/") or rule.endpoint in PUBLIC:
            continue
        if rule.rule in DOCUMENTS:
            continue
        path = rule.rule.replace("<acceptance_no>", "x").replace("<name>", "x")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method, data=b"{}")
            assert (answer.status_code, answer.json["code"]) == (401, "SIGNATURE_INVALID"), path
            asked += 1

    assert asked >= 5


def test_every_form_of_a_page_wants_its_token(app: Flask) -> None:
    client = app.test_client()
    asked = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in rule.methods or rule.rule.startswith(("/api/", "/openapi/")):
            continue
        values = {name: _VALUES.get(kind, "x") for name, kind in _converters(rule)}
        with app.test_request_context():
            path = rule.build(values)[1]
        answer = client.post(path)
        assert answer.status_code == 400, path
        assert "页面已过期" in answer.text
        asked += 1

    assert asked >= 6


_VALUES = {
    "UUIDConverter": "6f1c2d3e-0000-4000-8000-000000000000",
    "IntegerConverter": 1,
}


def _converters(rule: Rule) -> Iterator[tuple[str, str]]:
    for name, converter in rule._converters.items():
        yield name, type(converter).__name__
