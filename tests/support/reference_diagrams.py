"""Generated lists, part one: the words of diagrams — handlers, forms, messages, states, codes."""

from functools import cache
from typing import Any

from lxml import etree
from marshmallow import fields

from app.deadlines import policy
from app.deadlines.stages import STAGES
from app.engine import registry
from app.engine.diagram import MODEL, SPIFF, properties_of
from app.exchange.rules import OPERATIONS
from app.factory import UNIT_VARIABLES
from app.security.permissions import ROLES
from app.tickets import codes
from app.tickets import fields as own
from app.tickets.rules import ANONYMITY_MODES, CLOSED, STATES, WAITING
from app.tickets.schemas import IntakeSchema
from app.tickets.types import RESULTS, TABLES, TICKET_TYPES
from tests.support.database import ROOT
from tests.support.markdown import code, first_line, table


@cache
def _diagrams() -> list[Any]:
    return [etree.parse(file).getroot() for file in sorted((ROOT / "bpmn").glob("*.bpmn"))]


def _elements_with(key: str) -> dict[str, list[str]]:
    """Value of an element's property → ids of the elements that have it."""
    found: dict[str, list[str]] = {}
    for root in _diagrams():
        for element in root.iter(f"{MODEL}*"):
            if value := properties_of(element).get(key):
                found.setdefault(value, []).append(element.get("id"))
    return {value: list(dict.fromkeys(ids)) for value, ids in found.items()}


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
    waiting = [name for name in STATES if name in WAITING]
    rows = [
        ("`form`", "the form that is filled in", code(*sorted(registry.form_keys()))),
        ("`variant`", "the process variable whose value picks one of a family of forms", "any"),
        ("`role`", "who of the unit may do it; required", code(*ROLES)),
        ("`unit`", "the process variable that holds the unit", code(*sorted(UNIT_VARIABLES))),
        ("`deadline`", "the stage whose time limit runs", code(*STAGES)),
        ("`status`", "the ticket's state while it waits here", code(*waiting)),
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
                    _form_of(words),
                    *(code(words[k]) if k in words else "—" for k in ("role", "status")),
                )
            )
    return table(("element", "name", "form", "role", "state"), rows)


def _form_of(words: dict[str, str]) -> str:
    """The form of a task; of a family, what its name goes on with."""
    if "form" not in words:
        return "—"
    return code(f"{words['form']}.<{words['variant']}>" if "variant" in words else words["form"])


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
    if isinstance(field, own.CodesOf):
        return f"one or several of [{field.table.title}](#codes)"
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
    families = _families()
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
            f"used by {code(*used.get(key, families.get(key, [])))}.\n\n{table(head, rows)}"
        )
    return "\n\n".join(parts)


def _families() -> dict[str, list[str]]:
    """Form → ids of the tasks that come to it by a variable."""
    found: dict[str, list[str]] = {}
    for root in _diagrams():
        for task in root.iter(f"{MODEL}userTask"):
            words = properties_of(task)
            for key in registry.form_keys() if "variant" in words else ():
                if key.startswith(f"{words['form']}."):
                    found.setdefault(key, []).append(task.get("id"))
    return found


def code_tables() -> str:
    """Every code table with its values."""
    rows = []
    for each in codes.TABLES.values():
        values = " · ".join(f"{c.code} {c.label}" for c in each.codes)
        rows.append((code(each.name), each.title, values))
    return table(("table", "title", "values"), rows)


_COMMON = frozenset(IntakeSchema().fields)


def _fields_of(table_name: str, leave_out: frozenset[str] = frozenset()) -> str:
    rows = [
        (
            code(name),
            field.metadata.get("label", ""),
            "yes" if field.required else "",
            _kind(field).replace("(#codes)", "(../reference/forms.md#codes)"),
        )
        for name, field in TABLES[table_name].fields.items()
        if name not in leave_out
    ]
    return table(("field", "label", "required", "value"), rows)


def intake() -> str:
    """Fields of a complaint as a 12345 platform submits it."""
    return _fields_of("complaint")


def intake_declaration() -> str:
    """Fields of a declaration beside the common ones."""
    return _fields_of("declaration", _COMMON)


def intake_consultation() -> str:
    """Fields of a consultation beside the common ones."""
    return _fields_of("consultation", _COMMON)


def _total(code: str) -> str:
    rule = policy.default().rule("total", frozenset({"any", code}))
    return str(rule.limit.number) if rule else ""


def ticket_types() -> str:
    """Types of tickets and what differs."""
    rows = [
        (
            code(row.code),
            row.title,
            code(f"/openapi/v1/{row.table}s"),
            code(row.prefix),
            _total(row.code),
            "but what the province answers itself" if row.province_answers else "always",
            code(row.result),
        )
        for row in TICKET_TYPES.values()
    ]
    head = ("type", "name", "comes in by", "number", "working days", "audited", "result")
    return table(head, rows)


# ---------------------------------------------------------------- words


def messages() -> str:
    """Declared messages and the elements that wait for them."""
    rows = []
    for name in sorted(registry.message_names() | _overdue_events()):
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


def _overdue_events() -> set[str]:
    names = (each.get("name") for root in _diagrams() for each in root.iter(f"{MODEL}message"))
    return {name for name in names if name.startswith(registry.OVERDUE)}


def operations() -> str:
    """What is sent to platforms."""
    sent = {name for name, _ in _sent_operations()}
    rows = [
        (code(name), title, "yes" if name in sent else "reserved")
        for name, title in OPERATIONS.items()
    ]
    return table(("path below the callback address", "content", "sent today"), rows)


_SENDERS = ("handlers", "approvals", "pages")


def _sent_operations() -> list[tuple[str, str]]:
    senders = [f for room in _SENDERS for f in (ROOT / "app" / room).glob("*.py")]
    text = "\n".join(file.read_text() for file in senders)
    return [(n, t) for n, t in OPERATIONS.items() if f'"{n}"' in text or n in RESULTS]


def states() -> str:
    """States of a ticket and where its diagram stands then."""
    found = _elements_with("status")
    rows = []
    for name, label in STATES.items():
        where = code(*(found[name] if name != "reworking" else found["handling"]))
        rows.append((code(name), label, *(("", where) if name in CLOSED else (where, ""))))
    return table(("state", "label", "waiting at", "ended at"), rows)


def anonymity() -> str:
    """The anonymity rules a platform can have."""
    return table(("mode", "rule"), ((code(n), text) for n, text in ANONYMITY_MODES.items()))


def stages() -> str:
    """Keys of time limits."""
    return table(("key", "stage"), ((code(key), name) for key, name in STAGES.items()))
