"""A 12345 platform to integrate against: receives callbacks, answers, misbehaves, submits samples.

It is a test partner, not part of the product's surface: one process, no sign-in, for 127.0.0.1
only. Its callback base is `http://<host>:<port>/api`.
"""

import signal
from collections.abc import Callable
from types import FrameType

from flask import Flask, Response
from werkzeug.serving import BaseWSGIServer, make_server

from app.simulator.behaviour import Control
from app.simulator.config import SimulatorConfig
from app.simulator.invocation import invocation, origin_of
from app.simulator.journal import Journal
from app.simulator.pages import pages
from app.simulator.pulling import pulling
from app.simulator.receiver import Doorkeeper, real_pause, receiver
from app.simulator.reconciling import reconciling

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_simulator(
    config: SimulatorConfig, *, pause: Callable[[float], None] = real_pause
) -> Flask:
    """The WSGI application of the simulated platform."""
    app = Flask("app.simulator", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024 * 1024
    journal, control = Journal(config.journal, config.ticket_prefix), Control()
    app.extensions["journal"], app.extensions["control"] = journal, control
    app.register_blueprint(
        receiver(journal, control, Doorkeeper(config.app_id, config.secret), pause)
    )
    app.register_blueprint(pages(config, journal, control))

    app.register_blueprint(invocation(config))
    app.register_blueprint(pulling(config, journal))
    app.register_blueprint(reconciling(config, journal))
    policy = _policy(origin_of(config.platform_url))

    @app.after_request
    def harden(response: Response) -> Response:
        """The headers a cautious platform sends."""
        response.headers.update({**_HEADERS, "Content-Security-Policy": policy})
        return response

    return app


def _policy(platform: str) -> str:
    """Forms of the platform may be shown in our frames; a browser counts where a form leads."""
    return (
        f"default-src 'self'; frame-src {platform}; frame-ancestors 'none';"
        f" form-action 'self' {platform}"
    )


def server(config: SimulatorConfig, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """A threaded HTTP server that is not serving yet; port 0 takes a free one (`server_port`)."""
    return make_server(host, port, create_simulator(config), threaded=True)


def run(config: SimulatorConfig, host: str = "127.0.0.1", port: int = 5345) -> None:
    """Serve until SIGTERM or SIGINT."""
    http = server(config, host, port)

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        http.serve_forever()
    finally:
        http.server_close()
