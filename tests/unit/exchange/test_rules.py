"""What an answer means, what is shown of it, what goes out in a platform's own words."""

from datetime import UTC, datetime, timedelta

import pytest

from app.exchange import rules
from app.exchange.rules import Answer

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "delivered", "final", "trouble", "reason"),
    [
        (Answer(5, 200, {"code": "0"}), True, False, False, ""),
        (Answer(5, 201, {"code": 0}), True, False, False, ""),
        (Answer(5, 200, {"code": False}), False, False, False, "CODE_NOT_ZERO"),
        (Answer(5, 200, {"code": "1"}), False, False, False, "CODE_NOT_ZERO"),
        (Answer(5, 200, {}), False, False, False, "CODE_NOT_ZERO"),
        (Answer(5, 200, None), False, False, True, "NOT_JSON"),
        (Answer(5, 200, error="ANSWER_TOO_LARGE"), False, False, True, "ANSWER_TOO_LARGE"),
        (Answer(5, 302, None), False, False, True, "HTTP_302"),
        (Answer(5, 400, {"code": "0"}), False, True, False, "HTTP_400"),
        (Answer(5, 401, None), False, True, True, "HTTP_401"),
        (Answer(5, 403, None), False, True, True, "HTTP_403"),
        (Answer(5, 404, None), False, True, False, "HTTP_404"),
        (Answer(5, 408, None), False, False, True, "HTTP_408"),
        (Answer(5, 409, None), False, False, False, "HTTP_409"),
        (Answer(5, 422, None), False, True, False, "HTTP_422"),
        (Answer(5, 425, None), False, False, True, "HTTP_425"),
        (Answer(5, 429, None), False, False, True, "HTTP_429"),
        (Answer(5, 500, {"code": "0"}), False, False, True, "HTTP_500"),
        (Answer(5, 503, None), False, False, True, "HTTP_503"),
        (Answer(5, error="TIMEOUT"), False, False, True, "TIMEOUT"),
        (Answer(5), False, False, True, "NO_ANSWER"),
    ],
)
def test_only_2xx_with_code_zero_is_delivery(
    answer: Answer, delivered: bool, final: bool, trouble: bool, reason: str
) -> None:
    verdict = rules.judge(answer)

    assert (verdict.delivered, verdict.final, verdict.destination_trouble, verdict.reason) == (
        delivered,
        final,
        trouble,
        reason,
    )


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        ({"data": {"receipt_no": "R1"}}, "R1"),
        ({"receipt_no": "R2"}, "R2"),
        ({"receipt_no": 7}, "7"),
        ({"data": [1]}, None),
        ({}, None),
        (None, None),
        ({"receipt_no": "x" * 500}, "x" * 128),
    ],
)
def test_receipt_is_found_at_the_top_or_in_data(body: dict | None, receipt: str | None) -> None:
    assert rules.receipt_no(body) == receipt


def test_masking_shows_only_what_is_known_to_be_harmless() -> None:
    body = {
        "acceptance_no": "TS1",
        "event_seq": 3,
        "investigators": [{"name": "张三", "phone": "13800001234"}],
        "petitioner_feedback": "12月9日电话告知李某某",
        "amount_involved": "12000.00",
        "new_field": "来电人住在三组",
        "data": {"receipt_no": "R1", "caller_number": 13800001234},
        "ok": True,
        "nothing": None,
    }

    shown = rules.masked(body)

    assert shown["acceptance_no"] == "TS1"
    assert shown["event_seq"] == 3
    assert shown["data"] == {"receipt_no": "R1", "caller_number": "***"}
    assert shown["investigators"] == [{"name": "***", "phone": "***"}]
    assert (shown["ok"], shown["nothing"]) == (True, None)
    text = str(shown)
    for secret in ("张三", "13800001234", "李某某", "三组", "12000"):
        assert secret not in text


def test_a_body_goes_out_in_the_platforms_words() -> None:
    body = {"acceptance_no": "TS1", "informed": True, "files": [{"name": "a.pdf", "final": False}]}

    out = rules.outgoing(
        body, {"acceptance_no": "slbh", "name": "wjm"}, {"是": True, "Y": True, "否": False}
    )

    assert out == {"slbh": "TS1", "informed": "是", "files": [{"wjm": "a.pdf", "final": "否"}]}


@pytest.mark.parametrize(
    ("shift", "fresh"),
    [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False)],
)
def test_a_timestamp_may_differ_by_five_minutes(shift: int, fresh: bool) -> None:
    sent = NOW + timedelta(seconds=shift)

    assert rules.is_fresh(str(round(sent.timestamp() * 1000)), NOW) is fresh


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.5", "9" * 40, "１７９５４８３８００", "nan"])
def test_a_strange_timestamp_is_not_fresh(text: str) -> None:
    assert not rules.is_fresh(text, NOW)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a" * 16, True),
        ("0123456789-_abcdefABCDEF", True),
        ("a" * 64, True),
        ("a" * 15, False),
        ("a" * 65, False),
        ("a" * 15 + " ", False),
        ("随" * 16, False),
        ("-" * 16, False),
    ],
)
def test_nonces_are_16_to_64_plain_characters(text: str, right: bool) -> None:
    assert rules.is_nonce(text) is right


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2400:3200::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_inner_addresses_are_not_public(address: str, public: bool) -> None:
    assert rules.is_public(address) is public


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.1.2.3", ["10.1.0.0/16"], True),
        ("10.2.2.3", ["10.1.0.0/16", "10.2.2.3"], True),
        ("10.2.2.4", ["10.1.0.0/16", "10.2.2.3"], False),
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], True),
        ("not an address", ["0.0.0.0/0"], False),
        ("10.1.2.3", [], False),
    ],
)
def test_networks_hold_addresses(address: str, networks: list[str], inside: bool) -> None:
    assert rules.in_networks(address, networks) is inside
