"""How long a page invocation (页面调用) lives, and the keys that bind it to one browser.

A browser in a window holds a cookie; a page in a frame has none, as browsers keep cookies of
foreign frames away. Both carry the form key, which the cookie yields and which does not yield it.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

OPEN_FOR = timedelta(minutes=5)
"""So long after it was asked for the address can be opened, once (PAGE-01)."""
FILL_FOR = timedelta(minutes=60)
"""So long after it was opened the form is accepted."""
KEPT = timedelta(hours=24)
"""So long the receipt can be looked at again; then the session is forgotten."""

WINDOW = "window"
IFRAME = "iframe"
DISPLAYS = (WINDOW, IFRAME)


def new_secret() -> str:
    """128 random bits for an address or a cookie."""
    return secrets.token_urlsafe(16)


def digest(word: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(word.encode()).digest()


def form_key(secret: str) -> str:
    """The key inside the form of the browser that holds this secret."""
    return hashlib.sha256(f"form:{secret}".encode()).hexdigest()


def is_key(key: str, stored: bytes) -> bool:
    """Whether a form key is the one whose digest was stored."""
    return hmac.compare_digest(digest(key), stored)


def is_below(url: str, origin: str) -> bool:
    """Whether an address lies on a web origin."""
    return url == origin or url.startswith((f"{origin}/", f"{origin}?"))
