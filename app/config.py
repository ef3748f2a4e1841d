"""Every setting of the product, typed, read once from `HOTLINE_*` variables by `factory`.

A `_FILE` suffix reads a secret from a file. A missing or malformed setting stops start-up with
the variable's name.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

from environs import Env, EnvError, EnvValidationError


class SettingsError(RuntimeError):
    """A setting is missing or cannot be read; the message names the variable."""


@dataclass(frozen=True)
class Settings:
    """The settings; every field says what it does in one line."""

    database_url: str
    """SQLAlchemy URL of the PostgreSQL server (`DATABASE_URL`)."""
    secret_key: str
    """Signs session cookies and CSRF tokens (`HOTLINE_SECRET_KEY`)."""
    data_keys: dict[str, bytes]
    """Key id → 32 bytes; the first one writes (`HOTLINE_DATA_KEYS`, `id:base64,…`)."""
    hash_key: bytes
    """Key of the hashes by which sealed fields are searched (`HOTLINE_HASH_KEY`, base64)."""
    files_dir: Path
    """Where attachments are stored, outside the web root (`HOTLINE_FILES_DIR`)."""
    public_url: str
    """Address under which partners reach this platform (`HOTLINE_PUBLIC_URL`)."""
    secure_cookies: bool
    """Send cookies over HTTPS only; off for `make run` on plain HTTP (`HOTLINE_SECURE_COOKIES`)."""
    allow_private_callbacks: bool
    """Partner callbacks may be private addresses (`HOTLINE_ALLOW_PRIVATE_CALLBACKS`)."""
    product_name: str
    """Name in the page header (`HOTLINE_PRODUCT_NAME`)."""
    pool_size: int
    """Database connections a process keeps (`HOTLINE_POOL_SIZE`)."""
    proxies: int
    """How many proxies of our own stand in front and set X-Forwarded-* (`HOTLINE_PROXIES`)."""
    session_idle_minutes: int
    """Idle for so long, one signs in again (`HOTLINE_SESSION_IDLE_MINUTES`)."""


def _secret(env: Env, name: str, default: str | None = None) -> str:
    path = env.str(f"{name}_FILE", None)
    if path:
        return Path(path).read_text().strip()
    if default is None:
        return env.str(name)
    return env.str(name, default)


def _keys(text: str) -> dict[str, bytes]:
    keys = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        key = base64.b64decode(encoded)
        if not key_id or len(key) != 32:
            raise ValueError("HOTLINE_DATA_KEYS: each key is <id>:<base64 of 32 bytes>")
        keys[key_id] = key
    return keys


def from_environment() -> Settings:
    """Read the settings from the process environment. Raises SettingsError naming the variable."""
    env = Env()
    try:
        return Settings(
            database_url=_driver(env.str("DATABASE_URL")),
            secret_key=_secret(env, "HOTLINE_SECRET_KEY"),
            data_keys=_keys(_secret(env, "HOTLINE_DATA_KEYS")),
            hash_key=base64.b64decode(_secret(env, "HOTLINE_HASH_KEY")),
            files_dir=Path(env.str("HOTLINE_FILES_DIR", "instance/files")).absolute(),
            public_url=env.str("HOTLINE_PUBLIC_URL", "http://127.0.0.1:5000"),
            secure_cookies=env.bool("HOTLINE_SECURE_COOKIES", True),
            allow_private_callbacks=env.bool("HOTLINE_ALLOW_PRIVATE_CALLBACKS", False),
            product_name=env.str("HOTLINE_PRODUCT_NAME", "12317 热线工单系统"),
            pool_size=env.int("HOTLINE_POOL_SIZE", 8),
            proxies=env.int("HOTLINE_PROXIES", 0),
            session_idle_minutes=env.int("HOTLINE_SESSION_IDLE_MINUTES", 15),
        )
    except (EnvError, EnvValidationError, ValueError, OSError) as error:
        raise SettingsError(f"设置有误：{error}") from error


def _driver(url: str) -> str:
    """Accept the plain `postgresql://` form and name our driver in it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
