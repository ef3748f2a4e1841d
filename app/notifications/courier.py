"""Takes messages to the hooks: lease → POST outside any transaction → write the outcome.

An edge like the exchange's: it opens its own transactions, and a crash between the two sends the
message again under its id, by which the gateway knows the repeat.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import orjson
from flask import current_app
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.db import session, transact
from app.core.logs import logger
from app.exchange import circuit, guard, rules
from app.exchange.delivery import BATCH, LEASE_SECONDS, new_owner
from app.exchange.post import Request, client, post
from app.exchange.rules import Answer, Verdict
from app.notifications import queries
from app.notifications.models import (
    DEAD,
    DELIVERED,
    LANE,
    NotificationHook,
    NotificationMessage,
)
from app.workqueue import queries as workqueue_queries
from app.workqueue import rules as workqueue_rules
from app.workqueue import services as workqueue
from app.workqueue.errors import LeaseLost
from app.workqueue.registry import Item

SIGNED_WITH = "HMAC-SHA256"


@dataclass(frozen=True)
class Call:
    """A leased message and the request it stands for."""

    item: Item
    owner: str
    request: Request


def due_destinations() -> list[str]:
    """Hooks that are on, have something due and do not rest. Frees the leases of dead nodes."""
    return transact(_due_destinations)


def deliver_destination(
    dest: str, *, limit: int = BATCH, stop: Callable[[], bool] = lambda: False
) -> int:
    """Post up to `limit` messages of a hook; returns how many tries."""
    owner, tries = new_owner(), 0
    with client() as http:
        while tries < limit and not stop():
            call = transact(lambda: take(dest, owner))
            if call is None:
                break
            tries += 1
            verdict = _deliver(call, http)
            if verdict.destination_trouble and transact(lambda: circuit.resting([dest])):
                break
    return tries


def deliver_due(*, limit: int = BATCH) -> int:
    """Post what is due, one hook after the other (commands and tests); counts the tries."""
    return sum(deliver_destination(dest, limit=limit) for dest in due_destinations())


def take(dest: str, owner: str) -> Call | None:
    """Lease a hook's next message and read what its request needs (first transaction).

    One whose request cannot be made is put off like a failed one, and the next is tried.
    """
    while leased := workqueue.lease(LANE, 1, dest=dest, owner=owner, seconds=LEASE_SECONDS):
        (item,) = leased
        try:
            with session().begin_nested():
                return Call(item, owner, _request(_message(item)))
        except DBAPIError:
            raise
        except Exception as error:
            reason = f"PREPARE_{type(error).__name__}"
            logger().error("message_not_prepared", item=item.id, dest=dest, reason=reason)
            if workqueue.fail(item, owner, reason):
                _message(item).state = DEAD
    return None


def _deliver(call: Call, http: httpx.Client) -> Verdict:
    answer = post(call.request, http, timestamp=round(clock.now().timestamp() * 1000))
    try:
        return transact(lambda: write_outcome(call, answer))
    except LeaseLost:
        logger().warning("lease_lost", message=call.request.idempotency_key)
        return Verdict(False, "LEASE_LOST")


def write_outcome(call: Call, answer: Answer) -> Verdict:
    """Second transaction: fence, message, circuit."""
    verdict, item = rules.judge(answer), call.item
    if verdict.delivered:
        workqueue.finish(item, call.owner)
        dead = False
    else:
        dead = workqueue.fail(
            item, call.owner, verdict.reason, final=verdict.final, asked=answer.retry_after
        )
    message = _message(item)
    message.reason = verdict.reason or None
    if verdict.delivered:
        message.state, message.delivered_at = DELIVERED, clock.now()
    elif dead:
        message.state = DEAD
    if verdict.destination_trouble:
        circuit.failed(item.dest, verdict.reason)
    else:
        circuit.recovered(item.dest)
    session().flush()
    logger().info(
        "notification",
        message=str(message.id),
        dest=item.dest,
        attempt=item.attempts,
        status=answer.status,
        ms=answer.ms,
        reason=verdict.reason,
        dead=dead,
    )
    return verdict


def _due_destinations() -> list[str]:
    for item in workqueue.take_back_expired(LANE):
        if workqueue_rules.is_final(item.attempts, item.max_attempts):
            _message(item).state = DEAD
    dests = workqueue_queries.due_destinations(LANE)
    if not dests:
        return []
    on = {hook.dest for hook in queries.hooks_by_province().values()}
    return sorted(set(dests) & on - circuit.resting(dests))


def _request(message: NotificationMessage) -> Request:
    hook = session().get_one(NotificationHook, message.hook_unit_id)
    target = guard.take_apart(hook.url)
    return Request(
        target=target,
        path=target.base_path or "/",
        body=orjson.dumps(message.body),
        idempotency_key=str(message.id),
        app_id=hook.app_id,
        secret=hook.secrets[0],
        sign_method=SIGNED_WITH,
        networks=tuple(hook.networks),
        allow_private=current_app.config["SETTINGS"].allow_private_callbacks,
    )


def _message(item: Item) -> NotificationMessage:
    return session().get_one(NotificationMessage, item.payload["message_id"], with_for_update=True)
