"""What a 12345 platform sends after a ticket (I11–I13)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length

from app.tickets.fields import CleanText, Moment


class FollowUpSchema(Schema):
    """What every later message may carry."""

    class Meta:
        """Unknown fields are left aside."""

        unknown = EXCLUDE

    operator_no = CleanText(most=32, allow_none=True, metadata={"label": "工号"})
    occurred_at = Moment(allow_none=True, metadata={"label": "发生时间"})


class SupplementSchema(FollowUpSchema):
    """补充 (I11, EX-10): words, files or both."""

    content = CleanText(
        most=4000, least=2, lines=True, allow_none=True, metadata={"label": "补充内容"}
    )
    attachments = fields.List(
        CleanText(most=64),
        load_default=list,
        validate=Length(max=10, error="附件最多10个"),
        metadata={"label": "附件"},
    )

    @validates_schema(skip_on_field_errors=False)
    def _there_is_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("content") and not data.get("attachments"):
            raise ValidationError("补充内容和附件至少填一项", "content")


class UrgeSchema(FollowUpSchema):
    """催单 (I12, EX-05)."""

    content = CleanText(
        most=1000, least=2, lines=True, required=True, metadata={"label": "催办内容"}
    )


class WithdrawalSchema(FollowUpSchema):
    """撤回 (I13, EX-07)."""

    reason = CleanText(
        most=1000, least=2, lines=True, required=True, metadata={"label": "撤回理由"}
    )


SUPPLEMENT = SupplementSchema()
URGE = UrgeSchema()
WITHDRAWAL = WithdrawalSchema()
