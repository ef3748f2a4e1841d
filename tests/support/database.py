"""Real PostgreSQL for the tests: one embedded server, one template, one clone per worker."""

import hashlib
import os
import re
from pathlib import Path

import psycopg
from psycopg import sql

from app.core import embedded

ROOT = Path(__file__).resolve().parents[2]


def schema_digest() -> str:
    """Changes whenever a table, a migration or the reference data may have changed."""
    digest = hashlib.sha256()
    files = [
        *ROOT.glob("app/**/models.py"),
        *ROOT.glob("app/core/*.py"),
        *ROOT.glob("migrations/**/*.py"),
    ]
    files += [
        *ROOT.glob("app/divisions/**/*"),
        *ROOT.glob("app/organisations/*.py"),
        Path(__file__),
    ]
    files += [*ROOT.glob("tests/support/template.py"), *ROOT.glob("bpmn/*.bpmn")]
    for file in sorted(set(files)):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class Server:
    """The server under test: `TEST_DATABASE_URL`, or the embedded one in `instance/testdata`."""

    def __init__(self) -> None:
        given = os.environ.get("TEST_DATABASE_URL")
        self._handle = None if given else embedded.start(ROOT / "instance" / "testdata")
        self._given = re.sub(r"^postgresql\+psycopg", "postgresql", given or "")

    def uri(self, database: str) -> str:
        """Libpq address of a database."""
        if self._handle is None:
            return re.sub(r"/[^/?]*(\?|$)", rf"/{database}\1", self._given, count=1)
        return self._handle.get_uri(database=database)

    def url(self, database: str) -> str:
        """SQLAlchemy address of a database."""
        return self.uri(database).replace("postgresql://", "postgresql+psycopg://", 1)

    def admin(self) -> psycopg.Connection:
        """An autocommit connection to the maintenance database."""
        return psycopg.connect(self.uri("postgres"), autocommit=True)

    def exists(self, name: str) -> bool:
        """Whether the database is there."""
        with self.admin() as connection:
            return bool(
                connection.execute("select 1 from pg_database where datname=%s", (name,)).fetchone()
            )

    def create(self, name: str, template: str | None = None) -> None:
        """Create a database, as a clone when a template is named."""
        with self.admin() as connection:
            statement = sql.SQL("create database {}").format(sql.Identifier(name))
            if template:
                statement += sql.SQL(" template {}").format(sql.Identifier(template))
            connection.execute(statement)

    def drop(self, name: str) -> None:
        """Drop a database whoever is connected."""
        with self.admin() as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    def rename(self, old: str, new: str) -> None:
        """Give a finished template its name."""
        with self.admin() as connection:
            connection.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(old), sql.Identifier(new)
                )
            )

    def old_templates(self, keep: str) -> list[str]:
        """Templates of earlier schemas."""
        with self.admin() as connection:
            rows = connection.execute(
                "select datname from pg_database"
                " where datname like 'zb_template_%%' and datname <> %s",
                (keep,),
            ).fetchall()
        return [row[0] for row in rows]
