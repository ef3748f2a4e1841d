"""Forms (表单) of the steps from review to audit: one schema each, for page and API alike."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf

from app.tickets.codes import PERMITS, RETURN_REASON
from app.tickets.fields import CleanText, CodeOf
from app.tickets.form_fields import (
    AN_ID,
    CHOOSE_UNIT,
    accused,
    category,
    choice,
    left_out,
    reason,
    secrecy,
    unit_choice,
    urgency_choice,
)
from app.tickets.form_fields import opinion as opinion_text
from app.tickets.reclassify import ReclassifyForm

Given = dict[str, Any]
"""What passed a schema's fields, or what it was given."""
_HAND_DOWN = ("instruction", "summary", "cohandlers", "cohandle_request")


def return_code(show_when: dict[str, list[str]]) -> CodeOf:
    """Why a ticket goes back to where it came from."""
    return CodeOf(
        RETURN_REASON,
        allow_none=True,
        metadata={"label": "退单原因", "widget": "select", "needed": True, "show_when": show_when},
    )


def transfer_org(show_when: dict[str, list[str]]) -> CleanText:
    """The authority whose matter it is (移送)."""
    return CleanText(
        most=100,
        least=2,
        allow_none=True,
        metadata={"label": "移送单位", "needed": True, "show_when": show_when, "help": "须经审批"},
    )


class SignInForm(Schema):
    """签收: taking the ticket into one's hands is all; a remark is possible."""

    remark = opinion_text("备注", rows=2)


class ReviewForm(ReclassifyForm):
    """初审 (T04): does it meet the standards of 12317; place, category and type are put right."""

    class Meta:
        """The verdict comes first on the page, what it needs after it."""

        fields = (
            "review",
            "division_code",
            "problem_category",
            "urgency",
            *ReclassifyForm().fields,
            "accused_unit_id",
            "is_confidential",
            "return_reason_code",
            "return_reason",
            "transfer_org",
            "transfer_reason",
            "supplement_request",
            "merged_into",
            "opinion",
        )

    review = choice(
        "初审结论",
        accept="受理",
        answer="直接答复",
        **{"return": "退单"},
        supplement="请12345补充",
        merge="并单",
        transfer="移送",
    )
    division_code = CleanText(
        most=12,
        digits=True,
        allow_none=True,
        metadata={"label": "行政区划", "widget": "division", "help": "至少确认到县级，方可转办"},
    )
    problem_category = category()
    urgency = urgency_choice()
    is_confidential = secrecy()
    accused_unit_id = accused()
    return_reason_code = return_code({"review": ["return"]})
    return_reason = reason(
        "退单理由",
        show_when={"review": ["return"]},
        help="写明依据和建议的承办部门，将发送给12345",
    )
    transfer_org = transfer_org({"review": ["transfer"]})
    transfer_reason = reason("移送理由", show_when={"review": ["transfer"]})
    supplement_request = reason("需要补充的内容", show_when={"review": ["supplement"]})
    merged_into = CleanText(
        most=24,
        allow_none=True,
        metadata={
            "label": "并入工单",
            "show_when": {"review": ["merge"]},
            "needed": True,
            "help": "填写正在办理的工单受理编号",
        },
    )
    opinion = opinion_text("初审意见")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _the_choice_is_explained(self, data: Given, original: Given, **_: Any) -> None:
        wanted = {
            "return": ("return_reason_code", "return_reason"),
            "transfer": ("transfer_org", "transfer_reason"),
            "supplement": ("supplement_request",),
            "merge": ("merged_into",),
        }.get(data.get("review", ""), ())
        if missing := left_out(data, original, *wanted):
            raise ValidationError(missing)


class ApproveTransferForm(Schema):
    """移送审批 (T04d): the leader agrees, or sends it back to the review."""

    decision = choice("审批结论", approve="同意移送", refuse="不同意")
    opinion = opinion_text("审批意见", help="不同意时必填")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _a_refusal_has_a_reason(self, data: Given, original: Given, **_: Any) -> None:
        if data.get("decision") == "refuse" and left_out(data, original, "opinion"):
            raise ValidationError("不同意须填写意见", "opinion")


class HandDownForm(Schema):
    """What goes along when a ticket is handed down: the summary, and who helps (协办)."""

    instruction = opinion_text("转办意见")
    summary = CleanText(
        most=4000,
        least=10,
        lines=True,
        allow_none=True,
        metadata={
            "label": "转办摘要",
            "widget": "textarea",
            "rows": 5,
            "help": "下级单位和协办单位只看到摘要，看不到原文和附件；请删去能识别诉求人的内容",
        },
    )
    cohandlers = fields.List(
        fields.Integer(validate=AN_ID, error_messages={"invalid": CHOOSE_UNIT}),
        load_default=list,
        validate=Length(max=10, error="最多10个协办单位"),
        metadata={"label": "协办单位", "widget": "checks"},
    )
    cohandle_request = opinion_text("协办要求", rows=2, help="选择协办单位时必填")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _helpers_are_told_what_for(self, data: Given, original: Given, **_: Any) -> None:
        missing = left_out(data, original, "cohandle_request")
        if data.get("cohandlers") and missing:
            raise ValidationError(missing)


class DispatchForm(HandDownForm):
    """分派 (T06): handle at the province, hand down to one city or county, or transfer (移送).

    Letters and the like come here without a review, where others are transferred.
    """

    class Meta:
        """The choice comes first on the page."""

        fields = ("route", "target_unit_id", "transfer_org", "transfer_reason", *_HAND_DOWN)

    route = choice("办理方式", province="省级办理", down="转办下级", transfer="移送")
    target_unit_id = unit_choice(
        "承办单位", show_when={"route": ["down"]}, help="只列出本单位的直接下级"
    )
    transfer_org = transfer_org({"route": ["transfer"]})
    transfer_reason = reason("移送理由", show_when={"route": ["transfer"]})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _the_choice_is_explained(self, data: Given, original: Given, **_: Any) -> None:
        if data.get("route") == "down" and left_out(data, original, "target_unit_id"):
            raise ValidationError("转办须选择承办单位", "target_unit_id")
        if data.get("route") == "transfer":
            if missing := left_out(data, original, "transfer_org", "transfer_reason"):
                raise ValidationError(missing)


class CityDecideForm(HandDownForm):
    """市级签收并决定 (T07): handle here or hand down to a county."""

    class Meta:
        """The choice comes first on the page."""

        fields = ("city_route", "target_unit_id", "return_reason", *_HAND_DOWN)

    city_route = choice("办理方式", self="自行办理", county="转办县级", back="退回省级")
    target_unit_id = unit_choice("承办单位", show_when={"city_route": ["county"]})
    return_reason = reason("退回理由", show_when={"city_route": ["back"]})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _target_is_named(self, data: Given, original: Given, **_: Any) -> None:
        if data.get("city_route") == "county" and left_out(data, original, "target_unit_id"):
            raise ValidationError("转办须选择承办单位", "target_unit_id")
        missing = left_out(data, original, "return_reason")
        if data.get("city_route") == "back" and missing:
            raise ValidationError(missing)


class CountyDecideForm(Schema):
    """县级签收 (T08): take it, or hand it back up with a reason."""

    county_route = fields.String(
        load_default="accept",
        validate=OneOf(["accept", "back"], error="请从选项中选择"),
        metadata={
            "label": "签收",
            "widget": "radio",
            "options": [("accept", "签收办理"), ("back", "退回上级")],
        },
    )
    return_reason = reason("退回理由", show_when={"county_route": ["back"]})
    remark = opinion_text("备注", rows=2)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _back_has_a_reason(self, data: Given, original: Given, **_: Any) -> None:
        missing = left_out(data, original, "return_reason")
        if data.get("county_route") == "back" and missing:
            raise ValidationError(missing)


class ReviewReturnForm(Schema):
    """审核下级退回 (T06r, T07r): take it back, or have the same unit handle it (指定办理)."""

    decision = choice(
        "审核结论", agree="同意退回，重新分派", refuse="不同意，指定办理", p12345="同意，退回来源"
    )
    return_reason_code = return_code({"decision": ["p12345"]})
    return_reason = reason(
        "退单理由", show_when={"decision": ["p12345"]}, help="将发送给工单来源单位"
    )
    opinion = opinion_text("审核意见", help="不同意时必填")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _the_decision_is_explained(self, data: Given, original: Given, **_: Any) -> None:
        if data.get("decision") == "refuse" and left_out(data, original, "opinion"):
            raise ValidationError("不同意须填写意见", "opinion")
        if data.get("decision") == "p12345":
            if missing := left_out(data, original, "return_reason_code", "return_reason"):
                raise ValidationError(missing)


class GiveBackForm(Schema):
    """退回上级: the handling unit is not competent (EX-02)."""

    return_reason = reason("退回理由", help="写明依据和建议的承办单位")


class PermitForm(Schema):
    """审批人准予: what the rules forbid unless the leader decides otherwise, in writing."""

    permit = choice("准予事项", **PERMITS)
    permit_reason = reason("准予理由")


class AuditForm(Schema):
    """审核 (T10, T11): pass the report, or reject it (驳回) with an opinion."""

    decision = choice("审核结论", approve="同意", reject="驳回")
    reject_to = fields.String(
        load_default="handler",
        validate=OneOf(["handler", "city_audit"], error="请从选项中选择"),
        metadata={
            "label": "驳回到",
            "widget": "radio",
            "options": [("handler", "承办单位"), ("city_audit", "市级审核")],
            "show_when": {"decision": ["reject"]},
        },
    )
    opinion = opinion_text("审核意见", help="驳回时必填")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _rejection_has_a_reason(self, data: Given, original: Given, **_: Any) -> None:
        if data.get("decision") == "reject" and left_out(data, original, "opinion"):
            raise ValidationError("驳回须填写意见", "opinion")


class NationalReceiptForm(Schema):
    """国家接收结果、结论: the national level has read what became of the ticket it dispatched."""

    opinion = opinion_text("意见")


class DecideReturnForm(Schema):
    """国家批复退单: the national level takes its ticket back, or not."""

    decision = choice("批复", approve="同意退回", refuse="不同意")
    opinion = opinion_text("批复意见", required=True)
