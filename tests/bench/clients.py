"""Client processes. They run on the same two cores as the server, so they do as little as possible.

A client is a process with one kept-alive connection; what it cost is measured and reported beside
the server's own. Nothing here imports the application but the signature of partners.
"""

import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlencode

from app.exchange import signature
from tests.bench.figures import Load

JSON = {"Content-Type": "application/json"}


class Caller:
    """One connection that remembers how long each answer took."""

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=60)
        self.spent_ms: list[float] = []
        self.errors = 0

    def __call__(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None = None,
        expect: int = 200,
    ) -> bytes:
        """One measured request; an answer with another status counts as an error."""
        began = time.perf_counter()
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        data = answer.read()
        self.spent_ms.append((time.perf_counter() - began) * 1000)
        if answer.status != expect:
            self.errors += 1
        return data


Script = Callable[[Caller, Any], None]


def drive(port: int, script: Script, jobs: Sequence[Any]) -> Load:
    """Run `script` once for each job, every job in a process of its own, all starting together."""
    spawn = get_context("spawn")
    barrier, answers = spawn.Barrier(len(jobs)), spawn.Queue()
    clients = [
        spawn.Process(target=_client, args=(port, script, job, barrier, answers)) for job in jobs
    ]
    for client in clients:
        client.start()
    told = [answers.get(timeout=600) for _ in clients]
    for client in clients:
        client.join()
    load = Load(seconds=max(t["ended"] for t in told) - min(t["began"] for t in told))
    for each in told:
        load.spent_ms += each["spent_ms"]
        load.errors += each["errors"]
        load.client_cpu_s += each["cpu_s"]
    return load


def _client(port: int, script: Script, job: Any, barrier: Any, answers: Any) -> None:
    caller = Caller(port)
    barrier.wait()
    began, cpu = time.perf_counter(), time.process_time()
    try:
        script(caller, job)
    except (OSError, KeyError, ValueError, IndexError):
        caller.errors += 1
    answers.put(
        {
            "began": began,
            "ended": time.perf_counter(),
            "cpu_s": time.process_time() - cpu,
            "spent_ms": caller.spent_ms,
            "errors": caller.errors,
        }
    )


def complete_chains(call: Caller, job: dict[str, Any]) -> None:
    """Complete task after task: each chain is a first task and a (token, values) for every step.

    Every completion carries an action id, as a careful client's does.
    """
    for task_id, steps in job["chains"]:
        for token, values in steps:
            body = {"variables": values, "action_id": str(uuid.uuid4())}
            told = call(
                "POST",
                f"/api/v1/tasks/{task_id}/complete",
                {**JSON, "Authorization": f"Bearer {token}"},
                json.dumps(body).encode(),
            )
            opened = json.loads(told)["opened"]
            task_id = opened[0]["task_id"] if opened else ""


def complete_together(call: Caller, job: dict[str, Any]) -> None:
    """Complete one task of each instance at an agreed moment, so that four clients meet."""
    for at, task_id in job["tasks"]:
        time.sleep(max(0.0, at - time.time()))
        call(
            "POST",
            f"/api/v1/tasks/{task_id}/complete",
            {**JSON, "Authorization": f"Bearer {job['token']}"},
            json.dumps({"variables": {}, "action_id": str(uuid.uuid4())}).encode(),
        )


def submit(call: Caller, job: dict[str, Any]) -> None:
    """Submit signed complaints, each with a number of its own."""
    for _ in range(job["count"]):
        body = {**job["complaint"], "external_ticket_no": f"B-{uuid.uuid4().hex[:16]}"}
        raw = json.dumps(body).encode()
        headers = _signed(job, "POST", "/openapi/v1/complaints", "", raw)
        call("POST", "/openapi/v1/complaints", {**JSON, **headers}, raw, 201)


def ask_status(call: Caller, job: dict[str, Any]) -> None:
    """Ask for the status of tickets, signed."""
    for number in job["numbers"]:
        path = f"/openapi/v1/tickets/{number}"
        call("GET", path, _signed(job, "GET", path, "", b""))


def read_pages(call: Caller, job: dict[str, Any]) -> None:
    """Read addresses one after another with the given headers."""
    for path in job["paths"]:
        call("GET", path, job["headers"])


def form_token(port: int, path: str, cookie: str) -> tuple[str, str]:
    """Open a page with a form; returns the Cookie header from then on, and the form's token."""
    http = HTTPConnection("127.0.0.1", port, timeout=60)
    http.request("GET", path, headers={"Cookie": cookie})
    page = http.getresponse()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert found is not None, f"{path} has no form"
    return (page.getheader("Set-Cookie") or cookie).partition(";")[0], found.group(1)


def sign_in(port: int, username: str, password: str) -> str:
    """Sign in as a browser does; returns the Cookie header."""
    http = HTTPConnection("127.0.0.1", port, timeout=60)
    cookie, token = form_token(port, "/login", "")
    form = {"username": username, "password": password, "csrf_token": token}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    http.request("POST", "/login", urlencode(form), headers)
    answer = http.getresponse()
    answer.read()
    assert answer.status == 302, f"signing in answered {answer.status}"
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]


def search(call: Caller, job: dict[str, Any]) -> None:
    """Search for tickets one after another, as the page's form does: by POST with its token."""
    headers = {"Cookie": job["cookie"], "Content-Type": "application/x-www-form-urlencoded"}
    for text in job["texts"]:
        form = urlencode({"q": text, "csrf_token": job["token"]})
        call("POST", job.get("path", "/tickets"), headers, form.encode())


def _signed(job: dict[str, Any], method: str, path: str, query: str, body: bytes) -> dict[str, str]:
    return signature.sign(
        method,
        path,
        app_id=job["app_id"],
        secret=job["secret"],
        timestamp=round(time.time() * 1000),
        nonce=secrets.token_hex(16),
        query=query,
        body=body,
    )
