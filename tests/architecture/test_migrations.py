"""The migrations make exactly the tables of the models."""

from pathlib import Path

import pytest
from alembic import command
from flask import current_app
from sqlalchemy import inspect

from app.core.db import db
from tests.support.database import ROOT

MIGRATIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def test_the_migrations_leave_no_difference_to_the_models(context: None) -> None:
    migrate = current_app.extensions["migrate"].migrate

    command.check(migrate.get_config(str(ROOT / "migrations")))


def test_every_table_is_there_with_its_storage_settings(context: None) -> None:
    there = set(inspect(db.engine).get_table_names())

    assert set(db.metadata.tables) <= there
    with db.engine.connect() as connection:
        options = dict(
            connection.exec_driver_sql(
                "select relname, array_to_string(reloptions, ',') from pg_class"
                " where relkind = 'r' and relnamespace = 'public'::regnamespace"
            ).all()
        )
        storage = connection.exec_driver_sql(
            "select attstorage from pg_attribute where attrelid = 'process_instances'::regclass"
            " and attname = 'state'"
        ).scalar_one()
    for name, table in db.metadata.tables.items():
        wanted = dict(table.dialect_options["postgresql"].get("with") or {})
        for key, value in wanted.items():
            assert f"{key}={value}" in (options[name] or ""), name
    assert storage in ("e", b"e")


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_migrations_are_numbered_one_after_the_other(number: int) -> None:
    file: Path = MIGRATIONS[number - 1]

    assert file.name.startswith(f"{number:04d}_")
    assert f'revision = "{number:04d}"' in file.read_text().replace("'", '"')
