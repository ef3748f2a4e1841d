"""Intake tables of the seed as schemas: one a table, for API and page.

A field is named as it is on the wire; its `attribute`, where it has one, is the ticket's column.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Regexp

from app.core.errors import FieldError
from app.tickets import rules
from app.tickets.codes import (
    CALLER_CATEGORY,
    OTHER_RISK,
    POVERTY_RISK,
    PROBLEM_CATEGORY,
    SERVICE_TYPE,
    URGENCY,
)
from app.tickets.fields import (
    REQUIRED,
    CallerNumber,
    CleanText,
    CodeOf,
    CodesOf,
    Day,
    DivisionCode,
    IdCard,
    Moment,
    PersonName,
    Phone,
    YesNo,
)

_LINE = {"widget": "text"}
_YES_NO = {"widget": "radio", "options": [("true", "是"), ("false", "否")], "col": 6}
FILES_HELP = "支持 Word、图片、PDF、压缩包，单个不超过 50 MB"


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
        validate=Regexp(r"\A[A-Za-z0-9_-]{1,32}\Z", error="工号为1–32位字母、数字、_或-"),
        error_messages={"required": REQUIRED, "null": REQUIRED, "invalid": "应为文字"},
        metadata={"label": "工号"},
    )
    caller_number = CallerNumber(required=True, metadata={"label": "来电号码"})
    called_at = Moment(required=True, metadata={"label": "来电时间"})
    division_code = DivisionCode(
        allow_none=True,
        metadata={"label": "行政区划编码", "widget": "division", "help": "尽量选到乡、村"},
    )
    division_text = CleanText(most=200, allow_none=True, metadata={"label": "行政区划"})
    detail_address = CleanText(most=200, allow_none=True, metadata={"label": "详细地址", **_LINE})
    urgency = CodeOf(
        URGENCY, load_default=1, metadata={"label": "紧急程度", "widget": "radio", "col": 6}
    )
    is_confidential = YesNo(load_default=False, metadata={"label": "是否保密", **_YES_NO})
    attachments = fields.List(
        CleanText(most=64),
        load_default=list,
        validate=Length(max=10, error="附件最多10个"),
        metadata={"label": "附件", "widget": "files", "help": FILES_HELP},
    )

    def between_fields(
        self, values: dict[str, Any], mode: str, wrong: set[str]
    ) -> tuple[list[FieldError], list[rules.Warning]]:
        """What only several fields of the table together can say.

        `mode` is the partner's anonymity rule, `wrong` are fields that were refused already.
        """
        return [], []


class DeclarationSchema(IntakeSchema):
    """Seed table 1 自主申报填写信息. A household asks for help: it cannot be anonymous."""

    caller_name = PersonName(required=True, metadata={"label": "姓名", "col": 6})
    contact_phone = Phone(required=True, metadata={"label": "联系电话", "col": 6})
    id_card_no = IdCard(required=True, metadata={"label": "身份证号", "col": 6})
    content = CleanText(most=4000, lines=True, required=True, metadata={"label": "内容"})
    poverty_risk = CodesOf(
        POVERTY_RISK,
        required=True,
        metadata={
            "label": "返（致）贫风险",
            "widget": "checks",
            "options": POVERTY_RISK.options(),
            "items": {"type": "integer"},
            "description": "代码或中文名称，一项或多项；只有一项时可不用数组",
        },
    )
    poverty_risk_note = CleanText(
        most=200,
        allow_none=True,
        metadata={"label": "返（致）贫风险说明", **_LINE, "help": "风险含“其它”时必填"},
    )
    household_head = PersonName(allow_none=True, metadata={"label": "户主", "col": 6})
    relation = CleanText(most=20, allow_none=True, metadata={"label": "与户主关系", "col": 6})

    def between_fields(
        self, values: dict[str, Any], mode: str, wrong: set[str]
    ) -> tuple[list[FieldError], list[rules.Warning]]:
        """The risk 其它 says nothing without a note."""
        if OTHER_RISK in values.get("poverty_risk", []) and not values.get("poverty_risk_note"):
            return [FieldError("poverty_risk_note", "required", "风险含“其它”时须说明")], []
        return [], []


class TargetSchema(Schema):
    """被反映对象: one person or office a complaint is about, for the conflict block (FLW-07)."""

    class Meta:
        """Unknown fields are left aside."""

        unknown = EXCLUDE

    name = PersonName(allow_none=True, metadata={"label": "姓名"})
    organisation = CleanText(most=100, least=2, allow_none=True, metadata={"label": "单位"})
    position = CleanText(most=50, allow_none=True, metadata={"label": "职务"})
    org_code = CleanText(
        most=32,
        digits=True,
        allow_none=True,
        metadata={"label": "单位代码", "description": "承办单位的12位行政区划编码"},
    )

    @validates_schema(skip_on_field_errors=True)
    def _somebody_is_named(self, data: dict[str, Any], **_: Any) -> None:
        if not any(data.values()):
            raise ValidationError("至少填写姓名或单位", "name")


class ComplaintSchema(IntakeSchema):
    """Seed table 2 投诉举报填写信息."""

    caller_name = PersonName(allow_none=True, metadata={"label": "姓名", "col": 6})
    contact_phone = Phone(allow_none=True, metadata={"label": "联系电话", "col": 6})
    caller_address = CleanText(most=200, allow_none=True, metadata={"label": "住址", **_LINE})
    id_card_no = IdCard(allow_none=True, metadata={"label": "身份证号", "col": 6})
    declined_fields = fields.List(
        fields.String(validate=OneOf(list(rules.CALLER_FIELDS), error="只能是来电人信息字段名")),
        load_default=list,
        validate=Length(max=len(rules.CALLER_FIELDS), error="最多4项"),
        metadata={
            "label": "诉求人拒绝提供",
            "widget": "checks",
            "options": list(rules.CALLER_FIELDS.items()),
        },
    )
    is_anonymous = YesNo(required=True, metadata={"label": "是否匿名", **_YES_NO})
    target_info = CleanText(most=1000, lines=True, allow_none=True, metadata={"label": "对象信息"})
    targets = fields.List(
        fields.Nested(TargetSchema),
        allow_none=True,
        validate=Length(max=10, error="最多10个"),
        error_messages={"invalid": "应为列表"},
        metadata={
            "label": "被反映对象",
            "widget": "people",
            "help": "投诉对象是承办单位或其人员时填写，系统据此回避",
        },
    )
    content = CleanText(most=4000, lines=True, required=True, metadata={"label": "内容"})
    problem_category = CodeOf(
        PROBLEM_CATEGORY, required=True, metadata={"label": "问题类别", "col": 6}
    )
    required_completion_date = Day(
        allow_none=True, metadata={"label": "办结日期（要求）", "widget": "date", "col": 6}
    )

    def between_fields(
        self, values: dict[str, Any], mode: str, wrong: set[str]
    ) -> tuple[list[FieldError], list[rules.Warning]]:
        """ANON-01. The number that called stands in for the missing phone of a named caller."""
        number = values.get("caller_number", "")
        if values.get("is_anonymous") is False and not values.get("contact_phone"):
            if "contact_phone" not in wrong and rules.is_phone(number):
                values["contact_phone"] = number
        return rules.caller_problems(mode, values, values.get("declined_fields", []))


class ConsultationSchema(IntakeSchema):
    """Seed table 3 咨询填写信息, for 咨询 and 建议. Nobody is asked who they are."""

    caller_category = CodeOf(
        CALLER_CATEGORY, required=True, metadata={"label": "来电人员类别", "widget": "radio"}
    )
    service_type = CodeOf(
        SERVICE_TYPE, required=True, metadata={"label": "服务类型", "widget": "radio", "col": 6}
    )
    problem_category = CodeOf(
        PROBLEM_CATEGORY, required=True, metadata={"label": "问题类别", "col": 6}
    )
    content_summary = CleanText(
        most=2000,
        lines=True,
        required=True,
        attribute="content",
        metadata={"label": "内容摘要"},
    )
    caller_name = PersonName(allow_none=True, metadata={"label": "姓名", "col": 6})
    callback_phone = Phone(
        allow_none=True, attribute="contact_phone", metadata={"label": "回电号码", "col": 6}
    )
