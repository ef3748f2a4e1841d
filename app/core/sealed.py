"""Encryption at rest: AES-256-GCM, the key's id beside the value, a keyed hash to search by.

A sealed value is the bytes `1 | len(key id) | key id | nonce(12) | ciphertext+tag`. The context
(table and column) is authenticated, so a value moved to another column does not open.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_FORMAT = 1


@dataclass(frozen=True)
class Keyring:
    """The data keys by id (the first one writes, all can read) and the hash key."""

    keys: dict[str, bytes]
    hash_key: bytes

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt with the current key."""
        key_id = next(iter(self.keys))
        nonce = os.urandom(12)
        cipher = AESGCM(self.keys[key_id]).encrypt(nonce, plain, context.encode())
        name = key_id.encode()
        return bytes([_FORMAT, len(name)]) + name + nonce + cipher

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises KeyError for an unknown key id and InvalidTag for a forged value."""
        if sealed[0] != _FORMAT:
            raise ValueError(f"unknown sealed format {sealed[0]}")
        end = 2 + sealed[1]
        key = self.keys[sealed[2:end].decode()]
        return AESGCM(key).decrypt(sealed[end : end + 12], sealed[end + 12 :], context.encode())

    def search_hash(self, value: str) -> bytes:
        """Keyed hash of a normalised value: equal values find each other, nothing else leaks."""
        return hmac.new(self.hash_key, value.encode(), hashlib.sha256).digest()


_keyring: Keyring | None = None


def install(keyring: Keyring) -> None:
    """Give this process its keys; `factory` does it once from the settings."""
    global _keyring
    _keyring = keyring


def keyring() -> Keyring:
    """The keys of this process."""
    if _keyring is None:
        raise RuntimeError("no data keys installed: create_app() was not called")
    return _keyring


class SealedText(TypeDecorator[str]):
    """A text column stored encrypted; `context` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        return None if value is None else keyring().seal(value.encode(), self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else keyring().open(bytes(value), self.context).decode()


class SealedJSON(TypeDecorator[Any]):
    """A JSON column stored encrypted; `context` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        return None if value is None else keyring().seal(orjson.dumps(value), self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """Decrypt on the way out."""
        return None if value is None else orjson.loads(keyring().open(bytes(value), self.context))
