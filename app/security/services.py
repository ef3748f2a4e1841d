"""Accounts: create them, change passwords and roles. Every act leaves a line in the access log."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.organisations.models import Unit
from app.security import access, passwords
from app.security.models import ApiToken, LoginSession, SignInGuard, User
from app.security.permissions import role_objections
from app.security.principal import SYSTEM, Principal
from app.security.rules import WINDOW
from app.security.signin import forget_failures

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


def create_user(
    username: str,
    password: str,
    *,
    display_name: str,
    unit_id: int,
    roles: Iterable[str],
    now: datetime,
    position: str = "",
    phone: str = "",
    must_change_password: bool = True,
    by: Principal = SYSTEM,
    ip: str | None = None,
) -> User:
    """Open an account. The password is the owner's first and must be changed unless said otherwise.

    Raises Invalid with every field that is wrong, Conflict when the user name is taken.
    """
    username = username.strip().lower()
    roles = sorted(set(roles))
    unit = session().get(Unit, unit_id)
    errors = [
        FieldError("password", "policy", text) for text in passwords.objections(password, username)
    ]
    if not _USERNAME.fullmatch(username):
        errors.append(
            FieldError("username", "format", "用户名为3至32位小写字母、数字、点、横线或下划线")
        )
    if not display_name.strip():
        errors.append(FieldError("display_name", "required", "请填写姓名"))
    if unit is None:
        errors.append(FieldError("unit_id", "reference", "没有这个机构"))
    else:
        errors += [FieldError("roles", "role", text) for text in role_objections(roles, unit.level)]
    if errors:
        raise Invalid(errors)
    user_id = session().scalar(
        insert(User)
        .values(
            username=username,
            password_hash=passwords.hash_password(password),
            password_changed_at=now,
            must_change_password=must_change_password,
            display_name=display_name.strip(),
            position=position.strip(),
            phone=phone.strip(),
            unit_id=unit_id,
            roles=roles,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[User.username])
        .returning(User.id)
    )
    if user_id is None:
        raise Conflict("用户名已被使用", "USERNAME_TAKEN")
    access.record(by, "user.create", "user", user_id, ip=ip, now=now, detail={"roles": roles})
    return _user(user_id)


def change_password(
    principal: Principal, old: str, new: str, *, ip: str | None, now: datetime
) -> None:
    """Change one's own password; all browser sessions of the account end.

    Raises Invalid: the old one is wrong, the policy objects, or it was used lately.
    """
    user = _user(principal.user_id, lock=True)
    errors = []
    if not passwords.matches(user.password_hash, old):
        errors.append(FieldError("old_password", "match", "原密码错误"))
    else:
        errors = [
            FieldError("new_password", "policy", text)
            for text in passwords.objections(new, user.username)
        ]
        used = [user.password_hash, *user.previous_hashes][: passwords.HISTORY]
        if not errors and any(passwords.matches(hash_, new) for hash_ in used):
            errors.append(
                FieldError(
                    "new_password", "history", f"不能使用最近{passwords.HISTORY}次用过的密码"
                )
            )
    if errors:
        raise Invalid(errors)
    _set_password(user, new, now, must_change=False)
    access.record(principal, "account.password", "user", user.id, ip=ip, now=now)


def reset_password(user_id: int, new: str, *, by: Principal, ip: str | None, now: datetime) -> None:
    """Give an account a password its owner must change at the next sign-in; its sessions end."""
    user = _user(user_id, lock=True)
    errors = [
        FieldError("password", "policy", text) for text in passwords.objections(new, user.username)
    ]
    if errors:
        raise Invalid(errors)
    _set_password(user, new, now, must_change=True)
    access.record(by, "user.reset_password", "user", user.id, ip=ip, now=now)


def grant_roles(
    user_id: int, roles: Iterable[str], *, by: Principal, ip: str | None, now: datetime
) -> None:
    """Replace the roles of an account. Raises Invalid for roles that may not be held together."""
    user = _user(user_id, lock=True)
    unit = session().get_one(Unit, user.unit_id)
    roles = sorted(set(roles))
    errors = [FieldError("roles", "role", text) for text in role_objections(roles, unit.level)]
    if by.user_id == user_id:
        errors.append(FieldError("roles", "self", "不能修改自己的角色"))
    if errors:
        raise Invalid(errors)
    detail = {"before": user.roles, "after": roles}
    user.roles = roles
    access.record(by, "user.grant", "user", user_id, ip=ip, now=now, detail=detail)


def set_enabled(
    user_id: int, enabled: bool, *, by: Principal, ip: str | None, now: datetime
) -> None:
    """Disable or re-enable an account; disabling ends its sessions, its tokens fall silent."""
    user = _user(user_id, lock=True)
    user.enabled = enabled
    if not enabled:
        end_sessions(user_id)
    action = "user.enable" if enabled else "user.disable"
    access.record(by, action, "user", user_id, ip=ip, now=now)


def unlock(user_id: int, *, by: Principal, ip: str | None, now: datetime) -> None:
    """Forget the failed sign-ins of an account before the lock ends by itself."""
    user = _user(user_id)
    forget_failures(user.username)
    access.record(by, "user.unlock", "user", user_id, ip=ip, now=now)


def end_sessions(user_id: int) -> None:
    """Sign the user out of every browser."""
    session().execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def sweep(now: datetime) -> int:
    """Delete rows nobody can use any more: old guards, dead sessions, tokens expired for a year."""
    removed = 0
    for statement in (
        delete(SignInGuard).where(SignInGuard.since < now - 2 * WINDOW),
        delete(LoginSession).where(LoginSession.created_at < now - timedelta(days=1)),
        delete(ApiToken).where(ApiToken.expires_at < now - timedelta(days=365)),
    ):
        removed += len(session().execute(statement.returning(1)).all())
    return removed


def _user(user_id: int, lock: bool = False) -> User:
    user = session().get(User, user_id, with_for_update=True if lock else None)
    if user is None:
        raise NotFound("没有这个用户")
    return user


def _set_password(user: User, new: str, now: datetime, *, must_change: bool) -> None:
    user.previous_hashes = [user.password_hash, *user.previous_hashes][: passwords.HISTORY]
    user.password_hash = passwords.hash_password(new)
    user.password_changed_at = now
    user.must_change_password = must_change
    session().flush()
    end_sessions(user.id)
