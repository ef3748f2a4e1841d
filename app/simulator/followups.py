"""What a 12345 platform sends after a ticket (I11–I15) or before one (I19), as forms of a page."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.simulator.client import Answer, PartnerClient

Values = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One input: a text of several lines, a short one, or one of a few options."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    short: bool = False
    required: bool = True
    first: str = ""
    """What stands in it at first."""


@dataclass(frozen=True)
class FollowUp:
    """One message: its form, and how the client sends what was entered."""

    title: str
    fields: tuple[Field, ...]
    send: Callable[[PartnerClient, str, Values], Answer]

    def entered(self, form: Values) -> dict[str, str]:
        """What the form holds; LookupError names a required field that is empty."""
        values = {field.name: form.get(field.name, "").strip() for field in self.fields}
        for field in self.fields:
            if field.required and not values[field.name]:
                raise LookupError(field.label)
        return values


_SATISFACTION = (
    ("1", "满意"),
    ("2", "基本满意"),
    ("3", "不满意"),
    ("4", "未评价"),
    ("5", "无法联系"),
)
_SOLVED = (("", "未说明"), ("1", "已解决"), ("2", "未解决"))


def _callback(client: PartnerClient, number: str, values: Values) -> Answer:
    solved = {"1": True, "2": False}.get(values["solved"])
    return client.report_callback(
        number,
        int(values["satisfaction"]),
        solved=solved,
        opinion=values["opinion"] or None,
        key=_key(),
    )


def _key() -> str:
    """Each press of a button is meant anew."""
    return secrets.token_hex(16)


FOLLOW_UPS: Mapping[str, FollowUp] = {
    "supplement": FollowUp(
        "补充材料",
        (Field("content", "补充内容"),),
        lambda client, number, values: client.supplement(number, values["content"], key=_key()),
    ),
    "urge": FollowUp(
        "催单",
        (Field("content", "催单内容", first="来电人再次来电，询问办理进展。"),),
        lambda client, number, values: client.urge(number, values["content"], key=_key()),
    ),
    "withdraw": FollowUp(
        "撤回",
        (Field("reason", "撤回理由", first="来电人表示问题已经解决，要求撤回。"),),
        lambda client, number, values: client.withdraw(number, values["reason"], key=_key()),
    ),
    "callback": FollowUp(
        "回访结果",
        (
            Field("satisfaction", "满意度", _SATISFACTION, first="1"),
            Field("solved", "问题是否解决", _SOLVED, required=False),
            Field("opinion", "来电人意见", required=False),
        ),
        _callback,
    ),
    "rework": FollowUp(
        "要求重办",
        (Field("reason", "重办理由"),),
        lambda client, number, values: client.ask_rework(number, values["reason"], key=_key()),
    ),
}
"""By the word in the address of the form."""

CALL = FollowUp(
    "来电预告",
    (
        Field("caller_number", "来电号码", short=True, first="13800001234"),
        Field("from_operator", "转出坐席工号", short=True, first="GZ12345-0231"),
    ),
    lambda client, call_id, values: client.announce_call(
        call_id, values["caller_number"], values["from_operator"]
    ),
)

_AFTER_RESULT = ("callback", "rework")
SUITABLE: Mapping[str, tuple[str, ...]] = {
    "supplement-requests": ("supplement",),
    "results/complaints": _AFTER_RESULT,
    "results/declarations": _AFTER_RESULT,
    "results/consultations": _AFTER_RESULT,
}
"""Which of them answer a message of the platform."""
