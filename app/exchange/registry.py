"""Who wants to know that a platform has received a message. A room registers its function."""

from collections.abc import Callable
from datetime import datetime

from app.exchange.models import OutboundMessage

Acknowledged = Callable[[OutboundMessage, datetime], None]
"""Runs in the transaction that marks the message delivered; must be safe to run twice."""

_callbacks: dict[str, Acknowledged] = {}


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


def tell_acknowledged(message: OutboundMessage, now: datetime) -> None:
    """Call whoever registered for the message's operation; nobody is fine."""
    callback = _callbacks.get(message.operation)
    if callback is not None:
        callback(message, now)
