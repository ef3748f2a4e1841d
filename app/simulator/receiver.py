"""The callback interface of the simulated platform (O1–O9): verify, apply once, answer."""

import hashlib
import time
import uuid
from collections.abc import Callable
from threading import Lock
from typing import Any

import orjson
from flask import Blueprint, Response, request

from app.core import clock
from app.exchange import rules, signature
from app.exchange.errors import NonceReplay, SignatureInvalid, TimestampSkew, Unauthenticated
from app.simulator.behaviour import NORMAL, Behaviour, Control
from app.simulator.journal import Journal, KeyReused, Received
from app.simulator.labels import TITLES


class Doorkeeper:
    """Checks our own platform's signature, as every partner should."""

    def __init__(self, app_id: str, secret: str) -> None:
        self._app_id = app_id
        self._secret = secret
        self._nonces: dict[str, float] = {}
        self._lock = Lock()

    def check(self, raw: bytes) -> None:
        """Raise Unauthenticated unless the current request is signed, fresh and new."""
        claim = signature.claim_of(request.headers)
        now = clock.now()
        if not rules.is_fresh(claim.timestamp, now):
            raise TimestampSkew
        right = signature.matches(
            claim,
            [self._secret],
            method=request.method,
            path=request.path,
            query=request.query_string.decode(),
            body=raw,
        )
        if claim.app_id != self._app_id or not right:
            raise SignatureInvalid
        until = now.timestamp() + rules.NONCE_MEMORY.total_seconds()
        with self._lock:
            self._nonces = {n: t for n, t in self._nonces.items() if t > now.timestamp()}
            if claim.nonce in self._nonces:
                raise NonceReplay
            self._nonces[claim.nonce] = until


def receiver(
    journal: Journal, control: Control, doorkeeper: Doorkeeper, pause: Callable[[float], None]
) -> Blueprint:
    """The blueprint under which the platform calls us back."""
    views = Blueprint("receiver", __name__, url_prefix="/api")

    @views.post("/<path:operation>")
    def receive(operation: str) -> Response:
        """Apply one message; `Idempotency-Key` decides whether it is a repeat."""
        raw = request.get_data()
        now = clock.now().astimezone(clock.BEIJING)
        if operation not in TITLES:
            return _answer(404, "NOT_FOUND", "没有这个接口")
        behaviour = control.next_for(operation)
        early = _misbehave(behaviour, pause)
        if early is not None:
            journal.refuse(operation, early.status_code, behaviour.title, now)
            return early
        try:
            doorkeeper.check(raw)
            body = _body(operation, raw)
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                raise ValueError("缺少Idempotency-Key")
            message, duplicate = journal.receive(
                operation, key, hashlib.sha256(raw).hexdigest(), body, now
            )
        except Unauthenticated as refusal:
            journal.refuse(operation, 401, refusal.message, now)
            return _answer(401, refusal.code, refusal.message)
        except KeyReused:
            journal.refuse(operation, 409, "同一幂等键内容不同", now)
            return _answer(409, "IDEMPOTENCY_CONFLICT", "同一幂等键内容不同")
        except ValueError as error:
            journal.refuse(operation, 400, "报文无法识别", now)
            return _answer(400, "MALFORMED", str(error))
        if behaviour.mode == "timeout":
            pause(behaviour.seconds or 30)
        return _receipt(message, duplicate or behaviour.mode == "duplicate")

    return views


def _misbehave(behaviour: Behaviour, pause: Callable[[float], None]) -> Response | None:
    if behaviour is NORMAL:
        return None
    if behaviour.mode == "delay":
        pause(behaviour.seconds or 3)
    if behaviour.mode == "fail":
        return _answer(500, "INTERNAL", "系统繁忙")
    if behaviour.mode == "reject":
        return _answer(422, "VALIDATION_FAILED", "数据校验不通过")
    return None


def _body(operation: str, raw: bytes) -> dict[str, Any]:
    if operation == "report-files":
        return {
            "report_files": [
                {"name": file.filename, "size": len(content), "sha256": _sha256(content)}
                for file in request.files.values()
                if (content := file.read()) is not None
            ],
            **request.form.to_dict(),
        }
    body = orjson.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("报文应为JSON对象")
    return body


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _receipt(message: Received, duplicate: bool) -> Response:
    data = {"receipt_no": message.receipt_no, "duplicate": duplicate}
    return _answer(200, "0", "成功", {"data": data})


def _answer(status: int, code: str, message: str, more: dict[str, Any] | None = None) -> Response:
    body = {"code": code, "message": message, "request_id": uuid.uuid4().hex, **(more or {})}
    return Response(orjson.dumps(body), status, content_type="application/json; charset=utf-8")


def real_pause(seconds: float) -> None:
    """Wait in real time."""
    time.sleep(seconds)
