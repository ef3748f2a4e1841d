"""Who wants to know that a platform has received a message. A room registers its function."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.exchange import rules
from app.exchange.models import OutboundMessage

Acknowledged = Callable[[OutboundMessage, datetime], None]
"""Runs in the transaction that marks the message delivered; must be safe to run twice."""

Prepare = Callable[[dict[str, Any]], dict[str, Any]]
"""Completes a stored body as it leaves, with links for example. It gives the same at every try:
a repeat under one Idempotency-Key with another body is a conflict to the platform, not a repeat."""

GivenUp = Callable[[OutboundMessage, datetime], None]
"""Runs in the transaction that gives the message up (死信)."""

Late = Callable[[OutboundMessage, datetime], None]
"""Runs once when a message has not arrived by the moment its sender has set."""

_callbacks: dict[str, Acknowledged] = {}
_preparations: dict[str, Prepare] = {}
_given_up: list[GivenUp] = []
_late: list[Late] = []


def acknowledged(*operations: str) -> Callable[[Acknowledged], Acknowledged]:
    """Register the function that hears of deliveries of these operations (回执)."""

    def register(callback: Acknowledged) -> Acknowledged:
        for operation in operations:
            known = _callbacks.get(operation)
            if known is not None and known is not callback:
                raise ValueError(f"operation {operation!r} has a function already")
            _callbacks[operation] = callback
        return callback

    return register


def prepared(*operations: str) -> Callable[[Prepare], Prepare]:
    """Register the function that completes bodies of these operations as they leave."""

    def register(function: Prepare) -> Prepare:
        _preparations.update(dict.fromkeys(operations, function))
        return function

    return register


def given_up(function: GivenUp) -> GivenUp:
    """Register a function that hears of every message that nobody could deliver."""
    if function not in _given_up:
        _given_up.append(function)
    return function


def late(function: Late) -> Late:
    """Register a function that hears of messages that are still on their way at their alarm."""
    if function not in _late:
        _late.append(function)
    return function


def tell_late(message: OutboundMessage, now: datetime) -> None:
    """Call whoever registered for late messages."""
    for listener in _late:
        listener(message, now)


def tell_given_up(message: OutboundMessage, now: datetime) -> None:
    """Call whoever registered for dead messages."""
    for listener in _given_up:
        listener(message, now)


def body_to_send(message: OutboundMessage) -> dict[str, Any]:
    """The stored body, completed by whoever registered for it, in the platform's own words."""
    prepare = _preparations.get(message.operation)
    body = prepare(message.body) if prepare else message.body
    partner = message.partner
    return rules.outgoing(body, partner.field_names, partner.boolean_mapping)


def tell_acknowledged(message: OutboundMessage, now: datetime) -> None:
    """Call whoever registered for the message's operation; nobody is fine."""
    callback = _callbacks.get(message.operation)
    if callback is not None:
        callback(message, now)
