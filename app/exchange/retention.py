"""What the exchange forgets, in small bites; the scheduler calls it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_

from app.core.db import session
from app.exchange.models import Nonce, OutboundAttempt

ATTEMPTS_KEPT = timedelta(days=180)
"""API-OBS-01."""


def forget_expired_nonces(now: datetime, *, limit: int = 5000) -> int:
    """Delete nonces whose messages are too old to be accepted anyway; returns how many."""
    old = (
        select(Nonce.app_id, Nonce.nonce)
        .where(Nonce.expires_at < now)
        .order_by(Nonce.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = session().execute(
        delete(Nonce)
        .where(tuple_(Nonce.app_id, Nonce.nonce).in_(old))
        .returning(Nonce.nonce)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def forget_old_attempts(now: datetime, *, limit: int = 1000) -> int:
    """Delete delivery records older than 180 days; the messages and their receipts stay."""
    old = (
        select(OutboundAttempt.id)
        .where(OutboundAttempt.attempted_at < now - ATTEMPTS_KEPT)
        .order_by(OutboundAttempt.attempted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = session().execute(
        delete(OutboundAttempt)
        .where(OutboundAttempt.id.in_(old))
        .returning(OutboundAttempt.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
