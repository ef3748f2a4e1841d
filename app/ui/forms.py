"""One marshmallow schema is a page's form (表单): how to draw it, how to read and refuse its POST.

Drawing is `templates/macros/forms.html`. A field says how it looks in its `metadata`:
`label`, `widget`, `help`, `options` [(value, label)], `maxlength`, `rows`, `col` (of 12),
`placeholder`, `inputmode`, `accept`, `source_url`, `show_when` {other field: [values]}, `needed`:
required whenever it is shown. What is not said follows from the field's type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from app.core.clock import BEIJING
from app.core.errors import HotlineError

PEOPLE_ROWS = 3
"""Rows of the people widget before JavaScript adds more."""
PEOPLE_MAX = 30
"""Rows read from a POST; more is not a form a person filled."""
LONG_TEXT = 200
"""A text that may be longer gets several lines."""
DIVISIONS_URL = "/divisions.json"
"""Where the cascade of a division asks, unless the field's `source_url` says otherwise."""
FORM = "_form"
"""Key of errors that belong to no single field."""

Options = Sequence[tuple[Any, str]]
"""(value, label) pairs of a select, radio or checks widget."""

_MANY = frozenset({"checks", "files"})
_WIDGETS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Boolean, "switch"),
    (fields.DateTime, "datetime"),
    (fields.Date, "date"),
    (fields.Decimal, "money"),
    (fields.Number, "number"),
)


@dataclass(frozen=True)
class DivisionLevel:
    """One level of a division's cascade: what can be chosen there, and what is."""

    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class FieldView:
    """One field as the page draws it. `name` is the wire name, the key of values and errors."""

    name: str
    label: str
    widget: str
    required: bool = False
    help: str = ""
    options: tuple[tuple[str, str], ...] = ()
    minlength: int | None = None
    maxlength: int | None = None
    least: float | None = None
    most: float | None = None
    rows: int = 4
    col: int = 12
    placeholder: str = ""
    inputmode: str = ""
    accept: str = ""
    source_url: str = ""
    show_when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    parts: tuple["FieldView", ...] = ()
    levels: tuple[DivisionLevel, ...] = ()
    """Of a division: the cascade that works without scripts; `app.ui.places` fills it in."""
    found: tuple[tuple[str, str], ...] = ()
    """Of a division: what fits the words that were looked for."""
    find_url: str = "/places.json"

    def shown(self, value: Any) -> str:
        """The text of the input: moments as Beijing wall time, nothing for None."""
        if value is None:
            return ""
        if self.widget == "datetime":
            return _wall_time(value)
        if isinstance(value, date):
            return value.isoformat()
        return str(value)

    def chosen(self, value: Any) -> frozenset[str]:
        """Which options are ticked, whether the value is one or several."""
        if value is None or value == "":
            return frozenset()
        several = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return frozenset(str(one) for one in several)

    def people(self, value: Any) -> list[Mapping[str, Any]]:
        """The rows of the people widget, filled up with empty ones."""
        rows = list(value or [])
        return rows + [{} for _ in range(len(rows), PEOPLE_ROWS)]

    def errors_in(self, errors: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
        """(input name, what the person calls it, message) for everything wrong here."""
        found = [(self.name, self.label, text) for text in errors.get(self.name, ())]
        for key, messages in errors.items():
            row, part = _row_and_part(self.name, key)
            if row is not None:
                label = next((view.label for view in self.parts if view.name == part), part)
                where = f"{self.label}第{row + 1}行{label}"
                found.extend((key, where, text) for text in messages)
        return found


def field_views(schema: Schema, options: Mapping[str, Options] | None = None) -> list[FieldView]:
    """The fields to draw, in the schema's order; `options` brings those known only at run time."""
    given = options or {}
    return [
        _view(field, field.data_key or name, given.get(name))
        for name, field in schema.fields.items()
        if not field.dump_only
    ]


def parse_form(schema: Schema, formdata: MultiDict[str, str]) -> dict[str, Any]:
    """What `schema.load` expects, from a form's POST.

    Empty inputs are left out, or None where the field allows it; so "required" speaks for itself.
    A moment without an offset is Beijing time. Line ends become a single newline, as the browser
    counts them.
    """
    data: dict[str, Any] = {}
    for name, field in schema.fields.items():
        if field.dump_only:
            continue
        wire = field.data_key or name
        value = _read(field, _widget(field), wire, formdata)
        if value is not None:
            data[wire] = value
        elif field.allow_none and not field.required:
            data[wire] = None
    return data


def form_errors(refusal: ValidationError | HotlineError) -> dict[str, list[str]]:
    """Messages by input name (`investigators-0-name`), from a schema or from a service."""
    found: dict[str, list[str]] = {}
    if isinstance(refusal, HotlineError):
        for error in refusal.errors:
            found.setdefault(error.field.replace(".", "-") or FORM, []).append(error.message)
        return found or {FORM: [refusal.message]}
    _flatten("", refusal.messages, found)
    return found


def error_summary(
    form: Sequence[FieldView], errors: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, str]]:
    """Everything wrong in the order of the page; the input name is empty when there is none."""
    found = [problem for view in form for problem in view.errors_in(errors)]
    placed = {name for name, _, _ in found}
    rest = [text for key, texts in errors.items() if key not in placed for text in texts]
    return [("", "", text) for text in rest] + found


def _view(field: fields.Field[Any], name: str, options: Options | None) -> FieldView:
    said = field.metadata
    least, most = _range(field)
    shortest, longest = _length(field)
    schema = _rows_schema(field)
    return FieldView(
        name=name,
        label=str(said.get("label", name)),
        widget=_widget(field),
        required=field.required or bool(said.get("needed")),
        help=str(said.get("help", "")),
        options=tuple((str(value), label) for value, label in _options(field, options)),
        minlength=shortest,
        maxlength=longest,
        least=least,
        most=most,
        rows=int(said.get("rows", 4)),
        col=int(said.get("col", 12)),
        placeholder=str(said.get("placeholder", "")),
        inputmode=str(said.get("inputmode", "")),
        accept=str(said.get("accept", "")),
        source_url=str(said.get("source_url", DIVISIONS_URL)),
        show_when=tuple(
            (other, tuple(str(value) for value in values))
            for other, values in said.get("show_when", {}).items()
        ),
        parts=tuple(field_views(schema)) if schema else (),
    )


def _widget(field: fields.Field[Any]) -> str:
    if "widget" in field.metadata:
        return str(field.metadata["widget"])
    if _rows_schema(field):
        return "people"
    if isinstance(field, fields.List):
        return "checks"
    for kind, widget in _WIDGETS:
        if isinstance(field, kind):
            return widget
    if _options(field, None):
        return "select"
    longest = _length(field)[1]
    return "textarea" if longest is not None and longest > LONG_TEXT else "text"


def _rows_schema(field: fields.Field[Any]) -> Schema | None:
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return field.inner.schema
    return None


def _options(field: fields.Field[Any], given: Options | None) -> Options:
    if given is not None:
        return given
    if "options" in field.metadata:
        return list(field.metadata["options"])
    inner = field.inner if isinstance(field, fields.List) else field
    for rule in inner.validators:
        if isinstance(rule, validate.OneOf):
            labels = list(rule.labels) or [str(choice) for choice in rule.choices]
            return list(zip(rule.choices, labels, strict=True))
    return []


def _length(field: fields.Field[Any]) -> tuple[int | None, int | None]:
    for rule in field.validators:
        if isinstance(rule, validate.Length):
            return rule.equal or rule.min, rule.equal or rule.max
    return None, field.metadata.get("maxlength")


def _range(field: fields.Field[Any]) -> tuple[float | None, float | None]:
    for rule in field.validators:
        if isinstance(rule, validate.Range):
            return rule.min, rule.max
    return None, None


def _read(
    field: fields.Field[Any], widget: str, wire: str, formdata: MultiDict[str, str]
) -> Any | None:
    if widget == "switch":
        return formdata.get(wire, "") not in ("", "0", "false")
    if widget == "people":
        return _read_people(field, wire, formdata)
    if widget in _MANY:
        return [text for text in map(_clean, formdata.getlist(wire)) if text] or None
    text = _clean(formdata.get(wire, ""))
    if not text:
        return None
    return _moment(text) if _wants_offset(field, widget) else text


def _read_people(
    field: fields.Field[Any], wire: str, formdata: MultiDict[str, str]
) -> list[dict[str, Any]] | None:
    schema = _rows_schema(field)
    if schema is None:
        raise TypeError(f"{wire}: the people widget needs a List of Nested")
    rows = []
    for number in _row_numbers(wire, formdata):
        prefix = f"{wire}-{number}-"
        inputs = MultiDict(
            (key.removeprefix(prefix), value)
            for key, value in formdata.items(multi=True)
            if key.startswith(prefix)
        )
        row = {key: value for key, value in parse_form(schema, inputs).items() if value is not None}
        if row:
            rows.append(row)
    return rows or None


def _row_numbers(wire: str, formdata: MultiDict[str, str]) -> list[int]:
    numbers = {row for row, _ in (_row_and_part(wire, key) for key in formdata) if row is not None}
    return sorted(numbers)[:PEOPLE_MAX]


def _row_and_part(wire: str, key: str) -> tuple[int | None, str]:
    rest = key.removeprefix(f"{wire}-")
    number, dash, part = rest.partition("-")
    if rest == key or not dash or not (number.isascii() and number.isdigit()):
        return None, ""
    return int(number), part


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _wants_offset(field: fields.Field[Any], widget: str) -> bool:
    return widget == "datetime" and not isinstance(field, fields.NaiveDateTime)


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text  # the schema refuses it, in its own words
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    return moment.isoformat()


def _wall_time(value: Any) -> str:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(BEIJING)
    return moment.strftime("%Y-%m-%dT%H:%M")


def _flatten(prefix: str, messages: Any, found: dict[str, list[str]]) -> None:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            own = prefix if key == "_schema" else f"{prefix}-{key}" if prefix else str(key)
            _flatten(own, inner, found)
        return
    texts = messages if isinstance(messages, list) else [messages]
    found.setdefault(prefix or FORM, []).extend(str(text) for text in texts)
