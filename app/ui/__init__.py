"""The staff pages (业务人员页面): Jinja, htmx, one transaction per action."""

from flask import Flask

from app.ui import (
    account,
    actions,
    batch,
    calendar,
    calls,
    errors,
    files,
    intake_pages,
    notifications,
    operations,
    overdue,
    partners,
    policies,
    progress,
    recomputing,
    reconciliation,
    registration,
    reveal,
    sessions,
    statistics,
    tasks,
    templating,
    tickets,
    trial,
    worklist,
)

_PAGES = (
    sessions,
    account,
    worklist,
    batch,
    tickets,
    progress,
    actions,
    calls,
    registration,
    reveal,
    tasks,
    files,
    intake_pages,
    notifications,
    operations,
    overdue,
    partners,
    statistics,
    trial,
    calendar,
    policies,
    recomputing,
    reconciliation,
)


def init_app(app: Flask) -> None:
    """Register the pages and their way of refusing."""
    templating.install(app)
    errors.init_app(app)
    for module in _PAGES:
        app.register_blueprint(module.blueprint)
