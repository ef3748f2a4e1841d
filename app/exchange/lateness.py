"""Messages that do not arrive in time (推送超时): each is watched by one work item.

One that was given up has been told of already, one that was settled is nobody's concern.
"""

from datetime import datetime

from app.core.db import session
from app.exchange import registry
from app.exchange.models import PENDING, OutboundMessage
from app.workqueue import services as workqueue
from app.workqueue.registry import Item, lane

LANE = "late_push"


def watch(message: OutboundMessage, alarm_at: datetime) -> None:
    """Have somebody told at that moment, unless the message has arrived by then."""
    workqueue.enqueue(
        LANE,
        f"late:{message.id}",
        payload={"message_id": message.id},
        business_key=message.business_key,
        due_at=alarm_at,
    )


@lane(LANE)
def alarm(item: Item, now: datetime) -> None:
    """Tell of a message that is still on its way."""
    message = session().get(OutboundMessage, item.payload["message_id"])
    if message is not None and message.state == PENDING:
        registry.tell_late(message, now)
