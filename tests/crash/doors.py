"""The doors of the platform as the outside world uses them: signed, with a token, by browser.

Server code runs in this process, behind Flask's test client, so that a kill hits it; only the
12345 simulator is another process, reached over real HTTP.
"""

import hashlib
import io
import secrets
from typing import Any

import httpx
import orjson
from flask import Flask

from app.core import clock
from app.demo import sample_report
from app.exchange import signature
from tests.crash.acts import Cast, Key
from tests.crash.notebook import Json


class Unexpected(Exception):
    """The platform answered as it never should, whatever was killed before."""


class Doors:
    """Requests to the platform from one province's 12345 and from the staff."""

    def __init__(self, app: Flask, cast: Cast, key: Key) -> None:
        self._client = app.test_client()
        self._client.set_cookie("zhuanban", cast.cookie, domain="localhost")
        self._cast = cast
        self._key = key

    def as_person(self, who: str, method: str, path: str, **more: Any) -> Any:
        """A request of the staff interface."""
        headers = self._cast.people[who].headers
        return self._client.open(path, method=method, headers=headers, **more)

    def signed(self, method: str, path: str, body: bytes, kind: str = "application/json") -> Any:
        """A request of 12345."""
        headers = signature.sign(
            method,
            path,
            app_id=self._key.app_id,
            secret=self._key.secret,
            timestamp=round(clock.now().timestamp() * 1000),
            nonce=secrets.token_hex(16),
            body=body,
            sign_method="HMAC-SM3",
        )
        return self._client.open(path, method=method, data=body, content_type=kind, headers=headers)

    def tell(self, name: str, path: str, values: Json, *statuses: int) -> Json:
        """12345 posts values; returns the data of the answer."""
        answer = self.signed("POST", f"/openapi/v1/{path}", orjson.dumps(values))
        data: Json = expect(name, answer, *statuses)["data"]
        return data

    def upload_evidence(self, name: str) -> Json:
        """12345 sends a file ahead of its ticket."""
        file = (name, sample_report(), "application/octet-stream")
        form = httpx.Request("POST", "http://form.invalid", files={"file": file})
        kind = form.headers["Content-Type"]
        answer = self.signed("POST", "/openapi/v1/attachments", form.read(), kind)
        data: Json = expect("evidence", answer, 201)["data"]
        return data

    def upload_report(self, task_id: str) -> str:
        """The one with the browser session adds the report to the task."""
        answer = self._client.post(
            f"/tasks/{task_id}/files",
            data={"file": (io.BytesIO(sample_report()), "调查报告.docx"), "field": "report_files"},
            headers={"X-CSRFToken": self._cast.csrf_token},
        )
        return str(expect("upload", answer, 201)["id"])

    def download_reports(self, number: str) -> None:
        """12345 fetches the report files by the links in the messages it has."""
        for line in self._cast.journal.read_bytes().splitlines():
            entry = orjson.loads(line)
            if entry["kind"] == "received" and entry["body"]["acceptance_no"] == number:
                for file in entry["body"].get("report_files", ()):
                    answer = self._client.get(file["url"].removeprefix("http://127.0.0.1"))
                    digest = hashlib.sha256(answer.get_data()).hexdigest()
                    if (answer.status_code, digest) != (200, file["sha256"]):
                        raise Unexpected(f"the link of a report answers {answer.status_code}")


def expect(name: str, answer: Any, *statuses: int) -> Json:
    """The body of an answer with one of these statuses."""
    if answer.status_code not in statuses:
        raise Unexpected(f"{name}: {answer.status_code} {answer.get_data(as_text=True)[:200]}")
    body: Json = answer.get_json()
    return body
