"""A schema with every widget, for the tests of forms and of their look."""

from marshmallow import EXCLUDE, Schema, fields, validate

REQUIRED = {"required": "必填"}


class Person(Schema):
    """A row of the people widget."""

    name = fields.Str(required=True, error_messages=REQUIRED, metadata={"label": "姓名"})
    position = fields.Str(metadata={"label": "职务"})
    phone = fields.Str(
        validate=validate.Regexp(r"^1\d{10}$", error="请填 11 位手机号"),
        metadata={"label": "联系电话", "inputmode": "tel"},
    )


class Investigation(Schema):
    """A form with every widget."""

    class Meta:
        unknown = EXCLUDE

    decision = fields.Str(
        required=True,
        error_messages=REQUIRED,
        validate=validate.OneOf(["handle", "delegate"], ["自行办理", "转办下级"]),
        metadata={"label": "办理方式", "widget": "radio"},
    )
    target = fields.Str(
        metadata={"label": "转办单位", "widget": "unit", "show_when": {"decision": ["delegate"]}}
    )
    verification = fields.Int(
        required=True,
        error_messages=REQUIRED,
        validate=validate.OneOf([1, 2, 3], ["属实", "部分属实", "不属实"]),
        metadata={"label": "属实情况", "widget": "radio"},
    )
    risks = fields.List(
        fields.Int(validate=validate.OneOf([1, 2, 3, 4], ["因病", "因学", "因残", "因自然灾害"])),
        metadata={"label": "返（致）贫风险"},
    )
    investigated_at = fields.AwareDateTime(
        required=True, error_messages=REQUIRED, metadata={"label": "调查核实时间", "col": 6}
    )
    promised_on = fields.Date(metadata={"label": "整改完成日期", "col": 6})
    amount = fields.Decimal(
        places=2, validate=validate.Range(0), metadata={"label": "涉及金额", "col": 6}
    )
    days = fields.Int(validate=validate.Range(1, 30), metadata={"label": "延期天数", "col": 6})
    method = fields.Str(
        validate=validate.OneOf(["phone", "visit"], ["电话", "入户"]),
        metadata={"label": "告知方式", "col": 6},
    )
    contact = fields.Str(
        validate=validate.Length(max=20),
        metadata={"label": "经办人", "col": 6, "placeholder": "姓名"},
    )
    division = fields.Str(
        metadata={
            "label": "事发地区划",
            "widget": "division",
            "help": "至少选到县级，可选到村级",
        }
    )
    investigators = fields.List(
        fields.Nested(Person),
        required=True,
        error_messages=REQUIRED,
        metadata={"label": "调查人员", "help": "一般不少于两人"},
    )
    petitioner_feedback = fields.Str(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Length(10, 2000, error="请填 10–2000 字"),
        metadata={
            "label": "反馈信访人情况",
            "help": "写明告知的时间、方式和信访人的意见",
        },
    )
    is_public = fields.Bool(metadata={"label": "办理结果可对外公开"})
    report_files = fields.List(
        fields.Str(),
        required=True,
        error_messages={"required": "请上传调查报告"},
        validate=validate.Length(1, 10),
        metadata={
            "label": "调查报告",
            "widget": "files",
            "help": "支持 Word、图片、PDF、压缩包，单个不超过 50 MB，最多 10 个",
        },
    )
    origin = fields.Str(metadata={"widget": "hidden"})
