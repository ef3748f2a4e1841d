"""The lists of the reference pages, asked from the running product. Call them in `offline_app`."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import click
from flask import current_app
from lxml import etree
from marshmallow import fields

from app import cli
from app.core.db import db
from app.core.sealed import SealedJSON, SealedText
from app.deadlines.rules import STAGES
from app.engine import registry
from app.engine.diagram import MODEL, SPIFF, properties_of
from app.exchange.rules import OPERATIONS
from app.factory import UNIT_VARIABLES
from app.scheduler import jobs
from app.security.permissions import PERMISSIONS, ROLES
from app.tickets import codes
from app.tickets import fields as own
from app.tickets.rules import ANONYMITY_MODES, STATES
from tests.support import source
from tests.support.database import ROOT

OTHER_VARIABLES = {
    "CHROMIUM": "Browser of the browser tests and of the screenshots, instead of Debian's.",
    "DATABASE_URL": "`make run` uses this server instead of the embedded one.",
    "DEMO_PASSWORD": "Password of the sample accounts; `make run` makes one a machine.",
    "HOTLINE_PORT": "Port of the web pages of `make run`; 5000 unless set.",
    "HOTLINE_SIMULATOR_PORT": "First port of the simulators of `make run`; 5345 unless set.",
    "SIMULATOR_SECRET": "Signing secret of the simulated platforms; `make run` makes one a machine.",
    "TEST_DATABASE_URL": "Server of the tests instead of the embedded one; its databases are made and dropped.",
}
"""Variables read outside `config.py`. A new one has to say here what it is for."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` and line breaks inside cells are taken care of."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = (str(c).replace("|", "\\|").replace("\n", " ") for c in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def first_line(function: Any) -> str:
    """The first line of a docstring."""
    return (function.__doc__ or "").strip().partition("\n")[0]


def code(*names: str) -> str:
    """Names as code, or a dash."""
    return ", ".join(f"`{name}`" for name in names) or "—"


# ---------------------------------------------------------------- diagrams


@cache
def _diagrams() -> list[Any]:
    return [etree.parse(file).getroot() for file in sorted((ROOT / "bpmn").glob("*.bpmn"))]


def _elements_with(key: str) -> dict[str, list[str]]:
    """Value of a user task's property → ids of the tasks that have it."""
    found: dict[str, list[str]] = {}
    for root in _diagrams():
        for task in root.iter(f"{MODEL}userTask"):
            if value := properties_of(task).get(key):
                found.setdefault(value, []).append(task.get("id"))
    return found


def handlers() -> str:
    """Registered handlers and the service tasks that call them."""
    used: dict[str, list[str]] = {}
    for root in _diagrams():
        for operator in root.iter(f"{SPIFF}serviceTaskOperator"):
            task = next(operator.iterancestors(f"{MODEL}serviceTask"))
            used.setdefault(operator.get("id"), []).append(task.get("id"))
    rows = [
        (
            code(name),
            code(*used.get(name, [])),
            first_line(registry.handler_named(name)),
        )
        for name in sorted(registry.handler_names())
    ]
    return table(("handler", "called by", "what it does"), rows)


def vocabulary() -> str:
    """Properties of a user task and the words they take."""
    rows = [
        ("`form`", "the form that is filled in", code(*sorted(registry.form_keys()))),
        ("`role`", "who of the unit may do it; required", code(*ROLES)),
        ("`unit`", "the process variable that holds the unit", code(*sorted(UNIT_VARIABLES))),
        ("`deadline`", "the stage whose time limit runs", code(*STAGES)),
        ("`status`", "the ticket's state while the task waits", code(*STATES)),
    ]
    return table(("property", "meaning", "words"), rows)


def user_tasks() -> str:
    """Every user task of the diagrams."""
    rows = []
    for root in _diagrams():
        for task in root.iter(f"{MODEL}userTask"):
            words = properties_of(task)
            rows.append(
                (
                    code(task.get("id")),
                    task.get("name"),
                    *(code(words[k]) if k in words else "—" for k in ("form", "role", "status")),
                )
            )
    return table(("element", "name", "form", "role", "state"), rows)


# ---------------------------------------------------------------- forms

_KINDS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (own.PersonName, "name"),
    (own.Phone, "telephone number"),
    (own.CallerNumber, "number, or `unknown`"),
    (own.IdCard, "identity number"),
    (own.CleanText, "text"),
    (own.Moment, "moment"),
    (own.Day, "date"),
    (own.YesNo, "yes or no"),
    (fields.Integer, "integer"),
    (fields.Decimal, "decimal"),
    (fields.String, "text"),
)


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f"list of {_kind(field.inner)}"
    if isinstance(field, fields.Nested):
        inner = field.schema.fields
        return "{" + ", ".join(f"`{n}` {_kind(f)}" for n, f in inner.items()) + "}"
    if isinstance(field, own.CodeOf):
        return f"[{field.table.title}](#codes)"
    options = field.metadata.get("options")
    if options:
        return " · ".join(f"`{value}` {label}" for value, label in options)
    kind = next(name for cls, name in _KINDS if isinstance(field, cls))
    if isinstance(field, own.CleanText):
        return f"{kind}, at most {field.most}" if kind == "text" else kind
    return kind


def forms() -> str:
    """Every form with its fields."""
    used = _elements_with("form")
    parts = []
    for key in sorted(registry.form_keys()):
        form = registry.form_named(key)
        assert form is not None
        rows = []
        for name, field in form.schema.fields.items():
            shown = field.metadata.get("show_when")
            when = "; ".join(f"{k} is {' or '.join(map(str, v))}" for k, v in (shown or {}).items())
            label = field.metadata.get("label", "")
            rows.append((code(name), label, "yes" if field.required else "", _kind(field), when))
        head = ("field", "label", "required", "value", "shown when")
        parts.append(
            f"### `{key}`\n\n{first_line(form.schema)}\n\n"
            f"Accepted by `{form.accept.__module__}.{form.accept.__name__}`; "
            f"used by {code(*used.get(key, []))}.\n\n{table(head, rows)}"
        )
    return "\n\n".join(parts)


def code_tables() -> str:
    """Every code table with its values."""
    rows = []
    for each in codes.TABLES.values():
        values = " · ".join(f"{c.code} {c.label}" for c in each.codes)
        rows.append((code(each.name), each.title, values))
    return table(("table", "title", "values"), rows)


def intake() -> str:
    """Fields of a complaint as a 12345 platform submits it."""
    from app.tickets.schemas import ComplaintSchema

    rows = [
        (
            code(name),
            field.metadata.get("label", ""),
            "yes" if field.required else "",
            _kind(field).replace("(#codes)", "(forms.md#codes)"),
        )
        for name, field in ComplaintSchema().fields.items()
    ]
    return table(("field", "label", "required", "value"), rows)


# ---------------------------------------------------------------- words


def messages() -> str:
    """Declared messages and the elements that wait for them."""
    rows = []
    for name in sorted(registry.message_names()):
        waiting = [
            event.get("id")
            for root in _diagrams()
            for declared in root.iter(f"{MODEL}message")
            if declared.get("name") == name
            for definition in root.iter(f"{MODEL}messageEventDefinition")
            if definition.get("messageRef") == declared.get("id")
            for event in [definition.getparent()]
        ]
        keys = sorted(registry.message_keys(name) or ())
        rows.append((code(name), code(*keys), code(*waiting)))
    return table(("message", "payload keys that become variables", "awaited by"), rows)


def operations() -> str:
    """What is sent to platforms."""
    sent = {name for name, _ in _sent_operations()}
    rows = [
        (code(name), title, "yes" if name in sent else "reserved")
        for name, title in OPERATIONS.items()
    ]
    return table(("path below the callback address", "content", "sent today"), rows)


def _sent_operations() -> list[tuple[str, str]]:
    text = "\n".join(f.read_text() for f in (ROOT / "app" / "handlers").glob("*.py"))
    return [(n, t) for n, t in OPERATIONS.items() if f'"{n}"' in text]


def states() -> str:
    """States of a ticket and what puts it there."""
    by_task, by_code = _elements_with("status"), source.status_changes()
    rows = [
        (
            code(name),
            label,
            code(*by_task.get(name, [])),
            code(*by_code.get(name, [])),
        )
        for name, label in STATES.items()
    ]
    return table(("state", "label", "while these tasks wait", "set by"), rows)


def anonymity() -> str:
    """The anonymity rules a platform can have."""
    return table(("mode", "rule"), ((code(n), text) for n, text in ANONYMITY_MODES.items()))


def stages() -> str:
    """Keys of time limits."""
    return table(("key", "stage"), ((code(key), name) for key, name in STAGES.items()))


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
            kind = "signature of a partner" if endpoint.startswith("partner.") else "nobody"
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
    "anonymity": anonymity,
    "code-tables": code_tables,
    "commands": commands,
    "diagram-problems": diagram_problems,
    "errors": errors,
    "forms": forms,
    "handlers": handlers,
    "intake": intake,
    "logged-actions": logged_actions,
    "make-targets": make_targets,
    "messages": messages,
    "open-routes": open_routes,
    "operations": operations,
    "other-variables": other_variables,
    "permissions": permissions,
    "roles": roles,
    "scheduled-jobs": scheduled_jobs,
    "sealed-columns": sealed_columns,
    "settings": settings,
    "stages": stages,
    "states": states,
    "user-tasks": user_tasks,
    "vocabulary": vocabulary,
    "warnings": warnings,
}
"""Marker name → what writes the list. Every one appears in some document."""
