"""What a 12345 platform sends about a result (I14, I15)."""

from marshmallow import EXCLUDE, Schema

from app.tickets.codes import SATISFACTION
from app.tickets.fields import CleanText, CodeOf, Moment, YesNo


class CallbackSchema(Schema):
    """回访结果 (I14)."""

    class Meta:
        """Unknown fields are left aside."""

        unknown = EXCLUDE

    satisfaction = CodeOf(SATISFACTION, required=True, metadata={"label": "满意度"})
    solved = YesNo(allow_none=True, metadata={"label": "问题是否解决"})
    opinion = CleanText(most=1000, lines=True, allow_none=True, metadata={"label": "来电人意见"})
    called_back_at = Moment(allow_none=True, metadata={"label": "回访时间"})


class ReworkSchema(Schema):
    """重办申请 (I15, EX-09)."""

    class Meta:
        """Unknown fields are left aside."""

        unknown = EXCLUDE

    reason = CleanText(
        most=1000, least=2, lines=True, required=True, metadata={"label": "重办理由"}
    )


CALLBACK = CallbackSchema()
REWORK = ReworkSchema()
