"""What the other side answers: seed tables 4 and 5."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Range

from app.tickets.codes import APPROVED
from app.tickets.fields import CleanText, CodeOf, Moment

_REFUSES = 2


class ReturnDecisionSchema(Schema):
    """退单返回结果 (seed table 4): 1 同意, 2 不同意, and why."""

    class Meta:
        """Unknown fields are left aside."""

        unknown = EXCLUDE

    approved = CodeOf(APPROVED, required=True, metadata={"label": "是否同意"})
    opinion = CleanText(most=1000, lines=True, required=True, metadata={"label": "批复意见"})
    decided_by = CleanText(most=50, allow_none=True, metadata={"label": "批复人"})
    decided_at = Moment(allow_none=True, metadata={"label": "批复时间"})
    request_no = CleanText(most=40, allow_none=True, metadata={"label": "申请编号"})


class ExtensionDecisionSchema(ReturnDecisionSchema):
    """延期返回结果 (seed table 5): as a return's, and the days when not all were granted (D5)."""

    approved_days = fields.Integer(
        strict=True,
        allow_none=True,
        error_messages={"invalid": "应为整数天数"},
        validate=Range(1, 30, error="批准天数应为1–30"),
        metadata={"label": "批准天数"},
    )

    @validates_schema(skip_on_field_errors=False)
    def _a_refusal_grants_nothing(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("approved") == _REFUSES and data.get("approved_days") is not None:
            raise ValidationError("不同意延期时不能填写批准天数", "approved_days")


RETURN_DECISION = ReturnDecisionSchema()
EXTENSION_DECISION = ExtensionDecisionSchema()
