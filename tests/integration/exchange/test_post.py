"""Platforms that answer badly: raw sockets that send what no decent server would."""

import socket
import threading
from collections.abc import Iterator

import pytest

from app.exchange import guard, post, rules


def request_to(port: int, **changes: object) -> post.Request:
    values = {
        "target": guard.take_apart(f"http://127.0.0.1:{port}/api"),
        "path": "/api/status-events",
        "body": b"{}",
        "idempotency_key": "k1",
        "app_id": "gz",
        "secret": "s",
        "sign_method": "HMAC-SHA256",
        "networks": (),
        "allow_private": True,
        **changes,
    }
    return post.Request(**values)


class Rude:
    """Answers the first connection with fixed bytes and remembers what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.asked = b""
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        with connection:
            while b"\r\n\r\n" not in self.asked:
                self.asked += connection.recv(65536)
            try:
                connection.sendall(self._answer)
            except OSError:
                return

    def close(self) -> None:
        self._thread.join()
        self._socket.close()


@pytest.fixture
def rude() -> Iterator[type[Rude]]:
    """Makes rude servers and closes them."""
    made: list[Rude] = []

    class Kept(Rude):
        def __init__(self, answer: bytes) -> None:
            super().__init__(answer)
            made.append(self)

    yield Kept
    for each in made:
        each.close()


def answer_of(server: Rude) -> rules.Answer:
    with post.client() as http:
        return post.post(request_to(server.port), http, timestamp=1795483800000)


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_redirects_are_not_followed(rude: type[Rude]) -> None:
    target = rude(http("200 OK", b'{"code":"0"}'))
    server = rude(http("302 Found", b"", f"Location: http://127.0.0.1:{target.port}/"))

    assert answer_of(server).status == 302
    assert target.asked == b""
    socket.create_connection(("127.0.0.1", target.port)).sendall(b"bye\r\n\r\n")


def test_a_huge_answer_is_cut_off(rude: type[Rude]) -> None:
    answer = answer_of(rude(http("200 OK", b" " * 5_000_000)))

    assert (answer.status, answer.error) == (200, "ANSWER_TOO_LARGE")


@pytest.mark.parametrize(
    ("raw", "status", "error"),
    [
        (b"", None, "CONNECTION_BROKEN"),
        (b"no http at all\r\n\r\n", None, "CONNECTION_BROKEN"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", None, "CONNECTION_BROKEN"),
        (http("200 OK", b"<html>"), 200, None),
        (http("200 OK", b'["0"]'), 200, None),
    ],
)
def test_a_broken_answer_is_a_failure_not_an_exception(
    rude: type[Rude], raw: bytes, status: int | None, error: str | None
) -> None:
    answer = answer_of(rude(raw))

    assert (answer.status, answer.error, answer.body) == (status, error, None)
    assert not rules.judge(answer).delivered


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("soon", 0), ("-5", 0)])
def test_retry_after_is_read(rude: type[Rude], header: str, seconds: int) -> None:
    answer = answer_of(rude(http("429 Too Many Requests", b"{}", f"Retry-After: {header}")))

    assert answer.retry_after.total_seconds() == seconds


def test_the_request_carries_key_host_and_signature(rude: type[Rude]) -> None:
    server = rude(http("200 OK", b'{"code":"0"}'))
    answer_of(server)

    asked = server.asked.decode().lower()
    assert asked.startswith("post /api/status-events http/1.1")
    for header in ("idempotency-key: k1", "x-app-id: gz", f"host: 127.0.0.1:{server.port}"):
        assert header in asked
    assert "x-signature: " in asked


def test_secrets_do_not_show_in_a_trace() -> None:
    shown = repr(request_to(1, secret="very-secret", body=b"personal"))

    assert "very-secret" not in shown
    assert "personal" not in shown
