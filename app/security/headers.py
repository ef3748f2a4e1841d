"""Security headers of every answer. A view that needs another policy sets its own header first."""

from flask import Flask, Response, current_app

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",  # bpmn-js positions its parts and watermark so
        "img-src 'self' data:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere and no inline script (SEC-20)."""


def policy(*, frame_ancestors: str = "'none'") -> str:
    """The policy with other permitted frames, for pages shown inside a partner's own (PAGE-04).

    `frame_ancestors` is an origin from the partner's profile; it cannot carry a second directive.
    """
    if any(character in frame_ancestors for character in ";,\r\n"):
        raise ValueError("frame_ancestors takes origins only")
    return POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {frame_ancestors}")


def init_app(app: Flask) -> None:
    """Add the headers to every answer. `factory` calls it once."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cache-Control", "no-store")
    if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
        headers.setdefault("X-Frame-Options", "DENY")
    if current_app.config["SETTINGS"].secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
