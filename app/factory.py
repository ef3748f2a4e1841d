"""create_app(): reads the settings, wires database, keys, handlers, API and pages."""

from datetime import timedelta

from flask import Flask
from flask_migrate import Migrate

from app.config import Settings, from_environment
from app.core import logs, sealed
from app.core.db import db

migrate = Migrate()


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Every process (web, scheduler, command) makes exactly one."""
    settings = settings or from_environment()
    logs.configure()
    app = Flask("app", static_folder=None, template_folder="ui/templates")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": settings.pool_size, "pool_pre_ping": False},
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
    )
    sealed.install(sealed.Keyring(settings.data_keys, settings.hash_key))
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations")
    return app
