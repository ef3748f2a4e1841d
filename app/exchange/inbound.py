"""The door for partners: who calls, and the same question gets the same answer."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.db import send, session, table_of
from app.core.errors import FieldError, Invalid
from app.core.sealed import keyring
from app.exchange import limits, rules, signature
from app.exchange.errors import (
    AppDisabled,
    IdempotencyConflict,
    IpNotAllowed,
    NonceReplay,
    SignatureInvalid,
    TimestampSkew,
)
from app.exchange.models import IdempotencyKey, Nonce, Partner, RateBucket

# Every request runs these; they are built once, on the tables themselves.
_NONCES, _KEYS = table_of(Nonce), table_of(IdempotencyKey)
_PARTNER = select(Partner).where(Partner.app_id == bindparam("app_id"))
_CALLER = select(
    Partner,
    select(RateBucket.full_at).where(RateBucket.key == bindparam("caller")).scalar_subquery(),
).select_from(
    select(literal(1).label("one"))
    .subquery()
    .outerjoin(Partner, Partner.app_id == bindparam("app_id"))
)
"""Always one row: a stranger's failures are looked at as well as a partner's."""
_TAKE_NONCE = insert(_NONCES).on_conflict_do_nothing().returning(_NONCES.c.nonce)
_TAKE_KEY = insert(_KEYS).on_conflict_do_nothing().returning(_KEYS.c.key)
_KEEP_ANSWER = update(_KEYS).where(
    _KEYS.c.client == bindparam("of_client"), _KEYS.c.key == bindparam("of_key")
)

_NOBODY = "0" * 64
"""Stands in for an unknown partner's secret, so that its refusal takes as long."""


def recognise(
    claim: signature.Claim,
    method: str,
    path: str,
    query: str,
    ip: str,
    now: datetime,
    *,
    by_browser: bool = False,
) -> Partner:
    """The partner who signed this request's head, or a refusal (401, 403, 429).

    1. fresh timestamp, 2. signature with a live secret and a method this partner may use; who has
    none is not even told so when its address has failed too often, 3. enabled, 4. address, unless
    its operator's browser brings what it signed. Writes nothing and has not seen the body: that it
    is the declared one is for the caller to check. `path` is decoded, `query` is raw.
    """
    if not rules.is_nonce(claim.nonce):
        raise SignatureInvalid
    if not rules.is_fresh(claim.timestamp, now):
        raise TimestampSkew
    asked = {"app_id": claim.app_id, "caller": rules.caller_key(ip)}
    partner, full_at = session().execute(_CALLER, asked).one()
    secrets = partner.secrets if partner is not None else [_NOBODY]
    right = signature.signs(claim, secrets, method=method, path=path, query=query)
    if partner is None or not right or claim.sign_method not in partner.sign_methods:
        limits.refuse_failing(full_at)
        raise SignatureInvalid
    if not partner.enabled:
        raise AppDisabled
    listed = partner.ip_allow_list and not by_browser
    if listed and not rules.in_networks(ip, partner.ip_allow_list):
        raise IpNotAllowed
    found: Partner = partner
    return found


def enter(claim: signature.Claim, now: datetime) -> Partner:
    """The partner of a request that was recognised, in the transaction that does its work.

    The nonce belongs to that transaction: a request that was refused or failed may be sent again as
    it is, because it changed nothing.
    """
    partner = session().scalar(_PARTNER, {"app_id": claim.app_id})
    if partner is None or not partner.enabled:
        raise AppDisabled
    _use_nonce(partner.app_id, claim.nonce, now)
    return partner


def fingerprint(payload: Any) -> str:
    """A keyed hash of a JSON value; order of keys and white space in the request do not matter.

    Invalid for a value nested deeper than can be written again (254 levels; 1024 can be read).
    """
    try:
        plain = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise Invalid([FieldError("", "depth", "内容嵌套层次过深")]) from None
    return hmac.new(keyring().hash_key, plain, hashlib.sha256).hexdigest()


def idempotent(
    client: str, key: str, request_hash: str, work: Callable[[], Any]
) -> tuple[Any, bool]:
    """Do `work` once for (client, key) and give a repeat the first answer: (answer, duplicate).

    The key's row is inserted first, so a request that comes at the same moment waits for this
    transaction and then reads its answer, or does the work itself when this one is rolled back. The
    same key with another `request_hash` is an IdempotencyConflict. `work` returns JSON data.
    """
    mine = session().execute(
        _TAKE_KEY, {"client": client, "key": key, "request_hash": request_hash}
    )
    where = (IdempotencyKey.client == client, IdempotencyKey.key == key)
    if mine.first() is None:
        known = session().execute(
            select(IdempotencyKey.request_hash, IdempotencyKey.response).where(*where)
        )
        first_hash, response = known.one()
        if not hmac.compare_digest(first_hash, request_hash):
            raise IdempotencyConflict
        return response, True
    response = work()
    send(_KEEP_ANSWER, {"of_client": client, "of_key": key, "response": response})
    return response, False


def _use_nonce(app_id: str, nonce: str, now: datetime) -> None:
    added = session().execute(
        _TAKE_NONCE,
        {"app_id": app_id, "nonce": nonce, "expires_at": now + rules.NONCE_MEMORY},
    )
    if added.first() is None:
        raise NonceReplay
