"""Re-classification (改类, FLW-06): another ticket type, checked as if it had come in as that.

The acceptance number stays and so does everything that was said; what the new type requires and
nobody has said yet is asked for in the form of the review.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.exchange.models import Partner
from app.security import identity
from app.tickets.codes import CALLER_CATEGORY, POVERTY_RISK
from app.tickets.fields import REQUIRED, CleanText, CodeOf, CodesOf, IdCard, PersonName, Phone
from app.tickets.models import Ticket
from app.tickets.types import TABLES, TICKET_TYPES

_DECLARATION = {"ticket_type": ["declaration"]}
_QUESTION = {"ticket_type": ["consultation", "suggestion"]}
_NOT_ASKED = frozenset({"external_ticket_no", "service_type"})
"""What the arrival or the type itself says."""
_MODE = "named_requires_caller"
"""ANON-01 where no platform sent the ticket."""


class ReclassifyForm(Schema):
    """The new type, and what only the new type asks for."""

    ticket_type = fields.String(
        allow_none=True,
        validate=OneOf(
            list(TICKET_TYPES), [row.title for row in TICKET_TYPES.values()], error="请从选项中选择"
        ),
        metadata={
            "label": "改为其他类型",
            "widget": "select",
            "placeholder": "不改类",
            "show_when": {"review": ["accept", "answer"]},
            "help": "受理编号不变，办结时限按新类型重新计算",
        },
    )
    caller_name = PersonName(
        allow_none=True, metadata={"label": "姓名", "col": 6, "show_when": _DECLARATION}
    )
    contact_phone = Phone(
        allow_none=True, metadata={"label": "联系电话", "col": 6, "show_when": _DECLARATION}
    )
    id_card_no = IdCard(allow_none=True, metadata={"label": "身份证号", "show_when": _DECLARATION})
    poverty_risk = CodesOf(
        POVERTY_RISK,
        allow_none=True,
        metadata={
            "label": "返（致）贫风险",
            "widget": "checks",
            "options": POVERTY_RISK.options(),
            "show_when": _DECLARATION,
        },
    )
    poverty_risk_note = CleanText(
        most=200,
        allow_none=True,
        metadata={"label": "返（致）贫风险说明", "show_when": _DECLARATION},
    )
    caller_category = CodeOf(
        CALLER_CATEGORY,
        allow_none=True,
        metadata={"label": "来电人员类别", "widget": "select", "show_when": _QUESTION},
    )


ASKED = frozenset(ReclassifyForm().fields) - {"ticket_type"}
"""Columns that the form can fill."""
_HASHES = {
    "caller_name": ("caller_name_hash", identity.name_hash),
    "contact_phone": ("contact_phone_hash", identity.phone_hash),
    "id_card_no": ("id_card_hash", identity.id_card_hash),
}


def change_type(ticket: Ticket, code: str, given: Mapping[str, Any]) -> str:
    """Make it a ticket of this type; returns what is written into its history.

    Its time limit follows with the turn of the diagram.
    Invalid names everything that the new type requires and that is missing.
    """
    old, new = TICKET_TYPES[ticket.ticket_type], TICKET_TYPES[code]
    for name in ASKED:
        if given.get(name):
            _fill(ticket, name, given[name])
    if wrong := _problems(ticket, code):
        raise Invalid(wrong)
    ticket.ticket_type = code
    return f"改类：{old.title}→{new.title}"


def _fill(ticket: Ticket, name: str, value: Any) -> None:
    setattr(ticket, name, value)
    if name in _HASHES:
        column, digest = _HASHES[name]
        setattr(ticket, column, digest(value))


def _problems(ticket: Ticket, code: str) -> list[FieldError]:
    if code == ticket.ticket_type:
        return [FieldError("ticket_type", "same", "工单已是该类型")]
    table = TICKET_TYPES[code].table
    if table == "declaration" and ticket.is_anonymous:
        return [FieldError("ticket_type", "anonymous", "匿名工单不能改为自主申报")]
    schema = TABLES[table]
    columns = {name: field.attribute or name for name, field in schema.fields.items()}
    values = {
        name: getattr(ticket, column)
        for name, column in columns.items()
        if column in Ticket.__mapper__.columns
    }
    missing = [
        FieldError(name, "required", REQUIRED)
        for name, field in schema.fields.items()
        if field.required and name not in _NOT_ASKED and values.get(name) in (None, "", [])
    ]
    partner = session().get(Partner, ticket.partner_id) if ticket.partner_id else None
    mode = partner.anonymity_mode if partner else _MODE
    more, _ = schema.between_fields(
        {name: value for name, value in values.items() if value is not None},
        mode,
        {error.field for error in missing},
    )
    return missing + more
