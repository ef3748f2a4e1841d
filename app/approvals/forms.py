"""Forms (表单) of requests: what is asked for, and what each level says to it."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow.validate import Range

from app.tickets.fields import REQUIRED_MESSAGES
from app.tickets.form_fields import WholeNumber, choice, opinion, reason


class AskExtensionForm(Schema):
    """申请延期 (EX-03, seed table 9): why, for how many days, and that the petitioner was told."""

    extension_reason = reason("延期理由")
    extension_days = WholeNumber(
        required=True,
        error_messages={**REQUIRED_MESSAGES, "invalid": "应为整数天数"},
        validate=Range(1, 30, error="延期天数应为1–30"),
        metadata={"label": "延期时间（天）", "widget": "number", "col": 6},
    )
    informed_note = reason("告知诉求人延期理由的情况", rows=2)


class OpinionForm(Schema):
    """延期意见: the city's or the province's word, before somebody else decides."""

    decision = choice("意见", agree="同意延期", refuse="不同意")
    opinion = opinion("意见说明", help="不同意时必填")

    @validates_schema(skip_on_field_errors=False)
    def _a_refusal_has_a_reason(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("decision") == "refuse" and not data.get("opinion"):
            raise ValidationError("不同意须填写意见", "opinion")


class DecideExtensionForm(OpinionForm):
    """延期批复: the decision where 12345 is not asked (信访工作条例 34)."""

    decision = choice("批复", agree="同意延期", refuse="不同意")
    opinion = opinion("批复意见", required=True)
