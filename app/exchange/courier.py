"""Takes messages out: lease → POST outside any transaction → write the outcome.

A courier is an edge: only the scheduler, a command or a test calls it, and it opens its own
transactions. A crash after the POST loses nothing: the lease runs out, the message goes again under
the same Idempotency-Key, and the receiver knows the repeat.
"""

import os
import secrets
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, ClassVar, Generic, TypeVar

import httpx
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.db import session, transact
from app.core.logs import logger
from app.exchange import circuit, rules
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

Message = TypeVar("Message")


@dataclass(frozen=True)
class Call:
    """A leased item and the request it stands for."""

    item: Item
    owner: str
    request: Request


def new_owner() -> str:
    """A name for one leaseholder, different on every call."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Courier(ABC, Generic[Message]):
    """One lane of the work queue whose items are messages to somebody's address."""

    lane: ClassVar[str]
    event: ClassVar[str]
    """What the log calls a try."""

    @abstractmethod
    def message(self, item: Item) -> Message:
        """The message of an item, its row locked."""

    @abstractmethod
    def reachable(self, dests: Collection[str]) -> set[str]:
        """Those of the destinations that take messages at present."""

    @abstractmethod
    def request(self, message: Message) -> Request:
        """The POST that a message stands for."""

    @abstractmethod
    def settle(self, message: Message, item: Item, answer: Answer, verdict: Verdict) -> None:
        """Write down what came of a try; a message that died is given up beside it."""

    @abstractmethod
    def give_up(self, message: Message, now: datetime) -> None:
        """Write down that a message goes no more by itself."""

    def pauses(self, message: Message) -> Sequence[timedelta]:
        """How long to wait after each try in vain."""
        return workqueue_rules.BACK_OFF

    def due_destinations(self) -> list[str]:
        """Destinations with something due that take messages and do not rest.

        Also frees the leases of dead nodes. Opens its own transaction.
        """
        return transact(self._due_destinations)

    def deliver_due(self, *, limit: int = BATCH) -> int:
        """Deliver what is due, one destination after the other (commands and tests); the tries."""
        return sum(self.deliver_destination(dest, limit=limit) for dest in self.due_destinations())

    def deliver_destination(
        self, dest: str, *, limit: int = BATCH, stop: Callable[[], bool] = lambda: False
    ) -> int:
        """Deliver up to `limit` messages of one destination in their order; returns how many tries.

        Ends early when nothing is due, when the destination begins to rest, or when `stop` says so.
        """
        owner, tries = new_owner(), 0
        with client() as http:
            while tries < limit and not stop():
                call = transact(lambda: self.take(dest, owner))
                if call is None:
                    break
                tries += 1
                verdict = self.deliver(call, http)
                if verdict.destination_trouble and transact(lambda: circuit.resting([dest])):
                    break
        return tries

    def take(self, dest: str, owner: str) -> Call | None:
        """Lease the next message and read what its request needs (first transaction).

        One whose request cannot be made is put off like a failed one, and the next is tried.
        """
        while leased := workqueue.lease(
            self.lane, 1, dest=dest, owner=owner, seconds=LEASE_SECONDS
        ):
            (item,) = leased
            try:
                with session().begin_nested():
                    return Call(item, owner, self.request(self.message(item)))
            except DBAPIError:
                raise
            except Exception as error:
                reason = f"PREPARE_{type(error).__name__}"
                logger().error("message_not_prepared", item=item.id, dest=dest, reason=reason)
                if workqueue.fail(item, owner, reason):
                    self.give_up(self.message(item), clock.now())
        return None

    def deliver(self, call: Call, http: httpx.Client) -> Verdict:
        """POST one leased message and write what came of it."""
        answer = post(call.request, http, timestamp=round(clock.now().timestamp() * 1000))
        try:
            return transact(lambda: self.write_outcome(call, answer))
        except LeaseLost:
            logger().warning("lease_lost", message=_id_of(call.item))
            return Verdict(False, "LEASE_LOST")
        except Exception as error:
            # The receiver has it but our own side could not take the news: again, it knows repeats.
            reason = f"OUTCOME_{getattr(error, 'code', type(error).__name__)}"
            logger().error("outcome_not_written", message=_id_of(call.item), reason=reason)
            transact(lambda: self._give_back(call, reason))
            return Verdict(False, reason)

    def write_outcome(self, call: Call, answer: Answer) -> Verdict:
        """Second transaction: fence, circuit, message, and what becomes of it."""
        verdict, item = rules.judge(answer), call.item
        message = self.message(item)
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
                pauses=self.pauses(message),
            )
        if verdict.destination_trouble:
            circuit.failed(item.dest, verdict.reason)
        else:
            circuit.recovered(item.dest)
        self.settle(message, item, answer, verdict)
        if dead:
            self.give_up(message, clock.now())
        session().flush()
        logger().info(
            self.event,
            message=_id_of(item),
            dest=item.dest,
            attempt=item.attempts,
            status=answer.status,
            ms=answer.ms,
            reason=verdict.reason,
            dead=dead,
        )
        return verdict

    def _due_destinations(self) -> list[str]:
        for item in workqueue.take_back_expired(self.lane):
            if workqueue_rules.is_final(item.attempts, item.max_attempts):
                self.give_up(self.message(item), clock.now())
        dests = workqueue_queries.due_destinations(self.lane)
        if not dests:
            return []
        return sorted(self.reachable(dests) - circuit.resting(dests))

    def _give_back(self, call: Call, reason: str) -> None:
        try:
            dead = workqueue.fail(call.item, call.owner, reason)
        except LeaseLost:
            return
        if dead:
            self.give_up(self.message(call.item), clock.now())


class Couriers:
    """Delivers to several destinations at once: a slow one keeps only its own thread busy."""

    def __init__(self, app: Flask, courier: Courier[Any], *, threads: int = 16) -> None:
        self._app, self._courier = app, courier
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="courier")
        self._busy: set[str] = set()
        self._lock = Lock()
        self._stopping = False

    def tick(self) -> list[Future[int]]:
        """Send a courier to every due destination that has none; does not wait for them."""
        with self._app.app_context():
            dests = self._courier.due_destinations()
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
                return self._courier.deliver_destination(dest, stop=lambda: self._stopping)
        except Exception as error:
            logger().error("courier_failed", dest=dest, reason=type(error).__name__)
            return 0
        finally:
            with self._lock:
                self._busy.discard(dest)


def _id_of(item: Item) -> str:
    return str(item.payload["message_id"])
