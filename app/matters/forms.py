"""Forms (表单) of matters."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from app.tickets.form_fields import choice, opinion


class ReadForm(Schema):
    """阅知: it was read; a remark is possible."""

    opinion = opinion("备注", rows=2)


class AnswerMatterForm(Schema):
    """答复催办、督办单，提出协办意见: what was done, or is thought."""

    answer = opinion("答复内容", required=True)


class ConfirmWithdrawalForm(Schema):
    """撤回确认 (EX-07): the ticket ends, or goes on in the public interest (依职权)."""

    decision = choice("确认", approve="同意撤回", refuse="继续办理")
    opinion = opinion("说明", help="继续办理时必填")

    @validates_schema(skip_on_field_errors=False)
    def _going_on_has_a_reason(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("decision") == "refuse" and not data.get("opinion"):
            raise ValidationError("继续办理须说明理由", "opinion")


class ApproveSuspensionForm(Schema):
    """挂起审批 (EX-11)."""

    decision = choice("审批结论", approve="同意挂起", refuse="不同意")
    opinion = opinion("审批意见", help="不同意时必填")

    @validates_schema(skip_on_field_errors=False)
    def _a_refusal_has_a_reason(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("decision") == "refuse" and not data.get("opinion"):
            raise ValidationError("不同意须填写意见", "opinion")
