"""Who may call, and the same question gets the same answer."""

import json
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from app.core.db import session, transact
from app.core.errors import HotlineError, Invalid
from app.exchange import inbound, partners, retention, signature
from app.exchange.errors import IdempotencyConflict, NonceReplay, SignatureInvalid
from app.exchange.models import IdempotencyKey, Nonce, Partner

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
PATH = "/openapi/v1/complaints"


@pytest.fixture
def caller(context: None) -> tuple[int, str, str]:
    """(partner id, app id, secret) of a new partner."""
    app_id = f"in-{uuid.uuid4().hex[:10]}"
    partner, secret = transact(
        lambda: partners.create(app_id, {"name": "贵州12345", "province_code": "520000"})
    )
    return partner.id, app_id, secret


def signed(app_id: str, secret: str, **changes: object) -> dict[str, str]:
    values = {
        "app_id": app_id,
        "secret": secret,
        "timestamp": round(NOW.timestamp() * 1000),
        "nonce": uuid.uuid4().hex,
        "body": b"{}",
        **changes,
    }
    return signature.sign("POST", PATH, **values)


def enter(headers: dict[str, str], ip: str = "10.1.2.3", body: bytes = b"{}") -> str:
    claim = signature.claim_of(headers)
    inbound.recognise(claim, "POST", PATH, "", ip, NOW)
    session().rollback()
    if not signature.declares(claim, signature.body_digest(body, claim.sign_method)):
        raise SignatureInvalid
    return transact(lambda: inbound.enter(claim, NOW).app_id)


def refusal(headers: dict[str, str], **changes: object) -> tuple[int, str]:
    with pytest.raises(HotlineError) as refused:
        enter(headers, **changes)
    return refused.value.status, refused.value.code


@pytest.mark.parametrize("sign_method", signature.ALGORITHMS)
def test_a_signed_request_is_let_in(caller: tuple[int, str, str], sign_method: str) -> None:
    _, app_id, secret = caller

    assert enter(signed(app_id, secret, sign_method=sign_method)) == app_id


def test_the_same_request_is_not_let_in_twice(caller: tuple[int, str, str]) -> None:
    _, app_id, secret = caller
    headers = signed(app_id, secret)
    enter(headers)

    assert refusal(headers) == (401, "NONCE_REPLAY")


def test_a_nonce_of_a_rolled_back_request_may_be_used_again(caller: tuple[int, str, str]) -> None:
    _, app_id, secret = caller
    headers = signed(app_id, secret)

    def fail() -> None:
        inbound.enter(signature.claim_of(headers), NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(fail)

    assert enter(headers) == app_id


def test_parallel_replays_let_one_in(app: Flask, caller: tuple[int, str, str]) -> None:
    _, app_id, secret = caller
    headers = signed(app_id, secret)
    outcomes: list[str] = []

    def attempt() -> None:
        with app.app_context():
            try:
                outcomes.append(enter(headers))
            except NonceReplay as refused:
                outcomes.append(refused.code)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == sorted([app_id, *["NONCE_REPLAY"] * 3])


@pytest.mark.parametrize("seconds", [301, -301, 86400])
def test_an_old_or_early_request_is_refused(caller: tuple[int, str, str], seconds: int) -> None:
    _, app_id, secret = caller
    sent = round((NOW.timestamp() + seconds) * 1000)

    assert refusal(signed(app_id, secret, timestamp=sent)) == (401, "TIMESTAMP_SKEW")


def test_wrong_secret_unknown_app_and_changed_body_look_the_same(
    caller: tuple[int, str, str],
) -> None:
    _, app_id, secret = caller

    assert refusal(signed(app_id, "wrong")) == (401, "SIGNATURE_INVALID")
    assert refusal(signed("nobody", secret)) == (401, "SIGNATURE_INVALID")
    assert refusal(signed(app_id, secret), body=b"{ }") == (401, "SIGNATURE_INVALID")
    assert refusal(signed(app_id, secret, nonce="short")) == (401, "SIGNATURE_INVALID")
    assert refusal({}) == (401, "SIGNATURE_INVALID")


def test_a_method_the_partner_may_not_use_is_refused(caller: tuple[int, str, str]) -> None:
    partner_id, app_id, secret = caller
    transact(lambda: partners.update(partner_id, {"sign_methods": ["HMAC-SM3"]}))

    assert refusal(signed(app_id, secret)) == (401, "SIGNATURE_INVALID")
    assert enter(signed(app_id, secret, sign_method="HMAC-SM3")) == app_id


def test_a_disabled_partner_is_refused(caller: tuple[int, str, str]) -> None:
    partner_id, app_id, secret = caller
    transact(lambda: partners.update(partner_id, {"enabled": False}))

    assert refusal(signed(app_id, secret)) == (401, "APP_DISABLED")
    assert refusal(signed(app_id, "wrong")) == (401, "SIGNATURE_INVALID")


def test_only_listed_addresses_are_let_in(caller: tuple[int, str, str]) -> None:
    partner_id, app_id, secret = caller
    transact(lambda: partners.update(partner_id, {"ip_allow_list": ["10.1.0.0/16"]}))

    assert enter(signed(app_id, secret), ip="10.1.9.9") == app_id
    assert refusal(signed(app_id, secret), ip="10.2.0.1") == (403, "IP_NOT_ALLOWED")


def test_rotation_accepts_both_secrets_until_the_old_one_retires(
    caller: tuple[int, str, str],
) -> None:
    partner_id, app_id, old = caller
    new = transact(lambda: partners.rotate_secret(partner_id))
    assert enter(signed(app_id, old)) == enter(signed(app_id, new)) == app_id
    with pytest.raises(HotlineError, match="ROTATION_OPEN"):
        transact(lambda: partners.rotate_secret(partner_id))

    transact(lambda: partners.retire_old_secret(partner_id))

    assert refusal(signed(app_id, old)) == (401, "SIGNATURE_INVALID")
    assert enter(signed(app_id, new)) == app_id
    with pytest.raises(HotlineError, match="NOTHING_TO_RETIRE"):
        transact(lambda: partners.retire_old_secret(partner_id))


def test_secrets_are_not_readable_in_the_database(caller: tuple[int, str, str]) -> None:
    partner_id, _, secret = caller
    raw = (
        session()
        .connection()
        .exec_driver_sql("select secrets from partners where id = %s", (partner_id,))
    )

    assert secret.encode() not in bytes(raw.scalar_one())


def test_three_parallel_requests_do_the_work_once(app: Flask) -> None:
    client, key = "gz", uuid.uuid4().hex
    done: list[str] = []
    outcomes: list[tuple[object, bool]] = []

    def work() -> dict[str, str]:
        time.sleep(0.2)
        done.append(key)
        return {"acceptance_no": "TS1", "query_code": "482913"}

    def attempt() -> None:
        with app.app_context():
            outcomes.append(transact(lambda: inbound.idempotent(client, key, "h1", work)))

    threads = [threading.Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [key]
    assert sorted(duplicate for _, duplicate in outcomes) == [False, True, True]
    assert {str(answer) for answer, _ in outcomes} == {
        "{'acceptance_no': 'TS1', 'query_code': '482913'}"
    }


def test_a_waiting_request_does_the_work_when_the_first_one_failed(app: Flask) -> None:
    client, key = "gz", uuid.uuid4().hex
    inside = threading.Event()
    outcomes: list[object] = []

    def failing() -> None:
        inside.set()
        time.sleep(0.3)
        raise RuntimeError

    def first() -> None:
        with app.app_context(), pytest.raises(RuntimeError):
            transact(lambda: inbound.idempotent(client, key, "h1", failing))

    def second() -> None:
        inside.wait()
        with app.app_context():
            outcomes.append(transact(lambda: inbound.idempotent(client, key, "h1", lambda: "ok")))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [("ok", False)]


def test_the_same_key_with_another_content_is_a_conflict() -> None:
    key = uuid.uuid4().hex
    transact(lambda: inbound.idempotent("gz", key, "h1", lambda: {"n": 1}))

    with pytest.raises(IdempotencyConflict):
        transact(lambda: inbound.idempotent("gz", key, "h2", lambda: {"n": 2}))
    assert transact(lambda: inbound.idempotent("cq", key, "h2", lambda: {"n": 3})) == (
        {"n": 3},
        False,
    )
    assert (
        session().scalar(
            select(func.count()).select_from(IdempotencyKey).where(IdempotencyKey.key == key)
        )
        == 2
    )


def test_fingerprint_ignores_the_order_of_keys_only() -> None:
    first = inbound.fingerprint({"a": 1, "b": {"c": "贵", "d": [1, 2]}})

    assert first == inbound.fingerprint({"b": {"d": [1, 2], "c": "贵"}, "a": 1})
    assert first != inbound.fingerprint({"b": {"d": [2, 1], "c": "贵"}, "a": 1})
    assert len(first) == 64


def test_expired_nonces_are_forgotten_and_live_ones_kept() -> None:
    app_id = uuid.uuid4().hex
    ages = {"old": -timedelta(seconds=1), "live": timedelta(minutes=1)}
    transact(
        lambda: session().add_all(
            Nonce(app_id=app_id, nonce=name, expires_at=NOW + age) for name, age in ages.items()
        )
    )

    while transact(lambda: retention.forget_expired_nonces(NOW)):
        pass

    assert list(session().scalars(select(Nonce.nonce).where(Nonce.app_id == app_id))) == ["live"]


@pytest.mark.parametrize(
    ("profile", "fields"),
    [
        ({}, {"name", "province_code"}),
        ({"name": "一"}, {"name", "province_code"}),
        ({"province_code": "52"}, {"name", "province_code"}),
        ({"callback_base": "ftp://x"}, {"name", "province_code", "callback_base"}),
        (
            {
                "name": "贵州12345",
                "province_code": "520000",
                "sign_methods": ["MD5"],
                "callback_networks": ["10.0.0.0/99"],
                "ip_allow_list": [5],
                "page_origin": "https://a.example; script-src *",
                "paths": {"unknown": "/x"},
                "field_names": {"a": 1},
                "boolean_mapping": {"Y": "yes"},
                "anonymity_mode": "none",
                "enabled": "yes",
                "secrets": ["mine"],
            },
            {
                *("sign_methods", "callback_networks", "ip_allow_list", "page_origin", "paths"),
                *("field_names", "boolean_mapping", "anonymity_mode", "enabled", "secrets"),
            },
        ),
    ],
)
def test_a_wrong_profile_is_refused_with_all_its_fields(
    profile: dict[str, object], fields: set[str]
) -> None:
    app_id = f"bad-{uuid.uuid4().hex[:8]}"

    with pytest.raises(HotlineError) as refused:
        transact(lambda: partners.create(app_id, profile))

    assert {error.field for error in refused.value.errors} == fields
    assert session().scalar(select(Partner.id).where(Partner.app_id == app_id)) is None


def test_an_application_id_belongs_to_one_partner(caller: tuple[int, str, str]) -> None:
    with pytest.raises(HotlineError) as refused:
        transact(lambda: partners.create(caller[1], {"name": "另一家", "province_code": "500000"}))

    assert [error.rule for error in refused.value.errors] == ["unique"]


def test_what_is_nested_too_deep_to_be_written_again_is_refused_as_input() -> None:
    deep: Any = 1
    for _ in range(400):  # orjson reads 1024 levels and writes 254
        deep = [deep]

    with pytest.raises(Invalid) as refused:
        inbound.fingerprint({"unknown": orjson.loads(json.dumps(deep))})

    assert refused.value.errors[0].rule == "depth"
