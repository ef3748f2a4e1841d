"""Forms (表单) of transferred calls (话务)."""

from marshmallow import Schema

from app.tickets.form_fields import choice, opinion


class AnswerCallForm(Schema):
    """接听、分类 (C02)."""

    call = choice(
        "来电处理",
        record="受理，记录工单",
        answered="当场答复",
        wrong_transfer="误转，转回12345",
        dropped="通话中断",
    )
    note = opinion("说明")


class CallBackForm(Schema):
    """回拨 (C06)."""

    outcome = choice("回拨结果", reached="已接通", missed="未接通")
    note = opinion("说明")


class CheckCallForm(Schema):
    """签收核对 (C07)."""

    review = choice("核对结论", accept="受理", back="退回坐席", merge="并单", transfer="移送")
    opinion = opinion("核对意见")


class RecordForm(Schema):
    """按分类记录工单 (C05)."""

    content = opinion("内容", required=True)
