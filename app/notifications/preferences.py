"""How a person wants to be told (提醒设置); it counts for what comes from now on."""

from app.core.db import session
from app.notifications.models import NotificationPreference
from app.notifications.rules import Quiet
from app.security.principal import Principal


def save(principal: Principal, *, daily_digest: bool, quiet: Quiet | None) -> None:
    """Warnings singly or once a day; own quiet hours, or None for those of the province."""
    row = NotificationPreference(
        user_id=principal.user_id,
        daily_digest=daily_digest,
        quiet_from=quiet.start if quiet else None,
        quiet_until=quiet.end if quiet else None,
    )
    session().merge(row)
    session().flush()
