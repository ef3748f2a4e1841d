"""Where a callback may go (SSRF guard): the host is resolved once, judged, and that address used.

Connecting to the judged address, not to the name again, leaves no second look-up to poison.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.exchange import rules
from app.exchange.errors import CallbackRefused

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A callback address taken apart; `base_path` has no slash at its end."""

    scheme: str
    host: str
    port: int
    base_path: str

    @property
    def host_header(self) -> str:
        """The Host header as a client would send it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def take_apart(callback_base: str) -> Target:
    """Split a callback address; ValueError when it has anything but scheme, host, port and path."""
    parts = urlsplit(callback_base)
    if parts.scheme not in _PORTS or not parts.hostname or not parts.hostname.isascii():
        raise ValueError("scheme and host")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("only a path may follow the host")
    path = parts.path.rstrip("/")
    if not path.isascii() or any(c in path for c in "%\\ ") or ".." in path:
        raise ValueError("plain path")
    return Target(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], path)


def permitted_address(target: Target, networks: Sequence[str], *, allow_private: bool) -> str:
    """The IP address to connect to. CallbackRefused unless every address of the host is permitted.

    Permitted are public addresses over HTTPS, and the partner's own `networks` (or any, with
    `allow_private`) over HTTP too. Talks to the name server: never inside a transaction.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CallbackRefused("CALLBACK_HOST_UNKNOWN") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    for address in addresses:
        known = allow_private or rules.in_networks(address, networks)
        if not known and not rules.is_public(address):
            raise CallbackRefused("CALLBACK_HOST_PRIVATE")
        if not known and target.scheme != "https":
            raise CallbackRefused("CALLBACK_NOT_HTTPS")
    return addresses[0]
