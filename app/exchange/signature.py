"""How a request is signed (API-SEC-01): HMAC-SHA256 or HMAC-SM3 over a canonical string.

Both directions use it. Pure: no clock, no database, no choice of nonce.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from app.exchange.errors import SignatureInvalid

ALGORITHMS: Mapping[str, type[hashes.HashAlgorithm]] = {
    "HMAC-SHA256": hashes.SHA256,
    "HMAC-SM3": hashes.SM3,
}
_UNRESERVED = "-_.~"


class Headers(Protocol):
    """Anything that looks a header up without regard to case."""

    def get(self, key: str, /) -> str | None:
        """The header's value, or None."""


@dataclass(frozen=True)
class Claim:
    """What the headers of a request say, before anything is believed."""

    app_id: str
    timestamp: str
    nonce: str
    sign_method: str
    body_digest: str
    signature: str


def body_digest(body: bytes, sign_method: str) -> str:
    """Hex digest of the raw body with the hash of the signing method."""
    digest = hashes.Hash(ALGORITHMS[sign_method]())
    digest.update(body)
    return digest.finalize().hex()


def canonical_query(query: str) -> str:
    """The query's pairs sorted by name and value, percent-encoded as in RFC 3986."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(k, safe=_UNRESERVED)}={quote(v, safe=_UNRESERVED)}" for k, v in pairs)


def string_to_sign(
    method: str, path: str, query: str, digest: str, app_id: str, timestamp: str, nonce: str
) -> bytes:
    """The seven lines that are signed; `path` is the decoded path, without the query."""
    lines = [
        method.upper(),
        quote(path, safe="/" + _UNRESERVED),
        canonical_query(query),
        digest,
        app_id,
        timestamp,
        nonce,
    ]
    return "\n".join(lines).encode()


def sign(
    method: str,
    path: str,
    *,
    app_id: str,
    secret: str,
    timestamp: int,
    nonce: str,
    query: str = "",
    body: bytes = b"",
    sign_method: str = "HMAC-SHA256",
) -> dict[str, str]:
    """The six headers of a signed request; `timestamp` is in milliseconds since 1970."""
    digest = body_digest(body, sign_method)
    text = string_to_sign(method, path, query, digest, app_id, str(timestamp), nonce)
    return {
        "X-App-Id": app_id,
        "X-Timestamp": str(timestamp),
        "X-Nonce": nonce,
        "X-Sign-Method": sign_method,
        "X-Body-Digest": digest,
        "X-Signature": _mac(secret, text, sign_method),
    }


def claim_of(headers: Headers) -> Claim:
    """Read the six headers; SignatureInvalid when one is missing or the method is unknown."""
    names = ("X-App-Id", "X-Timestamp", "X-Nonce", "X-Sign-Method", "X-Body-Digest", "X-Signature")
    values = [headers.get(name) or "" for name in names]
    if not all(value and value.isascii() for value in values):
        raise SignatureInvalid
    claim = Claim(*values)
    if claim.sign_method not in ALGORITHMS:
        raise SignatureInvalid
    return claim


def signs(claim: Claim, secrets: Iterable[str], *, method: str, path: str, query: str) -> bool:
    """Whether one of the live secrets made this signature; the body is as yet only declared.

    Every secret is tried to the end, so that time does not tell which one came near.
    """
    digest = claim.body_digest.lower()
    text = string_to_sign(method, path, query, digest, claim.app_id, claim.timestamp, claim.nonce)
    right = False
    for secret in secrets:
        expected = _mac(secret, text, claim.sign_method)
        right |= hmac.compare_digest(expected, claim.signature.lower())
    return right


def declares(claim: Claim, digest: str) -> bool:
    """Whether the body that came, by its hex digest, is the one that was signed."""
    return hmac.compare_digest(digest, claim.body_digest.lower())


def matches(
    claim: Claim, secrets: Iterable[str], *, method: str, path: str, query: str, body: bytes
) -> bool:
    """Whether one of the live secrets made this signature over exactly this request."""
    right = signs(claim, secrets, method=method, path=path, query=query)
    return right and declares(claim, body_digest(body, claim.sign_method))


def _mac(secret: str, text: bytes, sign_method: str) -> str:
    mac = HMAC(secret.encode(), ALGORITHMS[sign_method]())
    mac.update(text)
    return mac.finalize().hex()
