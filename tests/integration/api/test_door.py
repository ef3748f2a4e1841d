"""The door of `/openapi/v1`: how often, how much, and nothing read before the head is right."""

import secrets
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from app.demo import sample_report
from app.exchange import limits, signature
from tests.support.journey import World, complaint
from tests.support.limits import forget_failures

ATTACHMENTS = "/openapi/v1/attachments"


@pytest.fixture
def heard_again(world: World) -> Iterator[None]:
    """What others have done to the address of all tests is forgotten, and what this one does."""
    forget_failures(world)
    yield
    forget_failures(world)


def head(world: World, length: int, **changed: str) -> bytes:
    """The head of an upload, without a body behind it."""
    signed = signature.sign(
        "POST",
        ATTACHMENTS,
        app_id=world.app_id,
        secret=world.secret,
        timestamp=round(time.time() * 1000),
        nonce=secrets.token_hex(16),
        body=b"something else",
    )
    lines = [
        f"POST {ATTACHMENTS} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {length}",
        *(f"{name}: {value}" for name, value in {**signed, **changed}.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_to(world: World, sent: bytes) -> bytes:
    """What comes back while nothing but this was sent."""
    parts = urlsplit(world.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(sent)
        came = b""
        while b'"request_id"' not in came and (more := connection.recv(65536)):
            came += more
        return came


def test_a_platform_that_calls_too_often_is_told_how_long_to_wait(world: World) -> None:
    world.settings(requests_per_minute=1, request_burst=2)
    number = world.submit()
    assert world.partner.ticket(number).status == 200

    refused = world.partner.ticket(number)
    raw = httpx.get(
        f"{world.address}/openapi/v1/divisions",
        headers=signature.sign(
            "GET",
            "/openapi/v1/divisions",
            app_id=world.app_id,
            secret=world.secret,
            timestamp=round(time.time() * 1000),
            nonce=secrets.token_hex(16),
        ),
        trust_env=False,
    )

    assert (refused.status, refused.envelope["code"]) == (429, "RATE_LIMITED")
    assert 55 <= refused.envelope["retry_after"] <= 60
    assert raw.headers["Retry-After"] == str(raw.json()["retry_after"])
    world.settings(requests_per_minute=600, request_burst=200)
    assert world.partner.ticket(number).status == 200


def test_a_request_that_was_limited_may_be_sent_again_as_it_is(world: World) -> None:
    world.settings(requests_per_minute=1, request_burst=1)
    world.submit()
    body = orjson.dumps(complaint())
    headers = signature.sign(
        "POST",
        "/openapi/v1/complaints",
        app_id=world.app_id,
        secret=world.secret,
        timestamp=round(time.time() * 1000),
        nonce=secrets.token_hex(16),
        body=body,
    )
    url = f"{world.address}/openapi/v1/complaints"
    with httpx.Client(trust_env=False) as http:
        assert http.post(url, content=body, headers=headers).status_code == 429

        world.settings(requests_per_minute=600, request_burst=200)

        assert http.post(url, content=body, headers=headers).status_code == 201


@pytest.mark.usefixtures("heard_again")
def test_an_address_that_only_guesses_is_put_off_and_shuts_nobody_else_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 3)
    guess = {"X-Signature": "0" * 64}
    number = world.submit()

    told = [
        world.partner.request("GET", "/divisions", changed_headers=guess).status for _ in range(5)
    ]

    assert told == [401, 401, 401, 429, 429]
    assert world.partner.ticket(number).status == 200  # a right signature from the same address


def test_a_file_is_not_waited_for_before_its_sender_is_known(world: World) -> None:
    stranger = answer_to(world, head(world, 40_000_000, **{"X-App-Id": "nobody"}))
    late = answer_to(world, head(world, 40_000_000, **{"X-Timestamp": "1000000000000"}))
    unsigned = answer_to(
        world,
        b"POST /openapi/v1/attachments HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n",
    )
    large = answer_to(world, head(world, 400_000_000))

    assert b"SIGNATURE_INVALID" in stranger
    assert b"TIMESTAMP_SKEW" in late
    assert b"SIGNATURE_INVALID" in unsigned
    assert b"FILE_TOO_LARGE" in large


def test_a_file_that_is_not_the_signed_one_is_refused(world: World) -> None:
    report = sample_report()
    assert world.partner.upload_attachment(report, "报告.docx").status == 201

    changed = world.partner.request(
        "POST",
        "/attachments",
        body=b"--b--",
        content_type="multipart/form-data; boundary=b",
        changed_headers={"X-Body-Digest": signature.body_digest(b"other", "HMAC-SHA256")},
    )
    other_body = httpx.post(
        f"{world.address}{ATTACHMENTS}",
        files={"file": ("报告.docx", report)},
        headers=signature.sign(
            "POST",
            ATTACHMENTS,
            app_id=world.app_id,
            secret=world.secret,
            timestamp=round(time.time() * 1000),
            nonce=secrets.token_hex(16),
            body=b"another body",
        ),
        trust_env=False,
    )

    assert (changed.status, other_body.status_code) == (401, 401)
    assert other_body.json()["code"] == "SIGNATURE_INVALID"


def test_what_follows_a_form_belongs_to_the_signed_body(world: World) -> None:
    form = httpx.Request("POST", "http://x", files={"file": ("报告.docx", sample_report())})
    body = form.read() + b"\r\n" + b" " * 200_000

    answer = world.partner.request(
        "POST", "/attachments", body=body, content_type=form.headers["Content-Type"]
    )

    assert answer.status == 201, answer.envelope
