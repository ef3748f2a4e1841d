"""Forms (表单) of matters."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length

from app.tickets.codes import SUPERVISION_REASON, SUSPENSION_REASON
from app.tickets.fields import CleanText, CodeOf, Day
from app.tickets.form_fields import choice, left_out, opinion, reason


class ReadForm(Schema):
    """阅知: it was read; a remark is possible."""

    opinion = opinion("备注", rows=2)


class AnswerMatterForm(Schema):
    """答复催办、督办单，提出协办意见: what was done, or is thought."""

    answer = opinion("答复内容", required=True)


class ConsiderSupervisionForm(Schema):
    """是否发督办单: the total is over; a 督办单 goes out, or there is a reason why none does."""

    decision = choice("是否发督办单", issue="发督办单", decline="不发")
    reason_code = CodeOf(
        SUPERVISION_REASON,
        metadata={
            "label": "督办原因",
            "widget": "select",
            "show_when": {"decision": ["issue"]},
        },
    )
    text = reason(
        "督办意见",
        show_when={"decision": ["issue"]},
        help="发给承办单位，答复期限按督办时限计算",
    )
    decline_reason = reason("不发的理由", show_when={"decision": ["decline"]})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _the_choice_is_explained(
        self, data: dict[str, Any], original: dict[str, Any], **_: Any
    ) -> None:
        explained_by = {"issue": ("reason_code", "text"), "decline": ("decline_reason",)}
        wanted = explained_by.get(data.get("decision", ""), ())
        if missing := left_out(data, original, *wanted):
            raise ValidationError(missing)


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


class UrgeForm(Schema):
    """催办 (EX-05)."""

    text = opinion("催办内容", required=True)


class SuperviseForm(Schema):
    """督办单 (EX-06): why it is sent, what is found wrong and demanded."""

    reason_code = CodeOf(
        SUPERVISION_REASON, required=True, metadata={"label": "督办原因", "widget": "select"}
    )
    text = reason("督办意见")


class SupplementForm(Schema):
    """补充材料 (EX-10): words, files or both."""

    text = opinion("补充内容")
    attachments = fields.List(
        CleanText(most=64),
        load_default=list,
        validate=Length(max=10, error="附件最多10个"),
        metadata={"label": "附件", "widget": "files"},
    )

    @validates_schema(skip_on_field_errors=False)
    def _there_is_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("text") and not data.get("attachments"):
            raise ValidationError("补充内容和附件至少填一项", "text")


class WithdrawForm(Schema):
    """撤回 (EX-07): why the petitioner takes it back, and how that was learnt."""

    reason = reason("撤回理由")


class SuspendForm(Schema):
    """挂起 (EX-11): for what the handling has to wait, and until when."""

    reason_code = CodeOf(
        SUSPENSION_REASON, required=True, metadata={"label": "挂起原因", "widget": "select"}
    )
    reason = reason("挂起理由")
    until = Day(required=True, metadata={"label": "挂起至", "widget": "date"})


class ResumeForm(Schema):
    """恢复办理: nothing is asked."""


class RecallForm(Schema):
    """收回 (EX-12)."""

    reason = reason("收回理由")
