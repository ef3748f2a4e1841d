"""Requests made up from the OpenAPI document: whatever is sent, no internal error."""

import json
import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import db, transact
from tests.support.people import GUIZHOU, hire

FEW = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi-staff.json"
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
"""A value no schema asked for."""
PLACE = st.one_of(st.integers().map(str), st.uuids().map(str), st.text(max_size=12))
"""What stands where the address has a variable."""


def operations() -> list[tuple[str, str, list[str]]]:
    """(method, address, names of body fields) of every operation of the document."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    names = sorted(
        {n for s in document["components"]["schemas"].values() for n in s.get("properties", {})}
    )
    return [
        (method, path, names)
        for path, item in sorted(document["paths"].items())
        for method in sorted(item)
        if method in {"get", "post"}
    ]


def test_the_staff_interface_never_breaks(app: Flask) -> None:
    with app.app_context():
        roles = ("province_operator", "province_leader", "process_analyst", "system_admin")
        headers = transact(lambda: hire(GUIZHOU, *roles)).headers
        db.session.remove()
    client, tried = app.test_client(), set()

    @FEW
    @given(
        operation=st.sampled_from(operations()),
        place=PLACE,
        drawn=st.lists(st.tuples(st.integers(0, 40), ODD), max_size=6),
        query=st.dictionaries(st.sampled_from(["after", "limit", "scope"]), st.text(max_size=9)),
    )
    def never_breaks(
        operation: tuple[str, str, list[str]],
        place: str,
        drawn: list[tuple[int, Any]],
        query: dict[str, str],
    ) -> None:
        method, path, names = operation
        tried.add((method, path))
        filled = quote(place, safe="") or str(uuid.UUID(int=0))
        address = re.sub(r"\{[^}]+\}", lambda _: filled, path)
        body = {names[at % len(names)]: value for at, value in drawn}
        answer = client.open(
            address,
            method=method.upper(),
            query_string=query,
            json=body if method == "post" else None,
            headers=headers,
        )
        assert answer.status_code < 500, (path, answer.text)
        if answer.status_code >= 400:
            assert {"code", "message"} <= set(answer.json)

    never_breaks()

    assert len(tried) > 8
