"""Reading a submission (受理): its table's schema, then what only all fields together can say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from app.core.errors import FieldError, Invalid
from app.security import identity
from app.tickets import rules, types
from app.tickets.fields import REQUIRED, YesNo
from app.tickets.schemas import IntakeSchema

MOST_UNKNOWN = 20
"""So many unknown fields are named in a receipt; the sender has got the idea by then."""


@dataclass(frozen=True)
class Intake:
    """A valid submission: clean values by column, and what the sender should know."""

    ticket_type: str
    values: dict[str, Any]
    warnings: list[rules.Warning] = field(default_factory=list)


def read(
    table: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    anonymity_mode: str,
    boolean_mapping: Mapping[str, Any] | None = None,
    schema: IntakeSchema | None = None,
) -> Intake:
    """Validate a submission to one of `types.TABLES` under a partner's profile.

    Invalid names every wrong field at once. Which type a consultation is, its service type says.
    `schema` is the table's with fewer fields, where staff enter it.
    """
    schema = schema or types.TABLES[table]
    raw = dict(payload)
    for name, known in schema.fields.items():
        mapped = (boolean_mapping or {}).get(str(raw.get(name)))
        if isinstance(known, YesNo) and mapped is not None:
            raw[name] = mapped
    errors: list[FieldError] = []
    try:
        values = schema.load(raw)
    except ValidationError as error:
        values = error.valid_data if isinstance(error.valid_data, dict) else {}
        errors += _field_errors(error.messages_dict)
    more, warnings = cross_field(schema, values, {e.field for e in errors}, anonymity_mode, now)
    errors += more
    if errors:
        raise Invalid(errors)
    unknown = sorted(set(raw) - set(schema.fields))[:MOST_UNKNOWN]
    warnings += [
        rules.Warning("UNKNOWN_FIELD", name[:64], "未识别的字段，已忽略") for name in unknown
    ]
    return Intake(types.of(table, values).code, values, warnings)


def cross_field(
    schema: IntakeSchema, values: dict[str, Any], wrong: set[str], mode: str, now: datetime
) -> tuple[list[FieldError], list[rules.Warning]]:
    """What only several fields together can say; `wrong` are fields that were refused already."""
    # A field that was refused is not missing as well; what it said is not judged either.
    missing, warnings = schema.between_fields(values, mode, wrong)
    errors = [error for error in missing if error.field not in wrong]
    if "called_at" in values:
        late, hints = rules.call_time_problems(values["called_at"], now)
        errors += late
        warnings += hints
    if not values.get("division_code") and not values.get("division_text"):
        if not wrong & {"division_code", "division_text"}:
            both = "行政区划编码和行政区划文本至少填一项"
            message = both if "division_text" in schema.fields else REQUIRED
            errors.append(FieldError("division_code", "required", message))
    wished = "required_completion_date"
    if wished in schema.fields and not values.get(wished) and wished not in wrong:
        warnings.append(
            rules.Warning("DUE_DATE_COMPUTED", wished, "未填办结日期，已按时限规则计算")
        )
    return errors, warnings


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a ticket that what was entered fills, with the hashes it is found by."""
    return {
        "is_anonymous": values.get("is_anonymous", False),
        "declined_fields": values.get("declined_fields", []),
        "contact_phone_hash": identity.phone_hash(values.get("contact_phone")),
        "id_card_hash": identity.id_card_hash(values.get("id_card_no")),
        "caller_name_hash": identity.name_hash(values.get("caller_name")),
        "caller_address_hash": identity.address_hash(values.get("caller_address")),
        "title": rules.title_of(values["content"]),
        **{name: values.get(name) for name in _COPIED},
    }


def arrival(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say how it came: from which number, when, taken down by whom."""
    number = values.get("caller_number") or UNKNOWN
    return {
        "external_ticket_no": values.get("external_ticket_no"),
        "operator_no": values["operator_no"],
        "called_at": values["called_at"],
        "caller_number": number,
        "caller_number_unknown": number == UNKNOWN,
        "caller_number_hash": identity.phone_hash(None if number == UNKNOWN else number),
    }


UNKNOWN = "unknown"
"""In place of a number that is hidden, or that a letter does not have."""
_COPIED = (
    "urgency",
    "is_confidential",
    "caller_name",
    "contact_phone",
    "caller_address",
    "id_card_no",
    "household_head",
    "relation",
    "caller_category",
    "division_code",
    "division_text",
    "detail_address",
    "target_info",
    "targets",
    "content",
    "problem_category",
    "poverty_risk",
    "poverty_risk_note",
    "required_completion_date",
)

_RULES = {REQUIRED: "required", "身份证号校验位错误": "checksum"}


def _field_errors(messages: Mapping[str, Any], prefix: str = "") -> list[FieldError]:
    found: list[FieldError] = []
    for name, value in messages.items():
        if isinstance(value, Mapping):
            found += _field_errors(value, f"{prefix}{name}.")
        else:
            found += [
                FieldError(f"{prefix}{name}", _rule(str(message)), str(message))
                for message in value
            ]
    return found


def _rule(message: str) -> str:
    """A stable word for machines beside the sentence for people."""
    if message in _RULES:
        return _RULES[message]
    if message.startswith("取值应为"):
        return "code"
    return "length" if message.startswith(("最多", "至少")) else "format"
