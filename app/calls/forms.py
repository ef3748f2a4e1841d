"""Forms (表单) of transferred calls (话务).

What the agent records is the intake table of the type, without what the call itself knows.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import OneOf

from app.core import clock
from app.tickets import intake
from app.tickets.codes import PROBLEM_CATEGORY
from app.tickets.fields import REQUIRED, CleanText, CodeOf
from app.tickets.form_fields import (
    accused,
    category,
    choice,
    opinion,
    reason,
    secrecy,
    urgency_choice,
)
from app.tickets.registration import ANONYMITY_MODE, place_field
from app.tickets.schemas import (
    ComplaintSchema,
    ConsultationSchema,
    DeclarationSchema,
    IntakeSchema,
)
from app.tickets.types import TICKET_TYPES

SATISFIED = {"yes": True, "no": False}
"""What the caller said about an answer; everything else is no word."""


def _ticket_type(**metadata: Any) -> fields.String:
    options = [(row.code, row.title) for row in TICKET_TYPES.values()]
    return fields.String(
        allow_none=True,
        validate=OneOf([code for code, _ in options], error="请从选项中选择"),
        metadata={"label": "来电类型", "widget": "radio", "options": options, **metadata},
    )


def _require(data: dict[str, Any], *names: str) -> None:
    missing = {name: [REQUIRED] for name in names if not data.get(name)}
    if missing:
        raise ValidationError(missing)


class AnswerCallForm(Schema):
    """接听、分类 (C02): what the call is, and what is said of it at once."""

    call = choice(
        "来电处理",
        record="受理，记录工单",
        answered="当场答复",
        wrong_transfer="误转，转回12345",
        dropped="通话中断",
    )
    ticket_type = _ticket_type(show_when={"call": ["record", "dropped"]})
    content = CleanText(
        most=2000,
        least=2,
        lines=True,
        allow_none=True,
        metadata={
            "label": "来电内容",
            "widget": "textarea",
            "show_when": {"call": ["answered", "dropped"]},
            "help": "通话中断时写下已经说到的，回拨时继续",
        },
    )
    problem_category = CodeOf(
        PROBLEM_CATEGORY,
        allow_none=True,
        metadata={
            "label": "问题类别",
            "widget": "select",
            "col": 6,
            "show_when": {"call": ["answered"]},
            "needed": True,
        },
    )
    article = CleanText(
        most=100,
        allow_none=True,
        metadata={
            "label": "依据的知识条目",
            "col": 6,
            "show_when": {"call": ["answered"]},
            "placeholder": "编号或名称",
        },
    )
    answer = reason("答复内容", rows=4, show_when={"call": ["answered"]})
    satisfied = fields.String(
        load_default="unasked",
        validate=OneOf([*SATISFIED, "unasked"], error="请从选项中选择"),
        metadata={
            "label": "来电人是否满意",
            "widget": "radio",
            "options": [("yes", "满意"), ("no", "不满意"), ("unasked", "未表态")],
            "show_when": {"call": ["answered"]},
        },
    )
    wrong_reason = reason("误转原因", show_when={"call": ["wrong_transfer"]})

    @validates_schema(skip_on_field_errors=False)
    def _the_choice_is_filled_in(self, data: dict[str, Any], **_: Any) -> None:
        wanted = {
            "record": ("ticket_type",),
            "answered": ("content", "problem_category", "answer"),
            "wrong_transfer": ("wrong_reason",),
        }
        _require(data, *wanted.get(data.get("call", ""), ()))


class CallBackForm(Schema):
    """回拨 (C06): reached or not; the last try decides whether what is known will do."""

    outcome = choice("回拨结果", reached="已接通", missed="未接通")
    enough = fields.String(
        allow_none=True,
        validate=OneOf(["yes", "no"], error="请从选项中选择"),
        metadata={
            "label": "已记下的内容能否受理",
            "widget": "radio",
            "options": [("yes", "足以受理"), ("no", "不足，结案")],
            "show_when": {"outcome": ["missed"]},
            "help": "回拨满三次仍未接通时必填",
        },
    )
    ticket_type = _ticket_type(help="接通或足以受理时必填")
    note = opinion("说明", rows=2)

    @validates_schema(skip_on_field_errors=False)
    def _a_record_has_a_type(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("outcome") == "reached":
            _require(data, "ticket_type")


class CheckCallForm(Schema):
    """签收核对 (C07): take it, give it back to the seat, merge it or hand it to others."""

    review = choice("核对结论", accept="受理", back="退回坐席", merge="并单", transfer="移送")
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
    transfer_org = CleanText(
        most=100,
        least=2,
        allow_none=True,
        metadata={
            "label": "移送单位",
            "needed": True,
            "show_when": {"review": ["transfer"]},
            "help": "须经审批",
        },
    )
    transfer_reason = reason("移送理由", show_when={"review": ["transfer"]})
    ticket_type = _ticket_type(
        label="更正类型", show_when={"review": ["back"]}, help="类型有误的，坐席按新类型重新记录"
    )
    problem_category = category()
    urgency = urgency_choice()
    is_confidential = secrecy()
    accused_unit_id = accused()
    opinion = opinion("核对意见", help="退回坐席时必填，写明须补正的内容")

    @validates_schema(skip_on_field_errors=False)
    def _the_choice_is_explained(self, data: dict[str, Any], **_: Any) -> None:
        wanted = {
            "back": ("opinion",),
            "merge": ("merged_into",),
            "transfer": ("transfer_org", "transfer_reason"),
        }
        _require(data, *wanted.get(data.get("review", ""), ()))


class _Recorded(IntakeSchema):
    """按分类记录 (C05): a table as the agent fills it in while the caller speaks."""

    division_code = place_field()

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _fields_fit_together(self, data: dict[str, Any], given: Any, **_: Any) -> None:
        wrong = {name for name in given if (self._column(name)) not in data}
        found, _hints = intake.cross_field(self, data, wrong, ANONYMITY_MODE, clock.now())
        if found:
            raise ValidationError({error.field: [error.message] for error in found})

    def _column(self, name: str) -> str:
        field = self.fields.get(name)
        return (field.attribute if field else None) or name


_KNOWN = ("external_ticket_no", "operator_no", "caller_number", "called_at", "division_text")


class RecordComplaintForm(_Recorded, ComplaintSchema):
    """记录投诉举报 (seed table 2)."""

    class Meta:
        """The call knows the rest."""

        unknown = EXCLUDE
        exclude = (*_KNOWN, "required_completion_date")


class RecordDeclarationForm(_Recorded, DeclarationSchema):
    """记录自主申报 (seed table 1)."""

    class Meta:
        """The call knows the rest."""

        unknown = EXCLUDE
        exclude = _KNOWN


class RecordConsultationForm(_Recorded, ConsultationSchema):
    """记录咨询、建议 (seed table 3); which of them it is, was chosen before."""

    class Meta:
        """The call knows the rest."""

        unknown = EXCLUDE
        exclude = (*_KNOWN, "service_type")
