"""Masking of personal data (脱敏) on the way to a screen, a list or an export.

Every function hides rather than shows when it does not recognise a value.
"""

import re
from dataclasses import dataclass

from app.security.text import normalise_digits, normalise_id_card

ANONYMOUS = "匿名"
"""What stands in place of a sealed name."""

_MOBILE = re.compile(r"^(?:\+?86|0086)?(1\d{2})\d{4}(\d{4})$")
_LANDLINE = re.compile(r"^(0(?:10|2\d|[3-9]\d{2}))?\d{3,4}(\d{4})$")
_EXTENSION = re.compile(r"(?:转|-)\d{1,5}$")

_DETAIL = r"[^\d路街巷弄号村组栋幢室]"
"""A character that can stand in the name of a township; anything else belongs to the detail."""
_ADDRESS = re.compile(
    r"(?P<upper>(?:.{2,8}?(?:省|自治区))?"
    r"(?:[^\d路号村组]{1,12}?(?:市|自治州|州|地区|盟))?"
    r"(?:[^\d路号村组]{1,15}?(?:县|旗|市|(?<![小社园校厂库住])区))?)"
    rf"(?P<township>{_DETAIL}{{1,12}}?(?:街道|镇|乡|苏木))?"
)


def mask_name(name: str | None) -> str:
    """李小明 → 李**. The number of stars tells nothing about the length."""
    return f"{name.strip()[0]}**" if name and name.strip() else ""


def mask_phone(phone: str | None) -> str:
    """13812341234 → 138****1234, 0851-85551234 → 0851-****1234; an extension is dropped."""
    if not phone or not phone.strip():
        return ""
    compact = re.sub(r"[\s()（）·.]", "", normalise_digits(phone))
    bare = compact.replace("-", "")
    if found := _MOBILE.match(bare):
        return f"{found[1]}****{found[2]}"
    for candidate in (bare, _EXTENSION.sub("", compact).replace("-", "")):
        if found := _LANDLINE.match(candidate):
            return f"{found[1]}-****{found[2]}" if found[1] else f"****{found[2]}"
    return "******"


def mask_id_card(number: str | None) -> str:
    """520102199001011237 → 520***********1237; 15 digits alike; other papers keep two signs."""
    if not number or not number.strip():
        return ""
    compact = normalise_id_card(number)
    if re.fullmatch(r"\d{17}[\dX]|\d{15}", compact):
        return f"{compact[:3]}{'*' * (len(compact) - 7)}{compact[-4:]}"
    if len(compact) < 6:
        return "*" * len(compact)
    return f"{compact[:1]}{'*' * (len(compact) - 2)}{compact[-1:]}"


def mask_address(address: str | None) -> str:
    """Keep the address down to the township (乡镇、街道), or else to the county."""
    if not address or not address.strip():
        return ""
    compact = re.sub(r"\s", "", normalise_digits(address))
    found = _ADDRESS.match(compact)
    kept = found[0] if found else ""
    return f"{kept}***" if len(kept) < len(compact) or not kept else kept


@dataclass(frozen=True)
class Masked:
    """What a page shows of a person (诉求人) who was not revealed: masked, or sealed altogether."""

    name: str
    phone: str
    id_card: str
    address: str
    sealed: bool = False

    @classmethod
    def of(
        cls,
        *,
        name: str | None,
        phone: str | None = None,
        id_card: str | None = None,
        address: str | None = None,
        sealed: bool = False,
    ) -> "Masked":
        """Mask each field; a sealed person (ANON-02) shows as 匿名 and not one digit."""
        if sealed:
            return cls(ANONYMOUS, "", "", "", sealed=True)
        return cls(mask_name(name), mask_phone(phone), mask_id_card(id_card), mask_address(address))
