"""The courier to 12345 platforms: each with its profile, in order per ticket."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import orjson
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.core import clock
from app.core.db import session
from app.exchange import guard, outbox, registry, rules
from app.exchange.courier import Courier
from app.exchange.models import DELIVERED, OutboundAttempt, OutboundMessage, Partner
from app.exchange.post import Request
from app.exchange.rules import Answer, Verdict
from app.workqueue.registry import Item


class ToPartners(Courier[OutboundMessage]):
    """Delivers what platforms are pushed; whoever registered for it hears of receipts."""

    lane = outbox.LANE
    event = "delivery"

    def message(self, item: Item) -> OutboundMessage:
        """With its partner."""
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

    def reachable(self, dests: Collection[str]) -> set[str]:
        """Partners that are enabled, have an address and are pushed to."""
        found = session().scalars(
            select(Partner.app_id).where(
                Partner.app_id.in_(dests),
                Partner.enabled,
                Partner.delivery == rules.PUSH,
                Partner.callback_base.is_not(None),
            )
        )
        return set(found)

    def request(self, message: OutboundMessage) -> Request:
        """At the partner's own path, in its own words, signed with its first method."""
        partner = message.partner
        target = guard.take_apart(partner.callback_base or "")
        path = partner.paths.get(message.operation, message.operation).lstrip("/")
        return Request(
            target=target,
            path=f"{target.base_path}/{path}",
            body=orjson.dumps(registry.body_to_send(message)),
            idempotency_key=message.idempotency_key,
            app_id=partner.app_id,
            secret=partner.secrets[0],
            sign_method=partner.sign_methods[0],
            networks=tuple(partner.callback_networks),
            allow_private=current_app.config["SETTINGS"].allow_private_callbacks,
        )

    def settle(
        self, message: OutboundMessage, item: Item, answer: Answer, verdict: Verdict
    ) -> None:
        """Keep the try, masked; a receipt is told to whoever registered for it."""
        now = clock.now()
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
        if verdict.delivered:
            message.state = DELIVERED
            message.receipt_no = rules.receipt_no(answer.body)
            message.acknowledged_at = now
            session().flush()
            registry.tell_acknowledged(message, now)

    def give_up(self, message: OutboundMessage, now: datetime) -> None:
        """A dead letter."""
        outbox.give_up(message, now)

    def pauses(self, message: OutboundMessage) -> Sequence[timedelta]:
        """The partner's own, where its profile has some."""
        return outbox.pauses_of(message.partner)


to_partners = ToPartners()
