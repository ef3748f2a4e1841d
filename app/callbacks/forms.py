"""Forms (表单) of callbacks."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from app.tickets.codes import SATISFACTION
from app.tickets.fields import CodeOf
from app.tickets.form_fields import choice, opinion


class CallbackForm(Schema):
    """坐席回访 (C13): what the petitioner says of the result."""

    satisfaction = CodeOf(
        SATISFACTION, required=True, metadata={"label": "满意度", "widget": "radio"}
    )
    solved = choice("问题是否解决", yes="已解决", no="未解决", unknown="不清楚")
    opinion = opinion("来电人意见")


class DecideReworkForm(Schema):
    """决定是否重办 (T14): handle it again, by the same unit or another, or explain and close."""

    decision = choice("决定", again="退回原承办单位重办", dispatch="重新分派", close="解释并归档")
    opinion = opinion("说明", help="重办须写明要求，归档须写明解释情况")

    @validates_schema(skip_on_field_errors=False)
    def _it_is_explained(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("opinion"):
            raise ValidationError("须填写说明", "opinion")
