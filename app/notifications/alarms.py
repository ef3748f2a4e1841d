"""What administrators are told by itself: a year whose calendar is missing (DL-03)."""

from datetime import datetime

from sqlalchemy import select

from app.core.db import session
from app.deadlines import calendars
from app.notifications.services import Notice, To, notify
from app.organisations.models import Unit
from app.security.models import User

ADMINISTRATORS = frozenset({"system_admin"})


def tell(now: datetime) -> None:
    """Tell every system administrator once of each alarm; again when its words change."""
    alarms = calendars.alarms(now)
    if not alarms:
        return
    units = select(User.unit_id).where(User.roles.overlap(sorted(ADMINISTRATORS)), User.enabled)
    to = tuple(
        To(unit_id, ADMINISTRATORS)
        for unit_id in session().scalars(select(Unit.id).where(Unit.id.in_(units)))
    )
    notify([Notice(f"calendar:{text}", "calendar", text, to) for text in alarms], now)
