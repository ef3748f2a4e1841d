"""Who acts: the answer to every permission question, and the name written into every record.

A principal is a value. It stays true for the request it was loaded for and is never stored.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Principal:
    """A signed-in member of staff, or the platform itself."""

    user_id: int
    username: str
    display_name: str
    position: str
    phone: str
    """Office telephone: shown to other staff and sent to partners as the handler's contact."""
    unit_id: int
    unit_name: str
    level: str
    """national, province, city or county: the level of the unit."""
    division_code: str
    roles: frozenset[str] = field(default_factory=frozenset)
    must_change_password: bool = False
    """First sign-in, reset or older than 90 days: nothing but the password page is open."""


SYSTEM = Principal(
    user_id=0,
    username="system",
    display_name="系统",
    position="",
    phone="",
    unit_id=0,
    unit_name="12317平台",
    level="national",
    division_code="",
)
"""Acts when no person does (timers, deliveries, imports). No row of `users`; holds no role."""
