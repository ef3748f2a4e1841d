"""Sign in with a password: who may, and after how many failures nobody may for a while.

Failures are counted per user name and per address; names nobody has are counted alike.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.core.sealed import keyring
from app.security import access, passwords
from app.security.models import SignInGuard, User
from app.security.principal import SYSTEM, Principal
from app.security.queries import principal_for_user
from app.security.rules import Strikes

WRONG = "用户名或密码错误"
LOCKED = "登录失败次数过多，请30分钟后再试"


@dataclass(frozen=True)
class SignIn:
    """The outcome of an attempt to sign in; a refusal is a value because it leaves rows behind."""

    principal: Principal | None
    refusal: str = ""
    last_login_at: datetime | None = None
    """The sign-in before this one, shown so that a stranger's is noticed."""
    last_login_ip: str | None = None


def authenticate(username: str, password: str, ip: str, now: datetime) -> SignIn:
    """Check a password and count failures. Commit whatever the outcome.

    1. A locked name or address is refused before the password is looked at.
    2. The password is checked without holding a lock: it takes tens of milliseconds.
    3. Under the guards' lock it is looked again: a burst of parallel guesses locks as well.
    """
    username = username.strip().lower()
    keys = sorted([_guard_key("user", username), _guard_key("ip", ip)])
    guards = session().scalars(select(SignInGuard).where(SignInGuard.key.in_(keys))).all()
    if any(_strikes(guard).is_locked(now) for guard in guards):
        return SignIn(None, LOCKED)
    user = session().scalars(select(User).where(User.username == username)).one_or_none()
    fits = passwords.matches(user.password_hash if user else None, password)
    locked_guards = _lock_guards(keys)
    if any(_strikes(guard).is_locked(now) for guard in locked_guards):
        return SignIn(None, LOCKED)
    if user is None or not fits or not user.enabled:
        for guard in locked_guards:
            strikes = _strikes(guard).after_failure(now)
            guard.failures, guard.since = strikes.failures, strikes.since
            guard.locked_until = strikes.locked_until
        access.record(
            SYSTEM, "session.refuse", "user", user.id if user else "unknown", ip=ip, now=now
        )
        return SignIn(None, WRONG)
    forget_failures(username)
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    before = user.last_login_at, user.last_login_ip
    user.last_login_at, user.last_login_ip = now, ip
    session().flush()
    principal = principal_for_user(user.id, now)
    if principal is None:  # disabled a moment ago
        return SignIn(None, WRONG)
    access.record(principal, "session.open", "user", user.id, ip=ip, now=now)
    return SignIn(principal, last_login_at=before[0], last_login_ip=before[1])


def forget_failures(username: str) -> None:
    """The account starts afresh; failures of the address stay counted."""
    session().execute(delete(SignInGuard).where(SignInGuard.key == _guard_key("user", username)))


def locked_until(user: User, now: datetime) -> datetime | None:
    """When the account's lock ends; None when it is not locked."""
    guard = session().get(SignInGuard, _guard_key("user", user.username))
    return guard.locked_until if guard and _strikes(guard).is_locked(now) else None


def _guard_key(kind: str, value: str) -> bytes:
    return keyring().search_hash(f"sign_in:{kind}:{value}")


def _lock_guards(keys: list[bytes]) -> list[SignInGuard]:
    """The guards' rows, made when missing, locked in the order of their keys."""
    for key in keys:
        session().execute(insert(SignInGuard).values(key=key, failures=0).on_conflict_do_nothing())
    return list(
        session().scalars(
            select(SignInGuard)
            .where(SignInGuard.key.in_(keys))
            .order_by(SignInGuard.key)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _strikes(guard: SignInGuard) -> Strikes:
    return Strikes(guard.failures, guard.since, guard.locked_until)
