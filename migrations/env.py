"""Alembic's environment: the application's database and the models' metadata."""

from alembic import context
from flask import current_app

from app.core.sealed import SealedJSON, SealedText

database = current_app.extensions["migrate"].db


def render_item(kind, item, autogen_context):
    """Sealed columns are plain bytes to the database."""
    if kind == "type" and isinstance(item, SealedJSON | SealedText):
        return "sa.LargeBinary()"
    return False


def run() -> None:
    """Apply the migrations, each in its own transaction."""
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            transaction_per_migration=True,
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
