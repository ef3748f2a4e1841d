"""The courier to notification hooks (短信、邮件网关), a message a person and moment."""

from collections.abc import Collection
from datetime import datetime

import orjson
from flask import current_app

from app.core import clock
from app.core.db import session
from app.exchange import guard
from app.exchange.courier import Courier
from app.exchange.post import Request
from app.exchange.rules import Answer, Verdict
from app.notifications import queries
from app.notifications.models import (
    DEAD,
    DELIVERED,
    LANE,
    NotificationHook,
    NotificationMessage,
)
from app.workqueue.registry import Item

SIGNED_WITH = "HMAC-SHA256"


class ToHooks(Courier[NotificationMessage]):
    """Posts what persons are told by other ways; a gateway knows a repeat by the message's id."""

    lane = LANE
    event = "notification"

    def message(self, item: Item) -> NotificationMessage:
        """As it was composed."""
        found = item.payload["message_id"]
        return session().get_one(NotificationMessage, found, with_for_update=True)

    def reachable(self, dests: Collection[str]) -> set[str]:
        """Hooks that are on."""
        return set(dests) & {hook.dest for hook in queries.hooks_by_province().values()}

    def request(self, message: NotificationMessage) -> Request:
        """To the hook's one address."""
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

    def settle(
        self, message: NotificationMessage, item: Item, answer: Answer, verdict: Verdict
    ) -> None:
        """Its state, and the last reason why not."""
        message.reason = verdict.reason or None
        if verdict.delivered:
            message.state, message.delivered_at = DELIVERED, clock.now()

    def give_up(self, message: NotificationMessage, now: datetime) -> None:
        """It waits for a person on 运行监控."""
        message.state = DEAD


to_hooks = ToHooks()
