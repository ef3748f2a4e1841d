"""Passwords: the policy of 等保三级 (SEC-10) and argon2id hashes. Knows no user and no database."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM = 10
MAXIMUM = 128
"""Longer input is refused before it is hashed, so that nobody can keep the CPU busy."""
CLASSES = 3
HISTORY = 5
"""So many earlier passwords may not be used again."""
VALID_DAYS = 90

_hasher = PasswordHasher()
_nobody = _hasher.hash("no user has this password")
"""Checked for unknown user names so that they take as long as known ones."""


def objections(password: str, username: str) -> list[str]:
    """What the policy has against the password, in words for its owner; empty when it is fine."""
    found = []
    if not MINIMUM <= len(password) <= MAXIMUM:
        found.append(f"密码长度须为{MINIMUM}至{MAXIMUM}个字符")
    kinds = {_kind(character) for character in password}
    if len(kinds) < CLASSES:
        found.append("密码须包含大写字母、小写字母、数字、符号中的至少三类")
    if username and username.lower() in password.lower():
        found.append("密码不能包含用户名")
    return found


def _kind(character: str) -> str:
    if character.isascii() and character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "digit" if character.isdigit() else "symbol"


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt inside."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; None (no such user) takes as long and never fits."""
    if len(password) > MAXIMUM:
        password = ""
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
