"""The wire of a certification run: signs, sends, spoils on purpose, and remembers it masked."""

import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import httpx
import orjson

from app.exchange import guard, rules, signature
from app.exchange.post import LARGEST_ANSWER

JSON = "application/json; charset=utf-8"
_SHOWN_HEADERS = ("X-App-Id", "X-Timestamp", "X-Sign-Method", "Idempotency-Key", "Content-Type")


@dataclass(frozen=True)
class Reply:
    """What came back: HTTP status and JSON object, or the kind of error."""

    ms: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    size: int = 0
    error: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the platform would count it as delivered (API-ACK-01)."""
        return rules.judge(rules.Answer(self.ms, self.status, self.body, self.error)).delivered

    @property
    def code(self) -> Any:
        """The envelope's `code`, of whatever type."""
        return None if self.body is None else self.body.get("code")

    @property
    def data(self) -> Mapping[str, Any]:
        """The envelope's `data`, or an empty object."""
        data = None if self.body is None else self.body.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def told(self) -> str:
        """Status and code in a line, and nothing else: the rest may name persons."""
        if self.error:
            return self.error
        if self.body is None:
            return f"HTTP {self.status}，不是JSON对象"
        return f"HTTP {self.status}，code为{str(self.code)[:64]!r}"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer as a report may show them: no secret, no personal data."""

    sent: str
    headers: Mapping[str, str]
    body: Any
    received: str
    answer: Any
    ms: int


@dataclass(frozen=True)
class Call:
    """A request before it is signed, and how its signature is to be spoilt."""

    method: str
    path: str
    raw: bytes = b""
    query: str = ""
    key: str = ""
    content_type: str = JSON
    nonce: str = ""
    """Given where a number used before is to be used again."""
    shift: int = 0
    """Seconds by which the timestamp is off."""
    app_id: str = ""
    body_sent: bytes | None = None
    """Sent instead of `raw`, under the signature of `raw`."""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Replace signed headers; None takes one away."""


class Line:
    """Speaks to one address with one secret. A context manager that closes itself."""

    def __init__(
        self,
        url: str,
        app_id: str,
        secret: str,
        *,
        sign_method: str = "HMAC-SHA256",
        patience: float = 30.0,
    ) -> None:
        self._target = guard.take_apart(url)
        self.app_id = app_id
        self._secret = secret
        self._sign_method = sign_method
        # No redirects, no proxies: exactly as messages are delivered.
        self._http = httpx.Client(
            timeout=httpx.Timeout(patience, connect=5), follow_redirects=False, trust_env=False
        )
        # The last ones: a check that asks hundreds of times would fill the report.
        self._exchanges: deque[Exchange] = deque(maxlen=20)
        self._lock = Lock()
        self.slowest = 0
        """Milliseconds of the slowest answer so far."""
        self.largest = 0
        """Bytes of the largest answer so far."""

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "", **more: Any) -> Reply:
        """A signed POST of JSON; `more` are fields of Call."""
        return self.send(Call("POST", path, orjson.dumps(dict(body)), key=key, **more))

    def get(self, path: str, query: str = "") -> Reply:
        """A signed GET."""
        return self.send(Call("GET", path, query=query))

    def send(self, call: Call) -> Reply:
        """Send it once and remember it; every failure comes back as a Reply."""
        headers = self._signed(call)
        target, whole = self._target, self._whole(call.path)
        address = f"{target.scheme}://{target.host_header}{whole}"
        content = call.raw if call.body_sent is None else call.body_sent
        started = time.monotonic()
        reply = self._ask(call, address, content, headers)
        reply = replace(reply, ms=round((time.monotonic() - started) * 1000))
        with self._lock:
            self.slowest = max(self.slowest, reply.ms)
            self.largest = max(self.largest, reply.size)
            self._exchanges.append(
                Exchange(
                    f"{call.method} {whole}",
                    {name: headers[name] for name in _SHOWN_HEADERS if name in headers},
                    rules.masked(_object(content)),
                    reply.told,
                    rules.masked(reply.body),
                    reply.ms,
                )
            )
        return reply

    def take_exchanges(self) -> list[Exchange]:
        """What was said last, since this was asked before."""
        with self._lock:
            taken = list(self._exchanges)
            self._exchanges.clear()
            return taken

    def _ask(self, call: Call, address: str, content: bytes, headers: dict[str, str]) -> Reply:
        url = address + (f"?{call.query}" if call.query else "")
        try:
            with self._http.stream(call.method, url, content=content, headers=headers) as answer:
                raw = bytearray()
                for chunk in answer.iter_raw():
                    raw += chunk
                    if len(raw) > LARGEST_ANSWER * 16:
                        break
        except httpx.TimeoutException:
            return Reply(0, error="超时")
        except httpx.HTTPError:
            return Reply(0, error="无法连接或连接中断")
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(0, answer.status_code, found, _object(bytes(raw)), len(raw))

    def _whole(self, path: str) -> str:
        return f"{self._target.base_path}/{path.lstrip('/')}"

    def _signed(self, call: Call) -> dict[str, str]:
        signed: dict[str, str] = signature.sign(
            call.method,
            self._whole(call.path),
            app_id=call.app_id or self.app_id,
            secret=self._secret,
            timestamp=round((time.time() + call.shift) * 1000),
            nonce=call.nonce or secrets.token_hex(16),
            query=call.query,
            body=call.raw,
            sign_method=self._sign_method,
        )
        signed["Accept-Encoding"] = "identity"
        if call.raw:
            signed["Content-Type"] = call.content_type
        if call.key:
            signed["Idempotency-Key"] = call.key
        changed = {**signed, **call.headers}
        return {name: value for name, value in changed.items() if value is not None}


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
