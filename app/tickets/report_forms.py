"""Forms (表单) of handling (办理, T09): what the unit found, did or answered, by ticket type."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, Range

from app.tickets.codes import (
    ADOPTION,
    DECLARATION_OUTCOME,
    INFORM_METHOD,
    INFORM_STATUS,
    MONITOR_TYPE,
    MONITORED,
    NOTED_OUTCOMES,
    VERIFICATION_RESULT,
)
from app.tickets.fields import (
    REQUIRED,
    REQUIRED_MESSAGES,
    CleanText,
    CodeOf,
    Day,
    Moment,
    PersonName,
    Phone,
)
from app.tickets.form_fields import choice

_SPOKEN_TO = (1, 2)
"""inform_status 已告知, 拒绝接听或接收: there was a moment and a way."""
UNREACHABLE = 3
"""inform_status 多次联系未果: the attempts say when (EX-13)."""
NOT_APPLICABLE = 4
"""inform_status 匿名不适用: nobody to tell."""
LEAST_ATTEMPTS = 3
CALLBACK = "callback"
"""answer_mode: the caller was called back; otherwise 12345 passes the answer on."""
FILES_HELP = "支持 Word、图片、PDF、压缩包，单个不超过 50 MB"


def _inform_status(*, required: bool = True, **metadata: Any) -> CodeOf:
    return CodeOf(
        INFORM_STATUS,
        required=required,
        allow_none=not required,
        metadata={"label": "告知诉求人", "widget": "radio", **metadata},
    )


def _informed_at() -> Moment:
    return Moment(
        local=True,
        allow_none=True,
        metadata={
            "label": "告知时间",
            "widget": "datetime",
            "col": 6,
            "show_when": {"inform_status": list(_SPOKEN_TO)},
            "needed": True,
        },
    )


def _inform_method() -> CodeOf:
    return CodeOf(
        INFORM_METHOD,
        allow_none=True,
        metadata={
            "label": "告知方式",
            "widget": "select",
            "col": 6,
            "show_when": {"inform_status": list(_SPOKEN_TO)},
            "needed": True,
        },
    )


def _feedback() -> CleanText:
    return CleanText(
        most=2000,
        least=5,
        lines=True,
        required=True,
        metadata={"label": "反馈信访人情况", "widget": "textarea", "rows": 4},
    )


class AttemptSchema(Schema):
    """联系时间: one attempt to reach the petitioner."""

    at = Moment(local=True, required=True, metadata={"label": "联系时间", "widget": "datetime"})


def _contact_attempts() -> fields.List[dict[str, Any]]:
    return fields.List(
        fields.Nested(AttemptSchema),
        allow_none=True,
        validate=Length(max=10, error="最多10次"),
        error_messages={"invalid": "应为列表"},
        metadata={
            "label": "历次联系时间",
            "widget": "people",
            "show_when": {"inform_status": [UNREACHABLE]},
            "needed": True,
            "help": f"至少联系{LEAST_ATTEMPTS}次，逐次填写",
        },
    )


class TellingForm(Schema):
    """What holds for every report that says how the petitioner was told (EX-13)."""

    @validates_schema(skip_on_field_errors=False)
    def _telling_is_complete(self, data: dict[str, Any], **_: Any) -> None:
        status = data.get("inform_status")
        missing: dict[str, list[str]] = {}
        if status in _SPOKEN_TO:
            names = ("informed_at", "inform_method")
            missing = {name: [REQUIRED] for name in names if data.get(name) is None}
        elif status == UNREACHABLE:
            moments = {attempt.get("at") for attempt in data.get("contact_attempts") or []}
            if len(moments) < LEAST_ATTEMPTS:
                told = f"多次联系未果的，须填写至少{LEAST_ATTEMPTS}次不同的联系时间"
                missing = {"contact_attempts": [told]}
        if missing:
            raise ValidationError(missing)


class InvestigatorSchema(Schema):
    """调查人员: name, position, phone (seed table 6)."""

    name = PersonName(required=True, metadata={"label": "姓名"})
    position = CleanText(most=50, required=True, metadata={"label": "职务"})
    phone = Phone(required=True, metadata={"label": "联系电话"})


class InvestigateForm(TellingForm):
    """办理投诉 (T09a): the investigation of seed table 6 and how the petitioner was told."""

    investigated_at = Day(
        required=True, metadata={"label": "调查核实时间", "widget": "date", "col": 6}
    )
    verification_result = CodeOf(
        VERIFICATION_RESULT,
        required=True,
        metadata={"label": "属实情况", "widget": "radio", "col": 6},
    )
    investigators = fields.List(
        fields.Nested(InvestigatorSchema),
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=Length(1, 10, error="调查人员应为1–10人"),
        metadata={"label": "调查人员信息", "widget": "people", "help": "一般不少于两人"},
    )
    inform_status = _inform_status()
    informed_at = _informed_at()
    inform_method = _inform_method()
    contact_attempts = _contact_attempts()
    petitioner_feedback = _feedback()
    handling_opinion = CleanText(
        most=2000,
        lines=True,
        allow_none=True,
        metadata={"label": "处理意见", "widget": "textarea", "rows": 3},
    )
    amount_involved = fields.Decimal(
        places=2,
        allow_none=True,
        error_messages={"invalid": "应为金额，如 12000.00", "special": "应为金额"},
        validate=Range(min=0, max=999_999_999_999, error="金额不能为负，且不超过12位整数"),
        metadata={"label": "涉及金额", "widget": "money", "col": 6},
    )
    report_files = fields.List(
        CleanText(most=64),
        required=True,
        error_messages=REQUIRED_MESSAGES,
        validate=Length(1, 10, error="请上传调查报告（1–10个文件）"),
        metadata={"label": "调查报告", "widget": "files", "help": FILES_HELP},
    )


class DeclarationForm(TellingForm):
    """办理申报 (T09b): what became of the declaration (seed table 7) and how it was told.

    Who accepted and who handled it are in their profiles and not asked again.
    """

    outcome = CodeOf(
        DECLARATION_OUTCOME, required=True, metadata={"label": "办理结果", "widget": "radio"}
    )
    monitor_type = CodeOf(
        MONITOR_TYPE,
        allow_none=True,
        metadata={
            "label": "监测对象类型",
            "widget": "radio",
            "show_when": {"outcome": [MONITORED]},
            "needed": True,
        },
    )
    outcome_note = CleanText(
        most=1000,
        least=2,
        lines=True,
        allow_none=True,
        metadata={
            "label": "结果说明",
            "widget": "textarea",
            "rows": 3,
            "help": "不符合条件或其它的，必须说明",
        },
    )
    inform_status = _inform_status()
    informed_at = _informed_at()
    inform_method = _inform_method()
    contact_attempts = _contact_attempts()
    petitioner_feedback = _feedback()
    report_files = fields.List(
        CleanText(most=64),
        load_default=list,
        validate=Length(max=10, error="附件最多10个"),
        metadata={"label": "附件材料", "widget": "files", "help": FILES_HELP},
    )

    @validates_schema(skip_on_field_errors=False)
    def _outcome_is_explained(self, data: dict[str, Any], **_: Any) -> None:
        outcome = data.get("outcome")
        if outcome in NOTED_OUTCOMES and not data.get("outcome_note"):
            raise ValidationError("不符合条件或其它的，须填写结果说明", "outcome_note")
        if outcome == MONITORED and data.get("monitor_type") is None:
            raise ValidationError(REQUIRED, "monitor_type")


class AnswerForm(TellingForm):
    """答复咨询 (T09c): the answer, and how it reaches the caller."""

    answer = CleanText(
        most=2000,
        least=10,
        lines=True,
        required=True,
        metadata={"label": "答复内容", "widget": "textarea", "rows": 6},
    )
    answer_mode = choice("答复方式", direct="答复12345，由其转告", callback="已回电答复来电人")
    inform_status = _inform_status(
        required=False, needed=True, show_when={"answer_mode": ["callback"]}
    )
    informed_at = _informed_at()
    inform_method = _inform_method()
    contact_attempts = _contact_attempts()

    @validates_schema(skip_on_field_errors=False)
    def _callback_says_how(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("answer_mode") == CALLBACK and data.get("inform_status") is None:
            raise ValidationError(REQUIRED, "inform_status")


class AdoptionForm(Schema):
    """采纳情况: what becomes of a suggestion (信访工作条例 29)."""

    adopted = CodeOf(ADOPTION, required=True, metadata={"label": "采纳情况", "widget": "radio"})


class SuggestionForm(AnswerForm, AdoptionForm):
    """答复建议 (T09c): whether it is adopted, and the answer."""
