"""A small signed client of the partner API: what a 12345 platform needs, and nothing else."""

import mimetypes
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

from app.exchange import signature
from app.pages import links

PREFIX = "/openapi/v1"


@dataclass(frozen=True)
class Answer:
    """What the platform said: HTTP status and the envelope (REQUIREMENTS 4.4)."""

    status: int
    envelope: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it was done: HTTP 2xx and `code` "0"."""
        return 200 <= self.status < 300 and self.envelope.get("code") == "0"

    @property
    def data(self) -> Any:
        """The envelope's `data`, or an empty object."""
        return self.envelope.get("data") or {}


class PartnerClient:
    """Signs with HMAC-SHA256 or HMAC-SM3 and talks JSON. A context manager that closes itself."""

    def __init__(
        self, base_url: str, app_id: str, secret: str, method: str = "HMAC-SHA256"
    ) -> None:
        self._base = base_url.rstrip("/")
        self._root = urlsplit(self._base).path
        self._app_id = app_id
        self._secret = secret
        self._method = method
        self._http = httpx.Client(timeout=30, trust_env=False)

    def __enter__(self) -> "PartnerClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit_complaint(self, complaint: Mapping[str, Any]) -> Answer:
        """Submit a complaint (I1); the same `external_ticket_no` and content is done once."""
        return self.post("/complaints", complaint)

    def submit_declaration(self, declaration: Mapping[str, Any]) -> Answer:
        """Submit a declaration (I2)."""
        return self.post("/declarations", declaration)

    def submit_consultation(self, consultation: Mapping[str, Any]) -> Answer:
        """Submit a question or a suggestion (I3)."""
        return self.post("/consultations", consultation)

    def upload_attachment(self, content: Path | bytes, name: str | None = None) -> Answer:
        """Upload a file (I4); `data.attachment_id` goes into a submission's `attachments`."""
        raw = content.read_bytes() if isinstance(content, Path) else content
        name = name or (content.name if isinstance(content, Path) else "attachment")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        form = httpx.Request("POST", "http://form.invalid", files={"file": (name, raw, kind)})
        return self.request(
            "POST", "/attachments", body=form.read(), content_type=form.headers["Content-Type"]
        )

    def divisions(self, parent: str = "") -> Answer:
        """The children of a division (I5); empty gives the provinces."""
        return self.get("/divisions", {"parent_code": parent} if parent else {})

    def code_table(self, name: str) -> Answer:
        """A code table (I6)."""
        return self.get(f"/code-tables/{name}")

    def ticket(self, acceptance_no: str) -> Answer:
        """Where a ticket stands (I7)."""
        return self.get(f"/tickets/{acceptance_no}")

    def decide_return(
        self, acceptance_no: str, *, approved: bool, opinion: str, request_no: str | None = None
    ) -> Answer:
        """Answer a return request (I9, table 4): 1 agrees, 2 refuses; a second one by number."""
        return self._decide(
            acceptance_no, "return-decision", approved, opinion, request_no=request_no
        )

    def decide_extension(
        self,
        acceptance_no: str,
        *,
        approved: bool,
        opinion: str,
        approved_days: int | None = None,
        request_no: str | None = None,
    ) -> Answer:
        """Answer an extension request (I10, table 5), like a return; fewer days may do."""
        more = {"approved_days": approved_days, "request_no": request_no}
        return self._decide(acceptance_no, "extension-decision", approved, opinion, **more)

    def supplement(
        self,
        acceptance_no: str,
        content: str,
        attachments: Sequence[str] = (),
        *,
        key: str | None = None,
    ) -> Answer:
        """Add what the caller said since, or what was asked for (I11).

        Here and below: without a `key` the same body again is a repeat, with one the same key.
        """
        body = {"content": content, "attachments": list(attachments)}
        return self._follow_up(acceptance_no, "supplements", body, key)

    def urge(self, acceptance_no: str, content: str, *, key: str | None = None) -> Answer:
        """The caller asks when it will be done (催单, I12)."""
        return self._follow_up(acceptance_no, "urges", {"content": content}, key)

    def withdraw(self, acceptance_no: str, reason: str, *, key: str | None = None) -> Answer:
        """The caller takes the matter back (I13)."""
        return self._follow_up(acceptance_no, "withdrawals", {"reason": reason}, key)

    def report_callback(
        self,
        acceptance_no: str,
        satisfaction: int,
        *,
        solved: bool | None = None,
        opinion: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """What the caller thinks of the result (回访, I14): 1 满意 … 3 不满意, 5 无法联系."""
        body = {"satisfaction": satisfaction, "solved": solved, "opinion": opinion}
        given = {name: value for name, value in body.items() if value is not None}
        return self._follow_up(acceptance_no, "callbacks", given, key)

    def ask_rework(self, acceptance_no: str, reason: str, *, key: str | None = None) -> Answer:
        """Ask that it be handled again (重办, I15)."""
        return self._follow_up(acceptance_no, "rework-requests", {"reason": reason}, key)

    def announce_call(self, call_id: str, caller_number: str, from_operator: str) -> Answer:
        """A call is being put through (话务转接, I19)."""
        body = {"call_id": call_id, "caller_number": caller_number, "from_operator": from_operator}
        return self.post("/calls", body)

    def events(self, acceptance_no: str) -> Answer:
        """The steps a ticket has taken (I8)."""
        return self.get(f"/tickets/{acceptance_no}/events")

    def outbox(self, after: int = 0, limit: int = 100) -> Answer:
        """Messages that were not confirmed yet (I17): `data.messages`, and `data.next`."""
        return self.get("/outbox", {"after": str(after), "limit": str(limit)})

    def acknowledge(self, receipts: Sequence[Mapping[str, Any]]) -> Answer:
        """Confirm messages, each `{event_id, receipt_no}` (I17)."""
        return self.post("/outbox/ack", {"receipts": list(receipts)})

    def day(self, day: str, after: str = "", limit: int = 1000) -> Answer:
        """A page of what the platform has of a day (I18)."""
        return self.get("/reconciliation", {"date": day, "after": after, "limit": str(limit)})

    def reconcile(
        self, day: str, list_id: str, tickets: Sequence[Mapping[str, Any]], size: int = 5000
    ) -> Answer:
        """Send the own list of a day (I18), each `{external_ticket_no, acceptance_no, outcome}`."""
        pages = max(1, -(-len(tickets) // size))
        sent = {"date": day, "list_id": list_id, "pages": pages}
        for page in range(1, pages):
            part = list(tickets[(page - 1) * size : page * size])
            answer = self.post("/reconciliation", {**sent, "page": page, "tickets": part})
            if not answer.ok:
                return answer
        rest = list(tickets[(pages - 1) * size :])
        return self.post("/reconciliation", {**sent, "page": pages, "tickets": rest})

    def differences(self, day: str) -> Answer:
        """What was found to differ on a day (I18)."""
        return self.get("/reconciliation/differences", {"date": day})

    def open_page(self, wanted: Mapping[str, Any]) -> Answer:
        """Ask for a registration page (页面调用, I16): `data.url` opens once, within minutes."""
        return self.post("/page-sessions", wanted)

    def page_link(self, table: str, caller_number: str, operator_no: str, **more: str) -> str:
        """An address of a registration page that needs no question first (PAGE-02)."""
        path = f"{self._root}/page/{table}"
        stamp, nonce = round(time.time() * 1000), secrets.token_hex(16)
        number = links.sealed(caller_number, self._secret, self._method, secrets.token_bytes(12))
        query = urlencode(
            {
                **{"app_id": self._app_id, "operator_no": operator_no, "caller_number": number},
                **{"ts": str(stamp), "nonce": nonce, "sign_method": self._method, **more},
            }
        )
        signed = signature.sign(
            "GET",
            path,
            app_id=self._app_id,
            secret=self._secret,
            timestamp=stamp,
            nonce=nonce,
            query=query,
            sign_method=self._method,
        )
        return f"{self._base}/page/{table}?{query}&sign={signed['X-Signature']}"

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """A signed GET below the API's root."""
        return self.request("GET", path, query=urlencode(query or {}))

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """A signed POST of JSON below the API's root; `key` goes along as `Idempotency-Key`."""
        named = {"Idempotency-Key": key} if key else {}
        return self.request("POST", path, body=orjson.dumps(dict(body)), changed_headers=named)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str = "application/json",
        changed_headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One signed request. `changed_headers` may also spoil the signature, to test for that."""
        whole = f"{self._root}{PREFIX}{path}"
        headers = signature.sign(
            method,
            whole,
            app_id=self._app_id,
            secret=self._secret,
            timestamp=round(time.time() * 1000),
            nonce=secrets.token_hex(16),
            query=query,
            body=body,
            sign_method=self._method,
        )
        if body:
            headers["Content-Type"] = content_type
        url = f"{self._base}{PREFIX}{path}" + (f"?{query}" if query else "")
        response = self._http.request(
            method, url, content=body, headers={**headers, **(changed_headers or {})}
        )
        try:
            envelope = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            envelope = None
        if not isinstance(envelope, dict):
            envelope = {"code": "NOT_JSON", "message": "对方没有返回JSON"}
        return Answer(response.status_code, envelope)

    def _decide(
        self, acceptance_no: str, what: str, approved: bool, opinion: str, **more: int | str | None
    ) -> Answer:
        given = {name: value for name, value in more.items() if value}
        body = {"approved": 1 if approved else 2, "opinion": opinion, **given}
        return self._follow_up(acceptance_no, what, body)

    def _follow_up(
        self, acceptance_no: str, what: str, body: Mapping[str, Any], key: str | None = None
    ) -> Answer:
        return self.post(f"/tickets/{acceptance_no}/{what}", body, key=key)
