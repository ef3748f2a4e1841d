"""Fills the template database that every test worker clones: schema and reference data."""

from datetime import UTC, datetime

from flask import Flask
from flask_migrate import upgrade

from app.core.db import session, transact
from app.demo import BPMN, publish_diagrams
from app.divisions.services import Part, load
from app.organisations.services import generate_units
from tests.support.database import ROOT

GUIZHOU, CHONGQING = "520000000000", "500000000000"

DIVISIONS = Part(depth=3, whole_provinces=frozenset({GUIZHOU, CHONGQING}))
"""What tests can rely on: every county of China, every village of 贵州 and 重庆."""


def fill(app: Flask) -> None:
    """Migrate the empty database of `app` and add the reference data."""
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        transact(_reference_data)


def _reference_data() -> None:
    load(session(), DIVISIONS)
    generate_units(session())
    publish_diagrams(BPMN, datetime.now(UTC))
