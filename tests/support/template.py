"""Fills the template database that every test worker clones: schema and reference data."""

import importlib
from pathlib import Path

from flask import Flask

import app as product
from app.core.db import db, session, transact
from app.divisions.services import Part, load
from app.organisations.services import generate_units

GUIZHOU, CHONGQING = "520000000000", "500000000000"

DIVISIONS = Part(depth=3, whole_provinces=frozenset({GUIZHOU, CHONGQING}))
"""What tests can rely on: every county of China, every village of 贵州 and 重庆."""


def fill(app: Flask) -> None:
    """Build the schema and the reference data in the empty database of `app`."""
    _import_all_models()
    with app.app_context():
        db.create_all()
        transact(_reference_data)


def _reference_data() -> None:
    load(session(), DIVISIONS)
    generate_units(session())


def _import_all_models() -> None:
    """Every room's tables must be known before the schema is built."""
    for file in sorted(Path(product.__path__[0]).glob("*/models.py")):
        importlib.import_module(f"app.{file.parent.name}.models")
