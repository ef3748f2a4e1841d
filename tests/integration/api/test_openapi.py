"""The two OpenAPI documents: valid, complete, and what the routes really do."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from flask import Flask
from jsonschema_rs import meta

from app.cli import openapi_documents
from app.tickets import intake
from app.tickets.types import TABLES, TICKET_TYPES

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
DEFAULT_RULE = "named_requires_caller"
BASES = {"openapi-partner.json": "/openapi/v1", "openapi-staff.json": "/api/v1"}
OWN_PAGES = {f"{base}/{page}" for base in BASES.values() for page in ("docs", "openapi.json")}


@pytest.fixture(scope="module")
def documents(app: Flask) -> dict[str, dict[str, Any]]:
    return {name: json.loads(text) for name, text in openapi_documents(app).items()}


def plain(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Paths with `{}` for every parameter, whatever its name."""
    return {(re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path), method) for path, method in pairs}


def references(value: Any) -> list[str]:
    """Every `$ref` anywhere in a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [r for v in value.values() for r in references(v)]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", BASES)
def test_a_document_is_openapi_3_1_and_its_references_resolve(
    documents: dict[str, dict[str, Any]], name: str
) -> None:
    document = documents[name]

    schemathesis.openapi.from_dict(document).validate()
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version", "description"} <= set(document["info"])
    for reference in references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    for schema in document.get("components", {}).get("schemas", {}).values():
        meta.validate(schema)


@pytest.mark.parametrize(("name", "base"), BASES.items())
def test_every_route_is_described_and_nothing_else(
    app: Flask, documents: dict[str, dict[str, Any]], name: str, base: str
) -> None:
    routed = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{base}/") and rule.rule not in OWN_PAGES
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method)
        for path, item in documents[name]["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }

    assert plain(described) == plain(routed)
    for item in documents[name]["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                assert operation["summary"]
                assert operation["responses"]


@pytest.mark.parametrize("table", TABLES)
def test_a_submission_in_the_document_is_the_one_the_product_reads(
    documents: dict[str, dict[str, Any]], table: str
) -> None:
    partner = documents["openapi-partner.json"]
    body = partner["paths"][f"/openapi/v1/{table}s"]["post"]["requestBody"]
    media = body["content"]["application/json"]
    schema = partner["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]

    assert set(schema["properties"]) == set(TABLES[table].fields)
    assert media["examples"]
    for name, example in media["examples"].items():
        taken = intake.read(table, example["value"], now=NOW, anonymity_mode=DEFAULT_RULE)
        assert TICKET_TYPES[taken.ticket_type].title == name
        assert {w.code for w in taken.warnings} <= {"BACKFILL"}


@pytest.mark.parametrize("path", ["/openapi/v1/openapi.json", "/api/v1/openapi.json"])
def test_the_documents_are_served(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)

    assert answer.status_code == 200
    assert answer.json["openapi"].startswith("3.1.")


@pytest.mark.parametrize("path", ["/openapi/v1/docs", "/api/v1/docs"])
def test_the_pages_load_nothing_from_elsewhere(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)

    assert answer.status_code == 200
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "https://" not in answer.text


def test_health_is_open_and_says_nothing_else(app: Flask) -> None:
    answer = app.test_client().get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
