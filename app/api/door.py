"""Who may come in: the head of a signed request, judged before its body is read."""

from typing import Any

from cryptography.hazmat.primitives import hashes
from flask import request

from app.api.http import client_ip
from app.core import clock
from app.core.db import session
from app.exchange import inbound, limits, signature
from app.exchange.errors import SignatureInvalid

_CHUNK = 64 * 1024


def admit(claim: signature.Claim, path: str, query: str, *, by_browser: bool = False) -> None:
    """Recognise the partner and count its request; a wrong signature counts against the address.

    The connection is given back before either is counted, so that no request ever needs two.
    """
    ip = client_ip()
    try:
        partner = inbound.recognise(
            claim, request.method, path, query, ip, clock.now(), by_browser=by_browser
        )
        rate = {"per_minute": partner.requests_per_minute, "burst": partner.request_burst}
    except SignatureInvalid:
        session().rollback()
        limits.count_failure(ip)
        raise
    session().rollback()
    limits.take(claim.app_id, **rate)


def digest_of_body(claim: signature.Claim) -> str:
    """The digest of the body, which is read as a whole."""
    return signature.body_digest(request.get_data(), claim.sign_method)


def digest_of_form(claim: signature.Claim) -> str:
    """The digest of a form's raw body, taken while its files are spooled to the disk."""
    reading = _Digesting(request.environ["wsgi.input"], signature.ALGORITHMS[claim.sign_method]())
    request.environ["wsgi.input"] = reading
    _ = request.files
    while request.stream.read(_CHUNK):  # what follows a form, or is none
        pass
    return reading.hexdigest()


class _Digesting:
    """A request's input that hashes what is read from it."""

    def __init__(self, stream: Any, algorithm: hashes.HashAlgorithm) -> None:
        self._stream = stream
        self._hash = hashes.Hash(algorithm)

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._hashed(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        """The next line."""
        return self._hashed(self._stream.readline(size))

    def hexdigest(self) -> str:
        """The digest of all that was read."""
        return self._hash.finalize().hex()

    def _hashed(self, data: bytes) -> bytes:
        self._hash.update(data)
        return data
