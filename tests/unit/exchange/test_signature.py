"""Signatures, checked against values computed by Python's hmac and by OpenSSL's command line."""

import pytest

from app.exchange import signature
from app.exchange.errors import SignatureInvalid

BODY = b'{"a":1}'
CALL = {"method": "POST", "path": "/openapi/v1/complaints", "query": "b=贵&a=2&a=1", "body": BODY}
VECTORS = {
    "HMAC-SHA256": (
        "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
        "2b4f0009793f52e6255e7e3451e45682871bdc79d31109147f9860aff6559c48",
    ),
    "HMAC-SM3": (
        "d646a76e347ce7c1a4c11acff67604928ccfaf03fc2e4fb8faaf5b2b1227605a",
        "9b3ca99604f8799af2ac08c554fdd8eebff0870c9a5662c2a5c4ebb413cd3c6a",
    ),
}


def signed(sign_method: str = "HMAC-SHA256", **changes: object) -> dict[str, str]:
    values = {
        "query": CALL["query"],
        "body": BODY,
        "app_id": "gz12345",
        "secret": "secret-1",
        "timestamp": 1795483800000,
        "nonce": "0123456789abcdef",
        "sign_method": sign_method,
        **changes,
    }
    return signature.sign("POST", "/openapi/v1/complaints", **values)


def accepted(headers: dict[str, str], secrets: list[str], **changes: object) -> bool:
    claim = signature.claim_of(headers)
    return signature.matches(claim, secrets, **{**CALL, **changes})


@pytest.mark.parametrize("sign_method", VECTORS)
def test_signature_equals_the_independently_computed_one(sign_method: str) -> None:
    digest, mac = VECTORS[sign_method]

    headers = signed(sign_method)

    assert headers["X-Body-Digest"] == digest
    assert headers["X-Signature"] == mac
    assert headers["X-Sign-Method"] == sign_method


@pytest.mark.parametrize("sign_method", VECTORS)
def test_own_signature_is_accepted(sign_method: str) -> None:
    assert accepted(signed(sign_method), ["secret-1"])


def test_either_live_secret_is_accepted_during_a_rotation() -> None:
    assert accepted(signed(secret="old"), ["old", "new"])
    assert accepted(signed(secret="new"), ["old", "new"])
    assert not accepted(signed(secret="older"), ["old", "new"])


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET"},
        {"path": "/openapi/v1/consultations"},
        {"query": "b=贵&a=2&a=3"},
        {"query": ""},
        {"body": b'{"a":2}'},
        {"body": b""},
    ],
)
def test_a_changed_request_is_not_accepted(changes: dict[str, object]) -> None:
    assert not accepted(signed(), ["secret-1"], **changes)


@pytest.mark.parametrize("header", ["X-App-Id", "X-Timestamp", "X-Nonce"])
def test_a_changed_header_is_not_accepted(header: str) -> None:
    headers = signed()
    headers[header] = headers[header][:-1] + ("0" if headers[header][-1] != "0" else "1")

    assert not accepted(headers, ["secret-1"])


def test_a_digest_of_another_body_is_not_accepted() -> None:
    headers = signed()
    headers["X-Body-Digest"] = "0" * 64

    assert not accepted(headers, ["secret-1"])


def test_swapping_the_algorithm_is_not_accepted() -> None:
    headers = {**signed("HMAC-SM3"), "X-Sign-Method": "HMAC-SHA256"}

    assert not accepted(headers, ["secret-1"])


@pytest.mark.parametrize(
    "spoiled",
    [
        {"X-Signature": ""},
        {"X-App-Id": ""},
        {"X-Sign-Method": "MD5"},
        {"X-Sign-Method": "NONE"},
        {"X-Signature": "签名"},
    ],
)
def test_missing_or_strange_headers_are_refused(spoiled: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        signature.claim_of({**signed(), **spoiled})


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=10&a=1", "a=1&a=10&a=2"),
        ("q=a b", "q=a%20b"),
        ("q=a+b", "q=a%20b"),
        ("q=%E8%B4%B5", "q=%E8%B4%B5"),
        ("q=~-._", "q=~-._"),
        ("empty=&flag", "empty=&flag="),
    ],
)
def test_queries_have_one_canonical_form(query: str, canonical: str) -> None:
    assert signature.canonical_query(query) == canonical
