"""A small 12345 platform that keeps its promises, but for the one that it is told to break."""

import hashlib
import itertools
import threading
import time
from typing import Any

from flask import Flask, Response, jsonify, redirect, request

from app.exchange import signature

SECRET = "a-secret-of-this-test"
APP_ID = "flawed12345"
PATIENCE, SLOW = 3.0, 3.3
"""Seconds: what is allowed, far more than a busy machine needs, and what the slow one takes."""

FLAWS = {
    "refuses one operation": "1.4",
    "redirects": "1.1",
    "sends the code as a number": "2.1",
    "gives no receipt": "2.2",
    "writes the receipt's name otherwise": "2.2",
    "calls its answer a text": "2.3",
    "believes every signature": "3.1",
    "does not look at the body": "3.2",
    "knows every application": "3.3",
    "has no clock": "3.4",
    "forgets numbers": "3.5",
    "needs no signature": "3.6",
    "takes half a message": "4.1",
    "refuses with 200": "4.2",
    "refuses with a page": "4.3",
    "counts a repeat anew": "5.1",
    "looks before it locks": "5.2",
    "gives everybody the same receipt": "5.3",
    "wants numbers to rise": "5.4",
    "knows all fields": "6.1",
    "knows common characters only": "6.2",
    "limits texts": "6.3",
    "limits lists": "6.4",
    "is slow": "7.1",
    "is talkative": "7.2",
}
"""What it can do wrong, and the number of the clause that forbids it."""


class Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class Flawed:
    """The platform's memory and judgement; `lacks` is asked at each promise."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw
        self.lock = threading.Lock()
        self.receipts: dict[str, str] = {}
        self.nonces: set[str] = set()
        self.sequences: dict[str, int] = {}
        self.count = itertools.count(1)

    def lacks(self, flaw: str) -> bool:
        assert flaw in FLAWS
        return self.flaw == flaw

    def admit(self, raw: bytes) -> None:
        headers = request.headers
        if not headers.get("X-Signature") and self.lacks("needs no signature"):
            return
        if not headers.get("X-Signature"):
            raise Refusal(401, "SIGNATURE_INVALID")
        if headers["X-App-Id"] != APP_ID:
            if self.lacks("knows every application"):
                return
            raise Refusal(401, "SIGNATURE_INVALID")
        late = abs(time.time() - int(headers["X-Timestamp"]) / 1000) > 300
        if late and not self.lacks("has no clock"):
            raise Refusal(401, "TIMESTAMP_SKEW")
        claim = signature.claim_of(headers)
        right = signature.signs(claim, [SECRET], method="POST", path=request.path, query="")
        if not right and not self.lacks("believes every signature"):
            raise Refusal(401, "SIGNATURE_INVALID")
        same = hashlib.sha256(raw).hexdigest() == claim.body_digest
        if not same and not self.lacks("does not look at the body"):
            raise Refusal(401, "SIGNATURE_INVALID")
        with self.lock:
            if claim.nonce in self.nonces and not self.lacks("forgets numbers"):
                raise Refusal(401, "NONCE_REPLAY")
            self.nonces.add(claim.nonce)

    def read(self, raw: bytes) -> dict[str, Any]:
        if self.lacks("limits lists") and raw.count(b"position") > 20:
            raise Refusal(413, "TOO_LARGE")
        body = request.get_json(silent=True)
        if body is None and self.lacks("takes half a message"):
            return {}
        if body is None:
            raise Refusal(400, "MALFORMED")
        if self.lacks("knows all fields") and "later_added" in body:
            raise Refusal(422, "VALIDATION_FAILED")
        answer = body.get("answer", "")
        if self.lacks("knows common characters only") and any(c > "\uffff" for c in answer):
            raise Refusal(422, "VALIDATION_FAILED")
        if self.lacks("limits texts") and len(answer) > 2_000:
            raise Refusal(422, "VALIDATION_FAILED")
        ticket, seq = body["acceptance_no"], body["event_seq"]
        if self.lacks("wants numbers to rise") and seq < self.sequences.get(ticket, 0):
            raise Refusal(409, "OUT_OF_ORDER")
        self.sequences[ticket] = seq
        return body

    def receipt(self, key: str) -> str:
        if self.lacks("gives everybody the same receipt"):
            return "R-1"
        if self.lacks("counts a repeat anew"):
            return f"R-{next(self.count)}"
        if self.lacks("looks before it locks"):
            known = self.receipts.get(key)
            time.sleep(0.15)
            if known is None:
                known = self.receipts[key] = f"R-{next(self.count)}"
            return known
        with self.lock:
            return self.receipts.setdefault(key, f"R-{next(self.count)}")

    def success(self, receipt_no: str) -> Response:
        name = "receiptNo" if self.lacks("writes the receipt's name otherwise") else "receipt_no"
        data = {} if self.lacks("gives no receipt") else {name: receipt_no}
        code = 0 if self.lacks("sends the code as a number") else "0"
        more = {"trace": "x" * 70_000} if self.lacks("is talkative") else {}
        answer = jsonify(code=code, message="成功", data=data, **more)
        if self.lacks("calls its answer a text"):
            answer.content_type = "text/plain; charset=utf-8"
        return answer

    def refusal(self, refused: Refusal) -> tuple[Any, int]:
        if self.lacks("refuses with a page"):
            return "<html><body>错误</body></html>", refused.status
        status = 200 if self.lacks("refuses with 200") else refused.status
        return jsonify(code=refused.code, message="未受理"), status


def flawed(flaw: str = "") -> Flask:
    """The platform as a web application; without a flaw it is as it should be."""
    app, platform = Flask("flawed"), Flawed(flaw)

    @app.post("/callbacks/<path:operation>")
    def receive(operation: str) -> Any:
        raw = request.get_data()
        if platform.lacks("redirects") and operation == "return-requests":
            return redirect("/callbacks/status-events", 307)
        if platform.lacks("is slow") and operation == "supplement-requests":
            time.sleep(SLOW)
        try:
            if platform.lacks("refuses one operation") and operation == "results/declarations":
                raise Refusal(404, "NOT_FOUND")
            platform.admit(raw)
            platform.read(raw)
            return platform.success(platform.receipt(request.headers["Idempotency-Key"]))
        except Refusal as refused:
            return platform.refusal(refused)

    return app
