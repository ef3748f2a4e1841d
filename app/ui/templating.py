"""What every page needs: addresses of static files, and the helpers that the macros call."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Flask, Response, request, url_for

from app.ui.forms import error_summary

STATIC = Path(__file__).parent / "static"
FOREVER = 365 * 24 * 3600
"""Seconds a browser keeps a file whose address carries its digest."""

_FILE_ICONS = {
    **dict.fromkeys(("doc", "docx", "wps"), "file-earmark-word"),
    **dict.fromkeys(("jpg", "jpeg", "png", "bmp", "gif", "webp"), "file-earmark-image"),
    **dict.fromkeys(("zip", "rar", "7z"), "file-earmark-zip"),
    "pdf": "file-earmark-pdf",
}

blueprint = Blueprint("assets", __name__, static_folder="static", static_url_path="/static")


def install(app: Flask) -> None:
    """Serve `static/` and give the templates `asset`, `error_summary` and `file_icon`."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(asset=asset, error_summary=error_summary, file_icon=file_icon)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def asset(path: str) -> str:
    """Address of a static file; it changes when the file does, so browsers may keep it."""
    return url_for("assets.static", filename=path, v=_digest(path))


def file_icon(name: str) -> str:
    """The icon of a file by its extension."""
    return _FILE_ICONS.get(name.rpartition(".")[2].lower(), "file-earmark")


@blueprint.after_request
def keep_versioned_files(response: Response) -> Response:
    """Addresses with a digest are kept; plain ones (imports between scripts) are asked again."""
    if request.args.get("v") and response.status_code == 200:
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = FOREVER
        response.cache_control.immutable = True
    return response


@cache
def _digest(path: str) -> str:
    return sha256((STATIC / path).read_bytes()).hexdigest()[:12]
