"""Drafts a migration: the difference between the migrations so far and the models.

`python -m tests.support.migration "add partner quotas"`; read and complete the draft by hand
(storage parameters, data). Numbers go up by one; one change per file.
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

from flask_migrate import revision, upgrade

from app.core.db import db
from app.factory import create_app
from tests.conftest import make_settings
from tests.support.database import ROOT, Server


def main(message: str) -> None:
    """Migrate an empty database, compare, write the draft."""
    server = Server()
    name = "zb_migration_draft"
    server.drop(name)
    server.create(name)
    app = create_app(make_settings(server.url(name), Path(mkdtemp())))
    directory = ROOT / "migrations"
    number = len(list((directory / "versions").glob("*.py"))) + 1
    with app.app_context():
        upgrade(directory=str(directory))
        revision(
            directory=str(directory), message=message, autogenerate=True, rev_id=f"{number:04d}"
        )
        db.session.remove()
        db.engine.dispose()
    server.drop(name)


if __name__ == "__main__":
    main(sys.argv[1] or "change")
