"""create_app(): reads the settings, wires database, keys, handlers, API and pages."""

from datetime import timedelta
from typing import Any

import orjson
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

import app.deadlines.recompute
import app.handlers
from app import ui
from app.api import (
    actions,
    calls,
    decisions,
    documents,
    followups,
    notifications,
    outbox,
    pages,
    partner,
    reconciliation,
    registrations,
    staff,
    submissions,
)
from app.api import http as api_http
from app.config import Settings, from_environment
from app.core import logs, sealed
from app.core.db import db
from app.deadlines.policy import CLOCKS, WINDOWS
from app.deadlines.stages import STAGES
from app.engine import definitions
from app.security import headers, sessions
from app.security.permissions import OPERATOR, ROLES
from app.tickets.rules import CLOSED, WAITING

migrate = Migrate()

UNIT_VARIABLES = frozenset(
    {
        "national_unit_id",
        "province_unit_id",
        "city_unit_id",
        "county_unit_id",
        "return_to_unit_id",
        "matter_unit_id",
    }
)
"""Process variables that a user task's `unit` property may name."""


class _JSON(DefaultJSONProvider):
    ensure_ascii = False
    sort_keys = False


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Every process (web, scheduler, command) makes exactly one."""
    settings = settings or from_environment()
    logs.configure()
    application = Flask("app", static_folder=None, template_folder="ui/templates")
    application.json = _JSON(application)
    application.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_NAME="zhuanban",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    sealed.install(sealed.Keyring(settings.data_keys, settings.hash_key))
    db.init_app(application)
    migrate.init_app(application, db, directory="migrations", compare_type=True)
    definitions.forget_parsed()
    definitions.use_vocabulary(
        roles=frozenset(ROLES) | {OPERATOR},
        deadline_keys=frozenset(STAGES),
        clock_keys=frozenset(CLOCKS) - WINDOWS,
        statuses=WAITING,
        ends=CLOSED,
        units=UNIT_VARIABLES,
    )
    if settings.proxies:
        count = settings.proxies
        proxied = ProxyFix(application.wsgi_app, x_for=count, x_proto=count, x_host=count)
        application.wsgi_app = proxied  # type: ignore[method-assign]
    headers.init_app(application)
    sessions.init_app(application)
    api_http.init_app(application)
    ui.init_app(application)
    _add_api(application)
    return application


def _add_api(application: Flask) -> None:
    for prefix, title, base, blueprint in (
        (documents.PARTNER, "12317 平台对接接口", "/openapi/v1", partner.blueprint),
        (documents.STAFF, "转办内部接口", "/api/v1", staff.blueprint),
    ):
        api = documents.make_api(application, prefix, title, base)
        if prefix == documents.STAFF:
            api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        api.register_blueprint(blueprint)
        if prefix == documents.STAFF:
            api.register_blueprint(actions.blueprint)
            api.register_blueprint(registrations.blueprint)
            api.register_blueprint(notifications.blueprint)
        if prefix == documents.PARTNER:
            api.register_blueprint(decisions.blueprint)
            api.register_blueprint(followups.blueprint)
            api.register_blueprint(submissions.blueprint)
            api.register_blueprint(calls.blueprint)
            api.register_blueprint(pages.blueprint)
            api.register_blueprint(outbox.blueprint)
            api.register_blueprint(reconciliation.blueprint)
    application.register_blueprint(documents.pages)


def _engine_options(settings: Settings) -> dict[str, Any]:
    return {
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_size,
        "pool_pre_ping": False,
        "pool_recycle": 1800,
        "pool_use_lifo": True,  # the one used last has its statements prepared
        "json_serializer": _json_column,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # an error that quotes its values would put citizens in the log
    }


def _json_column(value: Any) -> str:
    """JSON for a column: TypeError for a moment, as with the standard library, never its text."""
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


__all__ = ["app", "create_app", "migrate"]
