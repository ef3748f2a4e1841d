"""The chain over the access log: each seal covers a range of lines and the seal before it.

Sealing happens some minutes after writing, in ranges, so that lines are written without waiting for
each other. A changed, removed or slipped-in line breaks the chain from its seal on. The digest is
keyed: whoever can write to the database but has no hash key cannot mend the chain.
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.core.sealed import keyring
from app.security.models import AccessLog, AccessLogSeal

SETTLED = timedelta(minutes=5)
"""Lines older than this have committed: no transaction lives so long."""
BATCH = 5000


def seal(now: datetime, limit: int = BATCH) -> int:
    """Seal the next range of settled lines; the number of lines sealed, 0 when up to date.

    Two nodes at once: the second finds the number taken and seals nothing.
    """
    last = (
        session()
        .scalars(select(AccessLogSeal).order_by(AccessLogSeal.number.desc()).limit(1))
        .first()
    )
    after = last.to_id if last else 0
    settled = takewhile(
        lambda row: row.at <= now - SETTLED,
        session().execute(
            select(AccessLog.id, AccessLog.at)
            .where(AccessLog.id > after)
            .order_by(AccessLog.id)
            .limit(limit)
        ),
    )
    to_id = max((row.id for row in settled), default=None)
    if to_id is None:
        return 0
    digest, lines = _digest(last.digest if last else b"", after + 1, to_id)
    statement = (
        insert(AccessLogSeal)
        .values(
            number=(last.number if last else 0) + 1,
            from_id=after + 1,
            to_id=to_id,
            lines=lines,
            digest=digest,
            sealed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(AccessLogSeal.lines)
    )
    return session().scalar(statement) or 0


def first_broken() -> AccessLogSeal | None:
    """Recompute the whole chain; the first seal that no longer fits its lines, or None."""
    previous = b""
    expected = 1
    for link in session().scalars(select(AccessLogSeal).order_by(AccessLogSeal.number)):
        digest, lines = _digest(previous, link.from_id, link.to_id)
        if (link.number, lines, digest) != (expected, link.lines, link.digest):
            return link
        previous, expected = link.digest, expected + 1
    return None


def _digest(previous: bytes, from_id: int, to_id: int) -> tuple[bytes, int]:
    rows = session().execute(
        select(*AccessLog.__table__.columns)
        .where(AccessLog.id.between(from_id, to_id))
        .order_by(AccessLog.id)
    )
    chain, count = previous.hex(), 0
    for row in rows:
        values = {**row._mapping, "at": row.at.astimezone(UTC)}
        text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
        chain = keyring().search_hash(f"access_log:{chain}:{text.decode()}").hex()
        count += 1
    return bytes.fromhex(chain), count
