"""The lists of the reference pages, asked from the running product. Call them in `offline_app`."""

import re
from collections.abc import Callable
from typing import Any

import click
from flask import current_app

from app import cli
from app.core.db import db
from app.core.sealed import SealedJSON, SealedText
from app.scheduler import jobs
from app.security.permissions import PERMISSIONS, ROLES
from tests.support import reference_deadlines as deadlines
from tests.support import reference_diagrams as diagrams
from tests.support import source
from tests.support.database import ROOT
from tests.support.markdown import code, first_line, table

OTHER_VARIABLES = {
    "CERTIFY_SECRET": "Signing secret for `flask simulator certify`, which asks for it otherwise.",
    "CHROMIUM": "Browser of the browser tests and of the screenshots, instead of Debian's.",
    "DATABASE_URL": "`make run` uses this server instead of the embedded one.",
    "DEMO_PASSWORD": "Password of the sample accounts; `make run` makes one a machine.",
    "HOTLINE_PORT": "Port of the web pages of `make run`; 5000 unless set.",
    "HOTLINE_SIMULATOR_PORT": "First port of the simulators of `make run`; 5345 unless set.",
    "NOTIFICATION_SECRET": "Secret of a hook's gateway, for `flask notifications hook set`.",
    "SIMULATOR_SECRET": "Signing secret of the simulated platforms; `make run` makes one itself.",
    "TEST_DATABASE_URL": "Server of the tests instead of the embedded one; they make and drop"
    " databases on it.",
}
"""Variables read outside `config.py`. A new one has to say here what it is for."""


# ---------------------------------------------------------------- permissions


def roles() -> str:
    """Roles and the levels whose staff can hold them."""
    rows = [
        (code(name), role.name, ", ".join(role.levels), "yes" if role.administrator else "")
        for name, role in ROLES.items()
    ]
    return table(("role", "name", "levels", "administrator"), rows)


def _routes() -> list[tuple[str, str, str]]:
    """(method and path, permission or empty, endpoint) of every route."""
    found = []
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((f"{method} {rule.rule}", getattr(view, "permission", ""), rule.endpoint))
    return sorted(found, key=lambda row: row[0].split(" ")[::-1])


def permissions() -> str:
    """Actions, who may, and the routes that ask."""
    asked: dict[str, list[str]] = {}
    for path, permission, _ in _routes():
        asked.setdefault(permission, []).append(path)
    rows = [
        (
            code(action),
            "everybody" if len(names) == len(ROLES) else code(*(r for r in ROLES if r in names)),
            code(*asked.get(action, [])),
        )
        for action, names in PERMISSIONS.items()
    ]
    return table(("action", "roles", "asked by"), rows)


def open_routes() -> str:
    """Routes that ask for no permission of the table."""
    rows = []
    for path, permission, endpoint in _routes():
        if not permission:
            signed = " /openapi/v1/" in path and not path.endswith(("/docs", "/openapi.json"))
            kind = "signature of a partner" if signed else "nobody"
            if endpoint == "partner.download_attachment":
                kind = "a signed link"
            rows.append((code(path), kind))
    return table(("route", "asks for"), rows)


# ---------------------------------------------------------------- source


def errors() -> str:
    """Error codes."""
    rows = [
        (
            code(each.code),
            ", ".join(map(str, sorted(each.statuses))),
            "<br>".join(each.messages) or "—",
            ", ".join(sorted(each.rooms)),
        )
        for each in source.refusals()
    ]
    return table(("code", "HTTP", "message", "room"), rows)


def warnings() -> str:
    """Hints beside a success."""
    rows = ((code(name), text) for name, text in source.calls_with_code("Warning", 0))
    return table(("code", "message"), rows)


def diagram_problems() -> str:
    """What the publish gate refuses."""
    found = dict(source.calls_with_code("problem", 1))
    found |= dict(source.calls_with_code("Problem", 2))
    found |= dict(source.tuples_with_code("engine/checks_elements.py", "FORBIDDEN"))
    return table(("code", "message"), ((code(n), text or "—") for n, text in sorted(found.items())))


def settings() -> str:
    """Settings of the product."""
    rows = [
        (code(s.variable), s.kind, "required" if s.default is None else code(s.default), s.meaning)
        for s in source.settings()
    ]
    return table(("variable", "type", "default", "meaning"), rows)


def other_variables() -> str:
    """Variables of commands and tools."""
    rows = [
        (code(name), OTHER_VARIABLES[name], code(*files))
        for name, files in source.environment_variables().items()
    ]
    return table(("variable", "meaning", "read by"), rows)


# ---------------------------------------------------------------- operation


def commands() -> str:
    """The `flask` commands of the product."""
    if "seed" not in current_app.cli.commands:
        cli.init_app(current_app)
    rows: list[tuple[str, str]] = []

    def walk(command: click.Command, path: str) -> None:
        if isinstance(command, click.Group):
            for name, inner in sorted(command.commands.items()):
                walk(inner, f"{path} {name}")
            return
        usage = [path]
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                name = (parameter.name or "").upper()
                usage.append(name if parameter.required else f"[{name}]")
            elif parameter.opts:
                text = f"{parameter.opts[0]} …"
                usage.append(text if parameter.required else f"[{text}]")
        rows.append((code(" ".join(usage)), command.get_short_help_str(200)))

    for name, command in sorted(current_app.cli.commands.items()):
        callback = getattr(command, "callback", None)
        if getattr(callback, "__module__", "") == "app.cli" or command in _groups():
            walk(command, f"flask {name}")
    return table(("command", "what it does"), rows)


def _groups() -> list[Any]:
    return [each for each in vars(cli).values() if isinstance(each, click.Group)]


def make_targets() -> str:
    """Targets of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    found = re.findall(r"^([a-z]+):[^#\n]*## (.+)$", text, re.MULTILINE)
    return table(("target", "what it does"), ((code(f"make {n}"), what) for n, what in found))


def scheduled_jobs() -> str:
    """What the scheduler does regularly."""
    rows = [
        (code(job.name), f"{job.seconds:g} s", f"{job.jitter:g} s", first_line(job.once) or "—")
        for job in jobs()
    ]
    rows.append(
        ("`outbound`", "1 s", "0.3 s", "Send a courier to every partner with a due message.")
    )
    return table(("job", "every", "spread by", "what it does"), rows)


def sealed_columns() -> str:
    """Columns stored encrypted."""
    rows = []
    for name, each in sorted(db.metadata.tables.items()):
        for column in each.columns:
            if isinstance(column.type, SealedText | SealedJSON):
                hashed = f"{column.name.removesuffix('_no')}_hash"
                search = f"{name}.{hashed}" if hashed in each.columns else ""
                rows.append((code(f"{name}.{column.name}"), code(search) if search else "—"))
    return table(("column", "searched by"), rows)


def logged_actions() -> str:
    """What is written to the access log."""
    rows = ((code(action), code(module)) for action, module in source.logged_actions())
    return table(("action", "written in"), rows)


LISTS: dict[str, Callable[[], str]] = {
    "anonymity": diagrams.anonymity,
    "code-tables": diagrams.code_tables,
    "commands": commands,
    "deadline-escalation": deadlines.escalation,
    "deadline-extensions": deadlines.extensions,
    "deadline-limits": deadlines.limits,
    "diagram-problems": diagram_problems,
    "errors": errors,
    "forms": diagrams.forms,
    "handlers": diagrams.handlers,
    "intake": diagrams.intake,
    "intake-consultation": diagrams.intake_consultation,
    "intake-declaration": diagrams.intake_declaration,
    "logged-actions": logged_actions,
    "make-targets": make_targets,
    "messages": diagrams.messages,
    "open-routes": open_routes,
    "operations": diagrams.operations,
    "other-variables": other_variables,
    "permissions": permissions,
    "roles": roles,
    "scheduled-jobs": scheduled_jobs,
    "sealed-columns": sealed_columns,
    "settings": settings,
    "stages": diagrams.stages,
    "states": diagrams.states,
    "ticket-types": diagrams.ticket_types,
    "user-tasks": diagrams.user_tasks,
    "vocabulary": diagrams.vocabulary,
    "warnings": warnings,
}
"""Marker name → what writes the list. Every one appears in some document."""
