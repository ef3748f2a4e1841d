"""Requests made up from the OpenAPI document: whatever is sent, no internal error."""

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings

from app.core.db import db, transact
from tests.support.people import GUIZHOU, hire

FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_staff_interface_never_breaks(app: Flask) -> None:
    with app.app_context():
        roles = ("province_operator", "province_leader", "process_analyst", "system_admin")
        headers = transact(lambda: hire(GUIZHOU, *roles)).headers
        db.session.remove()
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    tried = 0

    for found in document.get_all_operations():

        @FEW
        @given(case=found.ok().as_strategy())
        def never_breaks(case: schemathesis.Case) -> None:
            nonlocal tried
            answer = case.call(headers=headers)
            tried += 1
            assert answer.status_code < 500, (case.path, answer.text)
            if answer.status_code >= 400:
                assert {"code", "message"} <= set(answer.json())

        never_breaks()

    assert tried > 60
