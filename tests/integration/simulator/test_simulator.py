"""The simulated platform over real HTTP, and its pages."""

import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

from app.exchange import signature
from app.simulator import server as simulator_server
from app.simulator.client import PartnerClient
from app.simulator.config import SimulatorConfig
from app.simulator.server import create_simulator

SECRET = "a-shared-secret"


class Running:
    """A WSGI application on a free port of 127.0.0.1."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.http = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def hotline() -> Iterator[Running]:
    """Stands for the 12317 platform: checks the signature, remembers, answers as its API does."""
    app = Flask("hotline")
    app.extensions["seen"], app.extensions["keys"] = [], []

    @app.before_request
    def check() -> Any:
        claim = signature.claim_of(request.headers)
        right = signature.matches(
            claim,
            [SECRET],
            method=request.method,
            path=request.path,
            query=request.query_string.decode(),
            body=request.get_data(),
        )
        if not right:
            return jsonify(code="SIGNATURE_INVALID", message="签名校验不通过"), 401
        app.extensions["seen"].append((request.method, request.full_path.rstrip("?")))
        return None

    @app.post("/openapi/v1/complaints")
    def complaints() -> Any:
        body = request.get_json()
        if "拖欠" in body["content"]:
            errors = [{"field": "content", "rule": "length", "message": "内容过长"}]
            return jsonify(code="VALIDATION_FAILED", message="数据校验不通过", errors=errors), 422
        warning = {"code": "DIVISION_UNRESOLVED", "message": "未能识别区划"}
        data = {
            "acceptance_no": "TS5200002026112300042S",
            "external_ticket_no": body["external_ticket_no"],
            "warnings": [warning],
        }
        return jsonify(code="0", message="成功", data=data), 201

    @app.post("/openapi/v1/declarations", endpoint="declarations")
    @app.post("/openapi/v1/consultations", endpoint="consultations")
    def others() -> Any:
        return jsonify(code="0", message="成功", data=request.get_json()), 201

    @app.post("/openapi/v1/attachments")
    def attachments() -> Any:
        file = request.files["file"]
        return jsonify(code="0", data={"attachment_id": file.filename, "size": len(file.read())})

    @app.get("/openapi/v1/tickets/<number>")
    def ticket(number: str) -> Any:
        return jsonify(code="0", data={"acceptance_no": number, "status": "办理中"})

    @app.post("/openapi/v1/tickets/<number>/<what>")
    def decision(number: str, what: str) -> Any:
        body = request.get_json()
        if body.get("reason") == "重复撤回":
            return jsonify(code="STATE_CONFLICT", message="工单当前为“已撤回”"), 409
        app.extensions["keys"].append(request.headers.get("Idempotency-Key"))
        return jsonify(code="0", message="成功", data=body)

    @app.post("/openapi/v1/calls")
    def calls() -> Any:
        data = {**request.get_json(), "acceptance_no": "HW1"}
        return jsonify(code="0", message="成功", data=data), 201

    @app.get("/openapi/v1/<path:rest>")
    def other(rest: str) -> Any:
        return jsonify(code="0", data={"path": rest, "query": request.args.to_dict()})

    running = Running(app)
    yield running
    running.close()


@pytest.fixture
def config(tmp_path: Path, hotline: Running) -> SimulatorConfig:
    return SimulatorConfig(hotline.url, "gz12345", SECRET, tmp_path / "journal.jsonl")


@pytest.fixture
def simulator(config: SimulatorConfig) -> Iterator[Running]:
    running = Running(create_simulator(config, pause=lambda seconds: time.sleep(seconds / 100)))
    yield running
    running.close()
    running.app.extensions["journal"].close()


def push(
    running: Running,
    operation: str = "results/complaints",
    body: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    secret: str = SECRET,
    spoil: dict[str, str] | None = None,
) -> httpx.Response:
    raw = orjson.dumps(body or {"acceptance_no": "TS1", "event_seq": 1})
    headers = signature.sign(
        "POST",
        f"/api/{operation}",
        app_id="gz12345",
        secret=secret,
        timestamp=round(time.time() * 1000),
        nonce=secrets.token_hex(16),
        body=raw,
    )
    headers["Idempotency-Key"] = key or secrets.token_hex(8)
    with httpx.Client(trust_env=False) as http:
        return http.post(
            f"{running.url}/api/{operation}", content=raw, headers={**headers, **(spoil or {})}
        )


def get(running: Running, path: str) -> httpx.Response:
    with httpx.Client(trust_env=False, follow_redirects=True) as http:
        return http.get(running.url + path)


def post_form(running: Running, path: str, origin: str = "", **values: str) -> httpx.Response:
    headers = {"Origin": origin} if origin else {}
    with httpx.Client(trust_env=False, follow_redirects=True) as http:
        return http.post(running.url + path, data=values, headers=headers)


def control(running: Running, **values: object) -> httpx.Response:
    with httpx.Client(trust_env=False) as http:
        return http.post(f"{running.url}/control", json=values)


@pytest.mark.parametrize("operation", ["return-requests", "results/complaints", "ticket-copies"])
def test_a_signed_message_gets_a_receipt(simulator: Running, operation: str) -> None:
    answer = push(simulator, operation)

    assert answer.status_code == 200
    assert answer.json()["code"] == "0"
    assert answer.json()["data"]["receipt_no"].startswith("GZ12345-")
    assert answer.json()["data"]["duplicate"] is False


def test_a_repeat_gets_the_same_receipt(simulator: Running) -> None:
    first, again = (push(simulator, key="k1").json()["data"] for _ in range(2))

    assert again == {"receipt_no": first["receipt_no"], "duplicate": True}


def test_a_repeat_with_another_body_is_a_conflict(simulator: Running) -> None:
    push(simulator, key="k1")
    answer = push(simulator, body={"acceptance_no": "TS2"}, key="k1")

    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"secret": "wrong"}, 401, "SIGNATURE_INVALID"),
        ({"spoil": {"X-Timestamp": "1"}}, 401, "TIMESTAMP_SKEW"),
        ({"spoil": {"X-App-Id": "other"}}, 401, "SIGNATURE_INVALID"),
        ({"spoil": {"Idempotency-Key": ""}}, 400, "MALFORMED"),
        ({"operation": "unknown"}, 404, "NOT_FOUND"),
    ],
)
def test_a_wrong_message_is_refused(
    simulator: Running, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = push(simulator, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert simulator.app.extensions["journal"].received == []


def test_a_replayed_nonce_is_refused(simulator: Running) -> None:
    nonce = "n" * 20
    raw = b'{"acceptance_no":"TS1"}'
    headers = signature.sign(
        "POST",
        "/api/status-events",
        app_id="gz12345",
        secret=SECRET,
        timestamp=round(time.time() * 1000),
        nonce=nonce,
        body=raw,
    )
    with httpx.Client(trust_env=False) as http:
        answers = [
            http.post(
                f"{simulator.url}/api/status-events",
                content=raw,
                headers={**headers, "Idempotency-Key": "k1"},
            )
            for _ in range(2)
        ]

    assert [answer.json()["code"] for answer in answers] == ["0", "NONCE_REPLAY"]


@pytest.mark.parametrize(
    ("mode", "status", "applied", "duplicate"),
    [
        ("fail", 500, 0, None),
        ("reject", 422, 0, None),
        ("delay", 200, 1, False),
        ("timeout", 200, 1, False),
        ("duplicate", 200, 1, True),
    ],
)
def test_it_misbehaves_as_told_and_then_stops(
    simulator: Running, mode: str, status: int, applied: int, duplicate: bool | None
) -> None:
    assert control(simulator, mode=mode, times=1).json()["mode"] == mode

    answer = push(simulator, key="k1")

    assert answer.status_code == status
    assert len(simulator.app.extensions["journal"].received) == applied
    assert answer.json().get("data", {}).get("duplicate") == duplicate
    assert push(simulator).status_code == 200


def test_a_wrong_order_to_misbehave_is_refused(simulator: Running) -> None:
    answer = control(simulator, mode="explode")

    assert (answer.status_code, answer.json()["message"]) == (422, "未知的应答方式")
    assert get(simulator, "/control").json()["mode"] == "normal"


def test_receipts_survive_a_restart(config: SimulatorConfig, simulator: Running) -> None:
    first = push(simulator, key="k1").json()["data"]
    restarted = Running(create_simulator(config))
    again = push(restarted, key="k1").json()["data"]
    restarted.close()
    restarted.app.extensions["journal"].close()

    assert again == {"receipt_no": first["receipt_no"], "duplicate": True}


def test_the_inbox_shows_what_came_escaped(simulator: Running) -> None:
    push(
        simulator,
        "return-requests",
        {
            "acceptance_no": "TS1",
            "external_ticket_no": "GZ1",
            "return_reason": "<script>alert(1)</script>",
            "reason_code": 1,
        },
    )

    inbox, page = get(simulator, "/").text, get(simulator, "/messages/1").text

    assert "退单申请" in inbox
    assert "TS1" in inbox
    assert "不属于12317业务范围" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "必填字段齐全" in page
    assert get(simulator, "/messages/2").status_code == 404


def test_pages_work_under_a_strict_content_policy(simulator: Running) -> None:
    push(simulator, "extension-requests")
    for path in ("/", "/messages/1"):
        page = get(simulator, path)
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert " style=" not in page.text
        assert not re.search(r"<script(?! src=)", page.text)
    css = get(simulator, "/static/simulator.css")
    assert css.status_code == 200
    assert "url(" not in css.text


def test_a_sample_is_submitted_signed_and_its_receipt_is_shown(
    simulator: Running, hotline: Running
) -> None:
    page = post_form(simulator, "/submit", sample="gz-housing").text

    assert "TS5200002026112300042S" in page
    assert "未能识别区划" in page
    assert "危房改造" in page
    assert hotline.app.extensions["seen"] == [("POST", "/openapi/v1/complaints")]
    assert "办理中" in get(simulator, "/submissions/1?state=1").text
    assert "TS5200002026112300042S" in get(simulator, "/").text
    assert get(simulator, "/submissions/2").status_code == 404
    assert post_form(simulator, "/submit", sample="none").status_code == 404


@pytest.mark.parametrize(
    ("sample", "table", "shown"),
    [
        ("cq-disaster", "declarations", "因自然灾害"),
        ("gz-loan", "consultations", "社会公众"),
        ("cq-guardrail", "consultations", "建议"),
    ],
)
def test_a_sample_goes_to_the_address_of_its_table(
    simulator: Running, hotline: Running, sample: str, table: str, shown: str
) -> None:
    page = post_form(simulator, "/submit", sample=sample).text

    assert hotline.app.extensions["seen"] == [("POST", f"/openapi/v1/{table}")]
    assert shown in page


def test_a_refused_sample_shows_every_error(simulator: Running) -> None:
    page = post_form(simulator, "/submit", sample="gz-wages").text

    assert "未受理" in page
    assert "数据校验不通过" in page
    assert "内容过长" in page


def test_an_unreachable_platform_is_said_in_words(config: SimulatorConfig, tmp_path: Path) -> None:
    alone = replace(config, platform_url="http://127.0.0.1:1", journal=tmp_path / "other.jsonl")
    running = Running(create_simulator(alone))
    page = post_form(running, "/submit", sample="cq-road").text
    running.close()
    running.app.extensions["journal"].close()

    assert "无法连接12317平台" in page


@pytest.mark.parametrize(
    ("operation", "approved", "path"),
    [
        ("return-requests", "1", "return-decision"),
        ("extension-requests", "2", "extension-decision"),
    ],
)
def test_a_request_is_decided_from_its_page(
    simulator: Running, hotline: Running, operation: str, approved: str, path: str
) -> None:
    push(simulator, operation)

    page = post_form(simulator, "/messages/1/decide", approved=approved, opinion="请补充材料").text

    assert ("POST", f"/openapi/v1/tickets/TS1/{path}") in hotline.app.extensions["seen"]
    assert "请补充材料" in page
    assert ("不同意：" in page) is (approved == "2")


def test_fewer_days_may_be_granted(simulator: Running, hotline: Running) -> None:
    push(simulator, "extension-requests", {"acceptance_no": "TS1", "extension_days": 10})

    asked = get(simulator, "/messages/1").text
    page = post_form(simulator, "/messages/1/decide", approved="1", approved_days="5").text

    assert "不填即按申请的10天" in asked
    assert hotline.app.extensions["seen"][-1] == (
        "POST",
        "/openapi/v1/tickets/TS1/extension-decision",
    )
    assert "同意：同意" in page


def test_a_request_that_was_taken_back_says_so(simulator: Running) -> None:
    request_no = {"acceptance_no": "TS1", "request_no": "TS1-E1"}
    push(simulator, "extension-requests", request_no)
    assert "已撤销" not in get(simulator, "/messages/1").text

    push(simulator, "request-cancellations", {**request_no, "reason": "不再需要延期"})

    assert "12317已撤销此申请：不再需要延期" in get(simulator, "/messages/1").text


def test_a_status_event_is_called_by_what_happened(simulator: Running) -> None:
    push(simulator, "status-events", {"acceptance_no": "TS1", "event": "extended"})

    assert "状态通知 · 已延期" in get(simulator, "/").text
    assert "状态通知 · 已延期" in get(simulator, "/messages/1").text


@pytest.mark.parametrize(
    ("key", "values", "path"),
    [
        ("supplement", {"content": "另有转账记录"}, "supplements"),
        ("urge", {"content": "询问办理进展"}, "urges"),
        ("withdraw", {"reason": "问题已解决"}, "withdrawals"),
        ("callback", {"satisfaction": "3", "solved": "2", "opinion": "补贴未到账"}, "callbacks"),
        ("rework", {"reason": "补贴未到账"}, "rework-requests"),
    ],
)
def test_what_follows_a_ticket_is_sent_from_its_page(
    simulator: Running, hotline: Running, key: str, values: dict[str, str], path: str
) -> None:
    post_form(simulator, "/submit", sample="gz-housing")
    number = "TS5200002026112300042S"

    send = f"/tickets/{number}/{key}?submission=1"
    pages = [post_form(simulator, send, **values).text for _ in range(2)]

    seen = ("POST", f"/openapi/v1/tickets/{number}/{path}")
    assert hotline.app.extensions["seen"].count(seen) == 2
    first, second = hotline.app.extensions["keys"]
    assert first != second  # each press is meant
    for page in pages:
        assert "后续消息" in page
        assert next(reversed(values.values())) in page
    assert "后续消息" in get(simulator, "/").text


def test_a_refused_follow_up_says_why(simulator: Running, hotline: Running) -> None:
    post_form(simulator, "/submit", sample="gz-housing")
    send = "/tickets/TS5200002026112300042S/withdraw?submission=1"

    page = post_form(simulator, send, reason="重复撤回").text

    assert "工单当前为“已撤回”" in page
    assert post_form(simulator, send, reason=" ").status_code == 422
    assert post_form(simulator, "/tickets/TS1/bribe?submission=1").status_code == 404


def test_a_message_offers_what_answers_it(simulator: Running, hotline: Running) -> None:
    push(simulator, "supplement-requests")
    push(simulator, "results/declarations")
    push(simulator, "status-events")

    wanted, result, event = (get(simulator, f"/messages/{no}").text for no in (1, 2, 3))
    page = post_form(simulator, "/tickets/TS1/supplement?message=1", content="另有转账记录").text

    assert "补充材料" in wanted
    assert "满意度" in result
    assert "要求重办" in result
    assert "签名并发送" not in event
    assert "另有转账记录" in page


def test_a_call_is_announced(simulator: Running, hotline: Running) -> None:
    values = {"caller_number": "13800001234", "from_operator": "GZ12345-0231"}

    page = post_form(simulator, "/calls", **values).text

    assert hotline.app.extensions["seen"] == [("POST", "/openapi/v1/calls")]
    assert "来电预告" in page
    assert "HW1" in page


def test_only_requests_are_decided(simulator: Running) -> None:
    push(simulator, "status-events")

    assert post_form(simulator, "/messages/1/decide", approved="1").status_code == 404


def test_forms_of_other_sites_are_refused(simulator: Running) -> None:
    assert post_form(simulator, "/control", "https://evil.example", mode="fail").status_code == 403
    assert post_form(simulator, "/control", simulator.url, mode="fail").status_code == 200
    assert get(simulator, "/control").json()["mode"] == "fail"


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SM3"])
def test_the_client_speaks_every_operation(hotline: Running, tmp_path: Path, method: str) -> None:
    file = tmp_path / "调查 报告.pdf"
    file.write_bytes(b"%PDF-1.7")
    with PartnerClient(hotline.url + "/", "gz12345", SECRET, method) as client:
        submitted = client.submit_complaint({"external_ticket_no": "GZ1", "content": "危房"})
        uploaded = client.upload_attachment(file)
        again = client.upload_attachment(b"plain", "说明.txt")
        children = client.divisions("520000000000")
        roots = client.divisions()
        table = client.code_table("problem_category")
        ticket = client.ticket("TS1")
        returned = client.decide_return("TS1", approved=False, opinion="不同意")
        extended = client.decide_extension("TS1", approved=True, opinion="同意")
        fewer = client.decide_extension("TS1", approved=True, opinion="同意", approved_days=5)
        second = client.decide_return("TS1", approved=True, opinion="同意", request_no="TS1-R2")
        supplied = client.supplement("TS1", "另有转账记录", ["att_1"])
        urged = client.urge("TS1", "询问进展")
        withdrawn = client.withdraw("TS1", "问题已解决", key="k" * 16)
        called_back = client.report_callback("TS1", 3, solved=False)
        reworked = client.ask_rework("TS1", "补贴未到账")
        announced = client.announce_call("C1", "13800001234", "GZ12345-0231")
        spoiled = client.request("GET", "/divisions", changed_headers={"X-Nonce": "m" * 16})

    assert (submitted.status, submitted.ok) == (201, True)
    assert uploaded.data == {"attachment_id": "调查 报告.pdf", "size": 8}
    assert again.data == {"attachment_id": "说明.txt", "size": 5}
    assert children.data["query"] == {"parent_code": "520000000000"}
    assert roots.data["query"] == {}
    assert table.data["path"] == "code-tables/problem_category"
    assert ticket.data["status"] == "办理中"
    assert returned.data == {"approved": 2, "opinion": "不同意"}
    assert second.data == {"approved": 1, "opinion": "同意", "request_no": "TS1-R2"}
    assert extended.data == {"approved": 1, "opinion": "同意"}
    assert fewer.data == {"approved": 1, "opinion": "同意", "approved_days": 5}
    assert supplied.data == {"content": "另有转账记录", "attachments": ["att_1"]}
    assert urged.data == {"content": "询问进展"}
    assert withdrawn.data == {"reason": "问题已解决"}
    assert hotline.app.extensions["keys"].count("k" * 16) == 1
    assert called_back.data == {"satisfaction": 3, "solved": False}
    assert reworked.data == {"reason": "补贴未到账"}
    assert announced.data["acceptance_no"] == "HW1"
    assert (spoiled.ok, spoiled.envelope["code"]) == (False, "SIGNATURE_INVALID")


def test_an_answer_that_is_not_json_is_not_a_success(simulator: Running) -> None:
    with PartnerClient(simulator.url, "gz12345", SECRET) as client:
        answer = client.get("/divisions")

    assert (answer.ok, answer.status, answer.envelope["code"]) == (False, 404, "NOT_JSON")


def test_the_server_is_ready_made(config: SimulatorConfig) -> None:
    http = simulator_server.server(config)

    assert http.server_port > 0
    http.server_close()
    http.app.extensions["journal"].close()
