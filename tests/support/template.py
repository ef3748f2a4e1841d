"""Fills the template database that every test worker clones: schema and reference data."""

import importlib
from pathlib import Path

from flask import Flask

import app as product
from app.core.db import db


def fill(app: Flask) -> None:
    """Build the schema and the reference data in the empty database of `app`."""
    _import_all_models()
    with app.app_context():
        db.create_all()


def _import_all_models() -> None:
    """Every room's tables must be known before the schema is built."""
    for file in sorted(Path(product.__path__[0]).glob("*/models.py")):
        importlib.import_module(f"app.{file.parent.name}.models")
