"""Search hashes (检索摘要) of sealed citizen fields: the same person is found however it was typed.

Each kind of field has its own domain, so a phone and an ID number never meet by accident. An empty
value has no hash. Store the result in an indexed `bytea` column beside the sealed one.
"""

from app.core.sealed import keyring
from app.security.text import normalise_id_card, normalise_name, normalise_phone


def phone_hash(phone: str | None) -> bytes | None:
    """Hash of a telephone number (联系电话、来电号码)."""
    return _hash("phone", normalise_phone(phone or ""))


def id_card_hash(number: str | None) -> bytes | None:
    """Hash of an identity number (身份证号)."""
    return _hash("id_card", normalise_id_card(number or ""))


def name_hash(name: str | None) -> bytes | None:
    """Hash of a name (姓名); only whole names match."""
    return _hash("name", normalise_name(name or ""))


def address_hash(address: str | None) -> bytes | None:
    """Hash of a home address (住址); only whole addresses match."""
    return _hash("address", normalise_name(address or ""))


def _hash(domain: str, normalised: str) -> bytes | None:
    return keyring().search_hash(f"{domain}:{normalised}") if normalised else None
