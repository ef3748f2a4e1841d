"""The form of a platform's profile (对接平台档案): lists and mappings are lines of a text."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from app.exchange.models import Partner
from app.exchange.partners import ALGORITHMS
from app.exchange.rules import DELIVERIES
from app.tickets.rules import ANONYMITY_MODES

_LINES = {"widget": "textarea", "rows": 3, "col": 6}
_MAPPINGS = ("paths", "field_names", "boolean_mapping")
_LISTS = ("callback_networks", "ip_allow_list")
_NUMBERS = ("requests_per_minute", "request_burst")
_TRUTH = {"true": True, "false": False, "是": True, "否": False}

SAMPLE = {
    "acceptance_no": "TS5200002026112300042S",
    "external_ticket_no": "GZ12345-20261123-000981",
    "verification_result": 2,
    "verification_result_label": "部分属实",
    "solved": True,
    "auditors": [{"name": "张某某", "org": "贵州省农业农村厅"}],
    "completed_at": "2026-12-11T10:00:03+08:00",
    "event_id": "0b6c2f0e-7f5e-4c55-9d3a-6d9c1f4d2a10",
    "event_seq": 1,
}
"""On it a mapping is looked at before it is saved."""


class ProfileForm(Schema):
    """What an administrator enters."""

    name = fields.String(required=True, metadata={"label": "名称", "col": 6, "maxlength": 100})
    province_code = fields.String(
        required=True, metadata={"label": "省级区划代码", "col": 3, "help": "6位，如520000"}
    )
    enabled = fields.Boolean(metadata={"label": "启用", "col": 3})
    sign_methods = fields.List(
        fields.String(),
        required=True,
        metadata={
            "label": "签名算法",
            "col": 6,
            "options": [(each, each) for each in ALGORITHMS],
            "help": "我方发送时使用其中第一个",
        },
    )
    anonymity_mode = fields.String(
        required=True,
        metadata={
            "label": "匿名规则",
            "col": 6,
            "widget": "select",
            "options": list(ANONYMITY_MODES.items()),
        },
    )
    delivery = fields.String(
        required=True,
        metadata={
            "label": "消息送达",
            "col": 6,
            "widget": "radio",
            "options": list(DELIVERIES.items()),
        },
    )
    callback_base = fields.String(allow_none=True, metadata={"label": "回调地址", "col": 6})
    callback_networks = fields.String(
        metadata={**_LINES, "label": "回调所在内网网段", "help": "每行一个，如10.1.0.0/16"}
    )
    ip_allow_list = fields.String(
        metadata={**_LINES, "label": "来源网段", "help": "每行一个；空为不限制"}
    )
    page_origin = fields.String(
        allow_none=True,
        metadata={"label": "页面来源", "col": 6, "help": "可在框架内显示登记页面，如https://主机"},
    )
    retry_minutes = fields.String(
        metadata={"label": "重试间隔（分钟）", "col": 6, "help": "如1 5 15 60；空为系统缺省"}
    )
    requests_per_minute = fields.Integer(
        required=True, metadata={"label": "每分钟请求数", "col": 3}
    )
    request_burst = fields.Integer(required=True, metadata={"label": "突发请求数", "col": 3})
    paths = fields.String(
        metadata={
            **_LINES,
            "label": "接口路径映射",
            "help": "每行“消息类型=路径”，如results/complaints=push/result",
        }
    )
    field_names = fields.String(
        metadata={
            **_LINES,
            "label": "字段名映射",
            "help": "每行“我方字段=对方字段”，如acceptance_no=gdbh",
        }
    )
    boolean_mapping = fields.String(
        metadata={**_LINES, "label": "是否映射", "help": "每行“对方写法=true或false”，如1=true"}
    )


class NewPartnerForm(ProfileForm):
    """With the application id, which never changes."""

    app_id = fields.String(
        required=True,
        metadata={"label": "应用标识", "col": 6, "help": "3–64位字母、数字、短横线或下划线"},
    )


def shown(partner: Partner) -> dict[str, Any]:
    """A profile as the form shows it."""
    values: dict[str, Any] = {
        name: getattr(partner, name)
        for name in ProfileForm().fields
        if name not in (*_MAPPINGS, *_LISTS, "retry_minutes")
    }
    for name in _LISTS:
        values[name] = "\n".join(getattr(partner, name))
    for name in _MAPPINGS:
        pairs = getattr(partner, name).items()
        values[name] = "\n".join(f"{key}={_word(value)}" for key, value in pairs)
    values["retry_minutes"] = " ".join(map(str, partner.retry_minutes or []))
    return values


def profile(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered as a profile; what is no profile stays as it is, to be refused by name."""
    made = {name: values.get(name) for name in ProfileForm().fields}
    made["sign_methods"] = list(values.get("sign_methods") or [])
    for name in _LISTS:
        made[name] = [line.strip() for line in _lines(values.get(name))]
    for name in _MAPPINGS:
        pairs = [line.partition("=") for line in _lines(values.get(name))]
        made[name] = {key.strip(): value.strip() for key, _, value in pairs}
    words = [line.partition("=") for line in _lines(values.get("boolean_mapping"))]
    made["boolean_mapping"] = {
        key.strip(): _TRUTH.get(word.strip().lower(), word.strip()) for key, _, word in words
    }
    text = str(values.get("retry_minutes") or "").replace(",", " ").replace("，", " ")
    made["retry_minutes"] = [_number(each) for each in text.split()] or None
    for name in _NUMBERS:
        made[name] = _number(values.get(name))
    made["callback_base"] = made["callback_base"] or None
    made["page_origin"] = made["page_origin"] or None
    return made


def mapping(made: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a profile that is looked at on a sample before it is saved."""
    return {name: made[name] for name in ("field_names", "boolean_mapping")}


def _lines(text: Any) -> list[str]:
    return [line for line in str(text or "").splitlines() if line.strip()]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> Any:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
