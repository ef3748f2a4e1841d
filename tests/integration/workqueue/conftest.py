"""The queue's tables in this worker's database, and rows of this test only."""

import uuid

import pytest
from flask import Flask

from app.core.db import db
from app.workqueue import models


@pytest.fixture(scope="session", autouse=True)
def tables(app: Flask) -> None:
    """Whatever the template was built with, the queue's tables are there."""
    with app.app_context():
        db.metadata.create_all(
            db.engine,
            tables=[models.WorkItem.__table__, models.WorkItemIntervention.__table__],
        )


@pytest.fixture
def lane_name() -> str:
    """A lane no other test uses."""
    return f"lane-{uuid.uuid4().hex[:12]}"
