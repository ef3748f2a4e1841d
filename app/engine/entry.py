"""What may enter an instance: forms' values, variables and payloads, each refused by field."""

from typing import Any

from marshmallow import ValidationError

from app.core.errors import FieldError, Invalid
from app.engine import registry
from app.engine.scalars import NotFlat, flat


def cleaned(form: registry.Form | None, values: dict[str, Any]) -> dict[str, Any]:
    """What a person entered, as the form's schema loads it; without a form it must be flat."""
    if form is None:
        require_flat(values)
        return values
    try:
        loaded: dict[str, Any] = form.schema.load(values)
    except ValidationError as error:
        raise Invalid(field_errors(error.messages_dict)) from None
    return loaded


def field_errors(messages: dict[str, Any], prefix: str = "") -> list[FieldError]:
    """Flatten marshmallow's messages into one FieldError per message, nested fields with dots."""
    found = []
    for name, value in messages.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            found += field_errors(value, f"{path}.")
        else:
            found += [FieldError(path, "invalid", str(message)) for message in value]
    return found


def require_flat(values: dict[str, Any]) -> None:
    """Refuse what cannot be a variable; Invalid names each key, never a value."""
    wrong = []
    for key, value in values.items():
        try:
            flat({key: value})
        except NotFlat as problem:
            wrong.append(FieldError(str(key), "flat", str(problem)))
    if wrong:
        raise Invalid(wrong)


def allowed(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Keep only what this message may write into the process variables."""
    require_flat(payload)
    keys = registry.message_keys(name)
    return payload if keys is None else {k: v for k, v in payload.items() if k in keys}
