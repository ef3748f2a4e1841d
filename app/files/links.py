"""Signed links (签名下载链接): a partner fetches one file of one ticket for some minutes.

The link names the message that brings it and is the same at every try: a platform that compares a
repeat with the first delivery under one Idempotency-Key finds no difference. How long it is open is
not written in it; the caller knows when the message was last sent.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from flask import current_app

from app.config import Settings
from app.core.db import session
from app.core.errors import NotFound
from app.files.models import Attachment
from app.files.services import Download, download_of

PATH = "/openapi/v1/attachments/{attachment_id}/content"
"""The route that calls `open_signed`, without the public address."""

LIFE = timedelta(minutes=15)
"""How long after a try to deliver its message a link is open."""


def signed_path(attachment: Attachment, message: str) -> str:
    """Path and query of a link to an attachment of a ticket in the message of that event id."""
    if attachment.ticket_id is None:
        raise ValueError("only attachments of a ticket can be linked to")
    signature = _sign(attachment.id, attachment.ticket_id, message)
    query = urlencode({"message": message, "signature": signature})
    return f"{PATH.format(attachment_id=attachment.id)}?{query}"


def linked(entries: Iterable[Mapping[str, Any]], message: str) -> list[dict[str, Any]]:
    """What a message says of its files, each with the address to fetch it from."""
    base = cast(Settings, current_app.config["SETTINGS"]).public_url.rstrip("/")
    found = ((entry, session().get(Attachment, entry["attachment_id"])) for entry in entries)
    return [
        {**entry, "url": f"{base}{signed_path(file, message)}"}
        for entry, file in found
        if file is not None
    ]


def verify_signed(attachment_id: str, ticket_id: int, message: str, signature: str) -> bool:
    """Whether the link was signed by us for this file of this ticket in this message."""
    expected = _sign(attachment_id, ticket_id, message)
    return hmac.compare_digest(expected.encode(), signature.encode())


def open_signed(
    attachment_id: str, message: str, signature: str, is_open: Callable[[str], bool]
) -> Download:
    """Open the file of a link. Raises NotFound for a forged, expired or mistyped one alike.

    `is_open` is asked with the message's event id, only when the signature is ours.
    """
    attachment = session().get(Attachment, attachment_id)
    if (
        attachment is None
        or attachment.ticket_id is None
        or not verify_signed(attachment_id, attachment.ticket_id, message, signature)
        or not is_open(message)
    ):
        raise NotFound("链接无效或已过期")
    return download_of(attachment)


def _sign(attachment_id: str, ticket_id: int, message: str) -> str:
    secret = cast(Settings, current_app.config["SETTINGS"]).secret_key
    text = f"attachment-link:{attachment_id}:{ticket_id}:{message}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
