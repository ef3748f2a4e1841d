"""An address that 12345 builds and signs itself (PAGE-02), for platforms that cannot ask first.

`sign` is the signature of a GET without a body over the query without `sign`. The caller's number
travels encrypted, since addresses are logged on the way; we exchange the address at once.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC

from app.core.clock import BEIJING
from app.core.errors import FieldError, Invalid
from app.exchange import signature

_NONCE, _TAG = 12, 16
_PASSED_ON = ("operator_no", "external_ticket_no", "return_url", "display", "called_at")


def claim_of(args: Mapping[str, str]) -> signature.Claim:
    """The claim of an address, as if it stood in headers; `sign_method` may be left out."""
    method = args.get("sign_method", "HMAC-SHA256")
    return signature.claim_of(
        {
            "X-App-Id": args.get("app_id", ""),
            "X-Timestamp": args.get("ts", ""),
            "X-Nonce": args.get("nonce", ""),
            "X-Sign-Method": method,
            "X-Body-Digest": (
                signature.body_digest(b"", method) if method in signature.ALGORITHMS else "-"
            ),
            "X-Signature": args.get("sign", ""),
        }
    )


def signed_query(query: str) -> str:
    """The part of the query that is signed: all of it but `sign`."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name != "sign"])


def body(table: str, args: Mapping[str, str], secrets: Iterable[str]) -> dict[str, Any]:
    """What the address asks for, as a body of I16; a call it does not date was made just now."""
    called = datetime.fromtimestamp(int(args["ts"]) / 1000, UTC).astimezone(BEIJING)
    given = {name: args[name] for name in _PASSED_ON if args.get(name)}
    method = args.get("sign_method", "HMAC-SHA256")
    number = args.get("caller_number", "")
    return {
        "ticket_type": table,
        "called_at": called.isoformat(timespec="seconds"),
        "caller_number": opened(number, secrets, method) if number else "unknown",
        **given,
    }


def opened(sealed: str, secrets: Iterable[str], method: str) -> str:
    """The number in an address: base64url of a 12-byte iv, SM4-GCM ciphertext and 16-byte tag."""
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (binascii.Error, ValueError):
        raise _unreadable() from None
    if len(raw) <= _NONCE + _TAG:
        raise _unreadable()
    iv, data, tag = raw[:_NONCE], raw[_NONCE:-_TAG], raw[-_TAG:]
    for secret in secrets:
        cipher = Cipher(algorithms.SM4(key(secret, method)), modes.GCM(iv, tag)).decryptor()
        try:
            return (cipher.update(data) + cipher.finalize()).decode()
        except (InvalidTag, UnicodeDecodeError):
            continue
    raise _unreadable()


def sealed(number: str, secret: str, method: str, iv: bytes) -> str:
    """The same the other way, as a platform does it."""
    cipher = Cipher(algorithms.SM4(key(secret, method)), modes.GCM(iv)).encryptor()
    data = cipher.update(number.encode()) + cipher.finalize()
    return base64.urlsafe_b64encode(iv + data + cipher.tag).decode().rstrip("=")


def key(secret: str, method: str) -> bytes:
    """The SM4 key of a secret: the first 16 bytes of its HMAC over the field's name."""
    mac = HMAC(secret.encode(), signature.ALGORITHMS[method]())
    mac.update(b"caller_number")
    return mac.finalize()[:16]


def _unreadable() -> Invalid:
    return Invalid([FieldError("caller_number", "encrypted", "来电号码无法解密")])
