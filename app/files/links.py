"""Signed links (签名下载链接): a partner fetches one file of one ticket for some minutes."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlencode

from flask import current_app

from app.config import Settings
from app.core.db import session
from app.core.errors import NotFound
from app.files.models import Attachment
from app.files.services import Download, download_of

PATH = "/openapi/v1/attachments/{attachment_id}/content"
"""The route that calls `open_signed`, without the public address."""


def signed_path(attachment: Attachment, now: datetime, minutes: int = 15) -> str:
    """Path and query of a link to an attachment of a ticket; it holds no personal data."""
    if attachment.ticket_id is None:
        raise ValueError("only attachments of a ticket can be linked to")
    expires = int((now + timedelta(minutes=minutes)).timestamp())
    signature = _sign(attachment.id, attachment.ticket_id, expires)
    query = urlencode({"expires": expires, "signature": signature})
    return f"{PATH.format(attachment_id=attachment.id)}?{query}"


def verify_signed(
    attachment_id: str, ticket_id: int, expires: str, signature: str, now: datetime
) -> bool:
    """Whether the link was signed by us for this file of this ticket and has not run out."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return False
    expected = _sign(attachment_id, ticket_id, int(expires))
    return hmac.compare_digest(expected.encode(), signature.encode()) and (
        now.timestamp() < int(expires)
    )


def open_signed(attachment_id: str, expires: str, signature: str, now: datetime) -> Download:
    """Open the file of a link. Raises NotFound for a forged, expired or mistyped one alike."""
    attachment = session().get(Attachment, attachment_id)
    if (
        attachment is None
        or attachment.ticket_id is None
        or not verify_signed(attachment_id, attachment.ticket_id, expires, signature, now)
    ):
        raise NotFound("链接无效或已过期")
    return download_of(attachment)


def _sign(attachment_id: str, ticket_id: int, expires: int) -> str:
    secret = cast(Settings, current_app.config["SETTINGS"]).secret_key
    text = f"attachment-link:{attachment_id}:{ticket_id}:{expires}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
