"""Send a stored file: always as a download, except pictures shown inside our own pages."""

from flask import Response, send_file

from app.files.checks import IMAGES
from app.files.services import Download

_SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


def send(download: Download, *, preview: bool = False) -> Response:
    """The answer with the file. The browser may neither guess its type nor run or keep it.

    The name travels as `filename*=UTF-8''…`. `preview` shows pictures in place; anything else is
    offered for saving whatever was asked.
    """
    shown = preview and download.media_type in IMAGES
    response = send_file(
        download.path,
        mimetype=download.media_type,
        as_attachment=not shown,
        download_name=download.name,
        conditional=True,
        etag=False,
        max_age=0,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _SANDBOX
    response.headers["Cache-Control"] = "private, no-store"
    return response
