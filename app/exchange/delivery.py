"""The lane that delivers: lease → POST outside any transaction → write the outcome.

This module is an edge: only the scheduler, a command or a test calls it, and it opens its own
transactions. A crash after the POST loses nothing: the lease runs out, the message goes again under
the same Idempotency-Key, and the platform answers it as a duplicate.
"""

import os
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import httpx
import orjson
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from app.core import clock
from app.core.db import session, transact
from app.core.logs import logger
from app.exchange import circuit, guard, outbox, registry, rules
from app.exchange.models import DELIVERED, OutboundAttempt, OutboundMessage, Partner
from app.exchange.post import Request, client, post
from app.exchange.rules import Answer, Verdict
from app.workqueue import queries as workqueue_queries
from app.workqueue import rules as workqueue_rules
from app.workqueue import services as workqueue
from app.workqueue.errors import LeaseLost
from app.workqueue.registry import Item

LEASE_SECONDS = 120
"""Far longer than a POST can take (5 s connect + 10 s write + 20 s answer)."""
BATCH = 20


@dataclass(frozen=True)
class Call:
    """A leased item and the request it stands for."""

    item: Item
    owner: str
    message_id: int
    request: Request


def new_owner() -> str:
    """A name for one leaseholder, different on every call."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def due_destinations() -> list[str]:
    """Partners with something due that are enabled, are pushed to, and do not rest.

    Also frees the leases of dead nodes. Opens its own transaction.
    """
    return transact(_due_destinations)


def deliver_destination(
    dest: str, *, limit: int = BATCH, stop: Callable[[], bool] = lambda: False
) -> int:
    """Deliver up to `limit` messages of one partner, in order per ticket; returns how many tries.

    Ends early when nothing is due, when the partner begins to rest, or when `stop` says so.
    """
    owner = new_owner()
    tries = 0
    with client() as http:
        while tries < limit and not stop():
            call = transact(lambda: take(dest, owner))
            if call is None:
                break
            tries += 1
            verdict = deliver(call, http)
            if verdict.destination_trouble and transact(lambda: circuit.resting([dest])):
                break
    return tries


def deliver(call: Call, http: httpx.Client) -> Verdict:
    """POST one leased message and write what came of it."""
    answer = post(call.request, http, timestamp=round(clock.now().timestamp() * 1000))
    try:
        return transact(lambda: write_outcome(call, answer))
    except LeaseLost:
        logger().warning("lease_lost", message=call.message_id)
        return Verdict(False, "LEASE_LOST")
    except Exception as error:
        # The platform has it but our own side could not take the news: try again, it is idempotent.
        reason = f"OUTCOME_{getattr(error, 'code', type(error).__name__)}"
        logger().error("outcome_not_written", message=call.message_id, reason=reason)
        transact(lambda: _give_back(call, reason))
        return Verdict(False, reason)


def deliver_due(*, limit: int = BATCH) -> int:
    """Deliver what is due, one partner after the other (commands and tests); counts the tries."""
    return sum(deliver_destination(dest, limit=limit) for dest in due_destinations())


def take(dest: str, owner: str) -> Call | None:
    """Lease the next message of a partner and read what its request needs (first transaction).

    A message whose request cannot be made is put off like a failed one, and the next is tried.
    """
    while leased := workqueue.lease(outbox.LANE, 1, dest=dest, owner=owner, seconds=LEASE_SECONDS):
        item = leased[0]
        try:
            with session().begin_nested():
                message = _message(item)
                return Call(item, owner, message.id, _request(message))
        except DBAPIError:
            raise
        except Exception as error:
            reason = f"PREPARE_{type(error).__name__}"
            logger().error("message_not_prepared", item=item.id, dest=dest, reason=reason)
            if workqueue.fail(item, owner, reason):
                _mark_dead(item)
    return None


def write_outcome(call: Call, answer: Answer) -> Verdict:
    """Second transaction: fence, message, circuit, and the news to whoever registered for it."""
    verdict = rules.judge(answer)
    now = clock.now()
    item = call.item
    message = _message(item)
    if verdict.delivered:
        workqueue.finish(item, call.owner)
        dead = False
    else:
        dead = workqueue.fail(
            item,
            call.owner,
            verdict.reason,
            final=verdict.final,
            asked=answer.retry_after,
            pauses=outbox.pauses_of(message.partner),
        )
    session().add(
        OutboundAttempt(
            message_id=message.id,
            partner_id=message.partner_id,
            attempt=item.attempts,
            status=answer.status,
            ms=answer.ms,
            error=verdict.reason or None,
            request_masked=rules.masked(message.body),
            response_masked=rules.masked(answer.body),
            attempted_at=now,
        )
    )
    if verdict.destination_trouble:
        circuit.failed(item.dest, verdict.reason)
    else:
        circuit.recovered(item.dest)
    if verdict.delivered:
        message.state = DELIVERED
        message.receipt_no = rules.receipt_no(answer.body)
        message.acknowledged_at = now
        session().flush()
        registry.tell_acknowledged(message, now)
    elif dead:
        outbox.give_up(message, now)
    session().flush()
    logger().info(
        "delivery",
        message=message.id,
        dest=item.dest,
        operation=message.operation,
        attempt=item.attempts,
        status=answer.status,
        ms=answer.ms,
        reason=verdict.reason,
        dead=dead,
    )
    return verdict


class Deliver(Protocol):
    """`deliver_destination`, or another room's function that posts what one destination is owed."""

    def __call__(self, dest: str, *, stop: Callable[[], bool]) -> int:
        """Post what is due until `stop` says so; returns how many tries."""


class Couriers:
    """Delivers to several destinations at once: a slow one keeps only its own thread busy."""

    def __init__(
        self,
        app: Flask,
        due: Callable[[], list[str]] = due_destinations,
        deliver: Deliver = deliver_destination,
        *,
        threads: int = 16,
    ) -> None:
        self._app, self._due, self._post = app, due, deliver
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="courier")
        self._busy: set[str] = set()
        self._lock = Lock()
        self._stopping = False

    def tick(self) -> list[Future[int]]:
        """Send a courier to every due destination that has none; does not wait for them."""
        with self._app.app_context():
            dests = self._due()
        sent = []
        for dest in dests:
            with self._lock:
                if self._stopping or dest in self._busy:
                    continue
                self._busy.add(dest)
                sent.append(self._pool.submit(self._deliver, dest))
        return sent

    def stop(self) -> None:
        """Let every courier finish the message in hand, and send no more."""
        with self._lock:
            self._stopping = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, dest: str) -> int:
        try:
            with self._app.app_context():
                return self._post(dest, stop=lambda: self._stopping)
        except Exception as error:
            logger().error("courier_failed", dest=dest, reason=type(error).__name__)
            return 0
        finally:
            with self._lock:
                self._busy.discard(dest)


def _due_destinations() -> list[str]:
    for item in workqueue.take_back_expired(outbox.LANE):
        if workqueue_rules.is_final(item.attempts, item.max_attempts):
            _mark_dead(item)
    dests = workqueue_queries.due_destinations(outbox.LANE)
    if not dests:
        return []
    open_for = session().scalars(
        select(Partner.app_id).where(
            Partner.app_id.in_(dests),
            Partner.enabled,
            Partner.delivery == rules.PUSH,
            Partner.callback_base.is_not(None),
        )
    )
    return sorted(set(open_for) - circuit.resting(dests))


def _request(message: OutboundMessage) -> Request:
    partner = message.partner
    target = guard.take_apart(partner.callback_base or "")
    path = partner.paths.get(message.operation, message.operation).lstrip("/")
    body = registry.body_to_send(message)
    return Request(
        target=target,
        path=f"{target.base_path}/{path}",
        body=orjson.dumps(body),
        idempotency_key=message.idempotency_key,
        app_id=partner.app_id,
        secret=partner.secrets[0],
        sign_method=partner.sign_methods[0],
        networks=tuple(partner.callback_networks),
        allow_private=current_app.config["SETTINGS"].allow_private_callbacks,
    )


def _give_back(call: Call, reason: str) -> None:
    try:
        dead = workqueue.fail(call.item, call.owner, reason)
    except LeaseLost:
        return
    if dead:
        _mark_dead(call.item)


def _mark_dead(item: Item) -> None:
    outbox.give_up(_message(item), clock.now())


def _message(item: Item) -> OutboundMessage:
    return (
        session()
        .scalars(
            select(OutboundMessage)
            .where(OutboundMessage.id == item.payload["message_id"])
            .options(joinedload(OutboundMessage.partner))
            .with_for_update(of=OutboundMessage)
        )
        .one()
    )
