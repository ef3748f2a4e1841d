"""Fields that many forms share."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from app.tickets.codes import PROBLEM_CATEGORY, URGENCY
from app.tickets.fields import REQUIRED, REQUIRED_MESSAGES, CleanText, CodeOf, YesNo

CHOOSE_UNIT = "请选择单位"
AN_ID = Range(1, 2**63 - 1, error=CHOOSE_UNIT)
"""What can be the id of a row: the database refuses to look for a larger number."""


class WholeNumber(fields.Integer):
    """A whole number, also as pages write it ("10"); nothing is cut off what is none."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


def choice(label: str, **options: str) -> fields.String:
    """One of a few options, drawn as radio buttons; option → its Chinese text."""
    return fields.String(
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=OneOf(list(options), error="请从选项中选择"),
        metadata={"label": label, "widget": "radio", "options": list(options.items())},
    )


def opinion(label: str, *, required: bool = False, **metadata: Any) -> CleanText:
    """A text of two to a thousand characters, over several lines."""
    return CleanText(
        most=1000,
        least=2,
        lines=True,
        required=required,
        allow_none=not required,
        metadata={"label": label, "widget": "textarea", "rows": 3, **metadata},
    )


def reason(label: str, **metadata: Any) -> CleanText:
    """Why: ten to a thousand characters (bad input of issue 3), required unless shown by choice."""
    optional = "show_when" in metadata
    return CleanText(
        most=1000,
        least=10,
        lines=True,
        required=not optional,
        allow_none=optional,
        metadata={"label": label, "widget": "textarea", "rows": 3, "needed": True, **metadata},
    )


def unit_choice(label: str, **metadata: Any) -> fields.Integer:
    """One of the units that the page offers; which are possible, the handler says."""
    return fields.Integer(
        allow_none=True,
        validate=AN_ID,
        error_messages={"invalid": CHOOSE_UNIT},
        metadata={"label": label, "widget": "unit", "needed": "show_when" in metadata, **metadata},
    )


def category() -> CodeOf:
    """问题类别, put right by who reviews or checks."""
    return CodeOf(
        PROBLEM_CATEGORY,
        allow_none=True,
        metadata={"label": "问题类别", "widget": "select", "col": 6},
    )


def urgency_choice() -> CodeOf:
    """紧急程度, put right by who reviews or checks."""
    return CodeOf(
        URGENCY, allow_none=True, metadata={"label": "紧急程度", "widget": "select", "col": 6}
    )


def secrecy() -> YesNo:
    """按保密件办理: switched on it hides the caller from lower levels; it is never taken back."""
    return YesNo(
        load_default=False,
        metadata={"label": "按保密件办理（对下级隐去诉求人身份）", "widget": "switch"},
    )


def accused() -> fields.Integer:
    """被反映单位 (FLW-07): the unit a complaint is about must not handle it."""
    return unit_choice("被反映单位", help="投诉对象是承办单位或其人员时选择；该单位不能承办本工单")


def left_out(data: Mapping[str, Any], original: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Errors for the fields a choice asks for and nobody entered; what was refused is not missing.

    For a schema's check of several fields, which sees only what passed and the `original`.
    """
    return {
        name: [REQUIRED]
        for name in names
        if not data.get(name) and not str(original.get(name) or "").strip()
    }
