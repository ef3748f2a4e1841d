"""Intake tables of the seed as schemas: one a table, for API and page, all errors at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Regexp

from app.core.errors import FieldError, Invalid
from app.tickets import rules
from app.tickets.codes import PROBLEM_CATEGORY, URGENCY
from app.tickets.fields import (
    REQUIRED,
    CallerNumber,
    CleanText,
    CodeOf,
    Day,
    IdCard,
    Moment,
    PersonName,
    Phone,
    YesNo,
)


class IntakeSchema(Schema):
    """Fields common to all intake tables (REQUIREMENTS 3.1)."""

    class Meta:
        """Unknown fields become warnings."""

        unknown = EXCLUDE

    external_ticket_no = CleanText(
        most=64, digits=True, required=True, metadata={"label": "12345工单编号"}
    )
    operator_no = fields.String(
        required=True,
        validate=Regexp(r"^[A-Za-z0-9_-]{1,32}$", error="工号为1–32位字母、数字、_或-"),
        error_messages={"required": REQUIRED, "null": REQUIRED, "invalid": "应为文字"},
        metadata={"label": "工号"},
    )
    caller_number = CallerNumber(required=True, metadata={"label": "来电号码"})
    called_at = Moment(required=True, metadata={"label": "来电时间"})
    division_code = CleanText(
        most=12, digits=True, allow_none=True, metadata={"label": "行政区划编码"}
    )
    division_text = CleanText(most=200, allow_none=True, metadata={"label": "行政区划"})
    detail_address = CleanText(most=200, allow_none=True, metadata={"label": "详细地址"})
    urgency = CodeOf(URGENCY, load_default=1, metadata={"label": "紧急程度"})
    is_confidential = YesNo(load_default=False, metadata={"label": "是否保密"})
    attachments = fields.List(
        CleanText(most=64),
        load_default=list,
        validate=Length(max=10, error="附件最多10个"),
        metadata={"label": "附件"},
    )


class ComplaintSchema(IntakeSchema):
    """Seed table 2 投诉举报填写信息."""

    caller_name = PersonName(allow_none=True, metadata={"label": "姓名"})
    contact_phone = Phone(allow_none=True, metadata={"label": "联系电话"})
    caller_address = CleanText(most=200, allow_none=True, metadata={"label": "住址"})
    id_card_no = IdCard(allow_none=True, metadata={"label": "身份证号"})
    declined_fields = fields.List(
        fields.String(validate=OneOf(list(rules.CALLER_FIELDS), error="只能是来电人信息字段名")),
        load_default=list,
        validate=Length(max=len(rules.CALLER_FIELDS), error="最多4项"),
        metadata={"label": "来电人拒绝提供的字段"},
    )
    is_anonymous = YesNo(required=True, metadata={"label": "是否匿名"})
    target_info = CleanText(most=1000, lines=True, allow_none=True, metadata={"label": "对象信息"})
    content = CleanText(most=4000, lines=True, required=True, metadata={"label": "内容"})
    problem_category = CodeOf(PROBLEM_CATEGORY, required=True, metadata={"label": "问题类别"})
    required_completion_date = Day(allow_none=True, metadata={"label": "办结日期（要求）"})


COMPLAINT = ComplaintSchema()


@dataclass(frozen=True)
class Intake:
    """A valid submission: clean values and what the sender should know."""

    ticket_type: str
    values: dict[str, Any]
    warnings: list[rules.Warning] = field(default_factory=list)


def read_complaint(
    payload: Mapping[str, Any],
    *,
    now: datetime,
    anonymity_mode: str,
    boolean_mapping: Mapping[str, Any] | None = None,
) -> Intake:
    """Validate table 2 under a partner's profile. Invalid names every wrong field at once."""
    raw = dict(payload)
    for name in ("is_anonymous", "is_confidential"):
        mapped = (boolean_mapping or {}).get(str(raw.get(name)))
        if mapped is not None:
            raw[name] = mapped
    errors: list[FieldError] = []
    try:
        values = COMPLAINT.load(raw)
    except ValidationError as error:
        values = error.valid_data if isinstance(error.valid_data, dict) else {}
        errors += _field_errors(error.messages_dict)
    more, warnings = _cross_field(values, {e.field for e in errors}, anonymity_mode, now)
    errors += more
    if errors:
        raise Invalid(errors)
    unknown = sorted(set(raw) - set(COMPLAINT.fields))
    warnings += [
        rules.Warning("UNKNOWN_FIELD", name[:64], "未识别的字段，已忽略") for name in unknown
    ]
    return Intake("complaint", values, warnings)


def _cross_field(
    values: dict[str, Any], wrong: set[str], mode: str, now: datetime
) -> tuple[list[FieldError], list[rules.Warning]]:
    errors: list[FieldError] = []
    warnings: list[rules.Warning] = []
    if not values.get("contact_phone") and "contact_phone" not in wrong:
        number = values.get("caller_number", "")
        if rules.is_phone(number) and values.get("is_anonymous") is False:
            values["contact_phone"] = number
    missing, hints = rules.caller_problems(mode, values, values.get("declined_fields", []))
    errors += [error for error in missing if error.field not in wrong]
    warnings += hints
    if "called_at" in values:
        late, hints = rules.call_time_problems(values["called_at"], now)
        errors += late
        warnings += hints
    if not values.get("division_code") and not values.get("division_text"):
        if not wrong & {"division_code", "division_text"}:
            errors.append(
                FieldError("division_code", "required", "行政区划编码和行政区划文本至少填一项")
            )
    if not values.get("required_completion_date") and "required_completion_date" not in wrong:
        warnings.append(
            rules.Warning(
                "DUE_DATE_COMPUTED", "required_completion_date", "未填办结日期，已按时限规则计算"
            )
        )
    return errors, warnings


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
