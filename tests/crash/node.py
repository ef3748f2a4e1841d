"""One node that carries a ticket through the whole journey, from wherever the database stands.

Server code runs in this process, behind Flask's test client, so that the kill hits it; only the
12345 simulator is another process, reached over real HTTP.
"""

import hashlib
import io
import secrets
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from flask import Flask
from flask.testing import FlaskClient

from app import scheduler
from app.core.db import transact
from app.demo import sample_report
from app.exchange import delivery, signature
from tests.crash import effects
from tests.crash.failpoints import Failpoints
from tests.crash.notebook import Json, Notebook
from tests.crash.script import STEPS, UPLOADER, Cast, Step
from tests.support.journey import complaint

NAMESPACE = uuid.UUID("5f0c2f64-6a3e-4c43-9d0e-0d6c7a1b9e21")
PAUSE = 0.02


class Unexpected(Exception):
    """The platform answered as it never should, whatever was killed before."""


@dataclass(frozen=True)
class Orders:
    """What a node shall do with a ticket.

    With `rivals`, others work on the same ticket: a task may be done already, and what the node
    cannot finish in `patience` seconds it leaves to the recovery. `own_actions` sends this node's
    own action ids (another click), not the shared ones (a repeat of the same click).
    """

    external_no: str
    called_at: str
    node: str = "a"
    rivals: bool = False
    own_actions: bool = False
    patience: float = 6.0
    items: int = 3
    only_submit: bool = False


class Node:
    """A process of the platform together with the people and the 12345 that talk to it."""

    def __init__(
        self, app: Flask, cast: Cast, orders: Orders, points: Failpoints, folder: Path
    ) -> None:
        self.app = app
        self.cast = cast
        self.orders = orders
        self.points = points
        self.client: FlaskClient = app.test_client()
        self.client.set_cookie("zhuanban", cast.cookie, domain="localhost")
        writer = orders.node if orders.rivals else "only"
        self.notes = Notebook(folder / f"{orders.external_no}.{writer}.notes")

    def carry(self) -> None:
        """Submit, do every step, deliver, until the ticket is filed."""
        number = self.submit()
        if self.orders.only_submit:
            return
        with self.app.app_context():
            transact(lambda: effects.ask_for(number, self.orders.items))
        self.tick()
        for step in STEPS:
            self.complete(step, number)
        self.finish(number)

    def submit(self) -> str:
        """Submit the complaint, with a file unless others submit the same; returns the number."""
        attachments = [] if self.orders.rivals else [self._upload_evidence()]
        sent = self.notes.request(
            "submit",
            lambda: complaint(
                external_ticket_no=self.orders.external_no,
                called_at=self.orders.called_at,
                attachments=attachments,
            ),
        )
        answer = self._signed("POST", "/openapi/v1/complaints", orjson.dumps(sent))
        self._note("submit", self._expect("submit", answer, 200, 201)["data"])
        return str(self.notes.answers["submit"]["acceptance_no"])

    def complete(self, step: Step, number: str) -> None:
        """Do one user task, or find that it is done."""
        name = step.element
        if name in self.notes.answers:
            return
        request = self.notes.request(name, lambda: self._completion(step, number))
        if request is None:
            if not self.orders.rivals:
                raise Unexpected(f"{name}: no such task waits")
            return
        self._note(name, self._complete(step, request))

    def finish(self, number: str) -> None:
        """Run the scheduler's work until the ticket is filed and nothing of it is left to do."""
        until = time.monotonic() + self.orders.patience
        while True:
            self.tick()
            with self.app.app_context():
                delivery.deliver_due()
            status = self._status(number)
            if status == "archived":
                return
            if status == "callback_pending":
                self._call_back(number)
                continue
            if time.monotonic() > until:
                if self.orders.rivals:
                    return
                raise Unexpected("the ticket is not filed")
            time.sleep(PAUSE)

    def _call_back(self, number: str) -> None:
        """12345 tells that the petitioner is content; again after a crash, and with rivals."""
        path, body = f"/openapi/v1/tickets/{number}/callbacks", orjson.dumps({"satisfaction": 1})
        self._expect("callback", self._signed("POST", path, body), 200, 201)
        self.points.reach("answered callback")

    def tick(self) -> None:
        """One tick of every scheduler job."""
        for job in scheduler.jobs():
            scheduler.drain(self.app, job, Event())

    def repeat(self) -> None:
        """Send everything that was answered once more: the answers must be the same."""
        for step in STEPS:
            first = self.notes.answers.get(step.element)
            if first is None or "code" in first:
                continue
            again = self._complete(step, self.notes.sent[step.element])
            if again != first:
                raise Unexpected(f"{step.element}: a repeat got another answer")
        first = self.notes.answers["submit"]
        self.submit()
        again = self.notes.answers["submit"]
        if {**again, "duplicate": None} != {**first, "duplicate": None} or not again["duplicate"]:
            raise Unexpected("submit: a repeat got another answer")
        self.download(first["acceptance_no"])

    def download(self, number: str) -> None:
        """Fetch the report as 12345 does, by the link in the message it has."""
        for line in self.cast.journal.read_bytes().splitlines():
            entry = orjson.loads(line)
            if entry["kind"] == "received" and entry["body"]["acceptance_no"] == number:
                for file in entry["body"]["report_files"]:
                    answer = self.client.get(file["url"].removeprefix("http://127.0.0.1"))
                    digest = hashlib.sha256(answer.get_data()).hexdigest()
                    if (answer.status_code, digest) != (200, file["sha256"]):
                        raise Unexpected(f"the link of a report answers {answer.status_code}")

    def _note(self, name: str, answer: Json) -> None:
        self.notes.answered(name, answer)
        self.points.reach(f"answered {name}")

    def _completion(self, step: Step, number: str) -> Json | None:
        query = urlencode({"business_key": number, "element_id": step.element})
        answer = self._as(step.who, "GET", f"/api/v1/tasks?{query}")
        tasks = self._expect("tasks", answer, 200)["tasks"]
        if not tasks:
            return None
        (task,) = tasks
        files = [self._upload_report(task["id"])] if step.uploads else []
        sender = self.orders.node if self.orders.own_actions else ""
        return {
            "task_id": task["id"],
            "version": task["version"],
            "action_id": str(uuid.uuid5(NAMESPACE, f"{number}:{step.element}:{sender}")),
            "variables": step.values(self.cast, files),
        }

    def _complete(self, step: Step, request: Json) -> Json:
        body = {name: value for name, value in request.items() if name != "task_id"}
        answer = self._as(
            step.who, "POST", f"/api/v1/tasks/{request['task_id']}/complete", json=body
        )
        if self.orders.rivals and answer.status_code == 409:
            body = answer.get_json()
            if body["code"] == "TASK_ALREADY_DONE":
                return {"code": body["code"]}
        return self._expect(step.element, answer, 200)

    def _upload_report(self, task_id: str) -> str:
        answer = self.client.post(
            f"/tasks/{task_id}/files",
            data={"file": (io.BytesIO(sample_report()), "调查报告.docx"), "field": "report_files"},
            headers={"X-CSRFToken": self.cast.csrf_token},
        )
        return str(self._expect(f"{UPLOADER} uploads", answer, 201)["id"])

    def _upload_evidence(self) -> str:
        def unsent() -> Json:
            return {"name": f"evidence-{self.orders.external_no}.docx"}

        known = self.notes.answers.get("evidence")
        if known is None:
            request = self.notes.request("evidence", unsent) or {}
            file = (request["name"], sample_report(), "application/octet-stream")
            form = httpx.Request("POST", "http://form.invalid", files={"file": file})
            answer = self._signed(
                "POST", "/openapi/v1/attachments", form.read(), form.headers["Content-Type"]
            )
            known = self._expect("evidence", answer, 201)["data"]
            self._note("evidence", known)
        return str(known["attachment_id"])

    def _status(self, number: str) -> str:
        answer = self._signed("GET", f"/openapi/v1/tickets/{number}", b"")
        return str(self._expect("status", answer, 200)["data"]["status"])

    def _as(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = self.cast.people[who].headers
        return self.client.open(path, method=method, headers=headers, **more)

    def _signed(self, method: str, path: str, body: bytes, kind: str = "application/json") -> Any:
        headers = signature.sign(
            method,
            path,
            app_id=self.cast.app_id,
            secret=self.cast.secret,
            timestamp=round(time.time() * 1000),
            nonce=secrets.token_hex(16),
            body=body,
            sign_method="HMAC-SM3",
        )
        return self.client.open(path, method=method, data=body, content_type=kind, headers=headers)

    @staticmethod
    def _expect(name: str, answer: Any, *statuses: int) -> Json:
        if answer.status_code not in statuses:
            raise Unexpected(f"{name}: {answer.status_code} {answer.get_data(as_text=True)[:200]}")
        body: Json = answer.get_json()
        return body
