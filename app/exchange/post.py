"""One signed POST to a platform. No database here: the caller holds no transaction."""

import re
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import orjson

from app.exchange import guard, signature
from app.exchange.errors import CallbackRefused
from app.exchange.rules import Answer

TIMEOUT = httpx.Timeout(10, connect=5)
WHOLE_SECONDS = 20
"""How long an answer may trickle in altogether."""
LARGEST_ANSWER = 64 * 1024

_ERRORS: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "CONNECT_TIMEOUT"),
    (httpx.TimeoutException, "TIMEOUT"),
    (httpx.ConnectError, "CONNECT_FAILED"),
    (httpx.TransportError, "CONNECTION_BROKEN"),
    (httpx.HTTPError, "HTTP_ERROR"),
)


@dataclass(frozen=True)
class Request:
    """All that a delivery needs, read from the database beforehand."""

    target: guard.Target
    path: str
    body: bytes = field(repr=False)
    idempotency_key: str
    app_id: str
    secret: str = field(repr=False)
    sign_method: str
    networks: Sequence[str]
    allow_private: bool


def client() -> httpx.Client:
    """An HTTP client for one destination: no redirects, no proxies, certificates are checked."""
    return httpx.Client(verify=_trust(), timeout=TIMEOUT, follow_redirects=False, trust_env=False)


def post(request: Request, http: httpx.Client, *, timestamp: int) -> Answer:
    """Send it once; every failure comes back as an Answer with a code, never as an exception."""
    started = time.monotonic()

    def ms() -> int:
        return round((time.monotonic() - started) * 1000)

    target = request.target
    try:
        address = guard.permitted_address(
            target, request.networks, allow_private=request.allow_private
        )
        ip = f"[{address}]" if ":" in address else address
        with http.stream(
            "POST",
            f"{target.scheme}://{ip}:{target.port}{request.path}",
            content=request.body,
            headers=_headers(request, timestamp),
            extensions={"sni_hostname": target.host},
        ) as response:
            raw = _read(response, started + WHOLE_SECONDS)
            asked = _retry_after(response.headers.get("retry-after", ""))
    except CallbackRefused as refusal:
        return Answer(ms(), error=refusal.code)
    except _TooLarge:
        return Answer(ms(), response.status_code, error="ANSWER_TOO_LARGE")
    except httpx.HTTPError as error:
        return Answer(ms(), error=next(code for kind, code in _ERRORS if isinstance(error, kind)))
    return Answer(ms(), response.status_code, _object(raw), retry_after=asked)


class _TooLarge(Exception):
    pass


@cache
def _trust() -> ssl.SSLContext:
    """The system's certificate authorities; `SSL_CERT_FILE` adds a government CA."""
    return ssl.create_default_context()


def _headers(request: Request, timestamp: int) -> dict[str, str]:
    signed = signature.sign(
        "POST",
        request.path,
        app_id=request.app_id,
        secret=request.secret,
        timestamp=timestamp,
        nonce=secrets.token_hex(16),
        body=request.body,
        sign_method=request.sign_method,
    )
    return {
        **signed,
        "Host": request.target.host_header,
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "12317-exchange/1",
        "Idempotency-Key": request.idempotency_key,
    }


def _read(response: httpx.Response, until: float) -> bytes:
    raw = bytearray()
    for chunk in response.iter_raw():
        raw += chunk
        if len(raw) > LARGEST_ANSWER:
            raise _TooLarge
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer trickles")
    return bytes(raw)


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(text: str) -> timedelta:
    return timedelta(seconds=int(text)) if re.fullmatch(r"\d{1,6}", text) else timedelta(0)
