"""The staff pages (业务人员页面): Jinja, htmx, one transaction per action."""

from flask import Flask

from app.ui import errors, files, sessions, tasks, templating, tickets, worklist


def init_app(app: Flask) -> None:
    """Register the pages and their way of refusing."""
    templating.install(app)
    errors.init_app(app)
    for module in (sessions, worklist, tickets, tasks, files):
        app.register_blueprint(module.blueprint)
