"""Fetching messages (I17) as a 12345 platform does that cannot be called."""

import hashlib

import httpx
import orjson
from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.simulator.client import PartnerClient
from app.simulator.config import SimulatorConfig
from app.simulator.journal import Journal


def pulling(config: SimulatorConfig, journal: Journal) -> Blueprint:
    """The blueprint with the button that fetches."""
    views = Blueprint("pulling", __name__)

    @views.post("/pull")
    def fetch() -> Response:
        """Fetch and confirm everything that waits."""
        platform, app_id = config.platform_url, config.app_id
        with PartnerClient(platform, app_id, config.secret, config.sign_method) as client:
            try:
                pull(client, journal)
            except httpx.HTTPError:
                abort(502, "无法连接12317平台")
        return redirect(url_for("pages.index"), 303)

    return views


def pull(client: PartnerClient, journal: Journal) -> int:
    """Take in every message that waits and confirm it; how many. A repeat is confirmed as one."""
    taken = 0
    after: int | None = 0
    while after is not None:
        page = client.outbox(after).data
        receipts = []
        for message in page.get("messages", ()):
            now = clock.now().astimezone(clock.BEIJING)
            digest = hashlib.sha256(orjson.dumps(message["body"])).hexdigest()
            kept, _ = journal.receive(
                message["operation"], message["idempotency_key"], digest, message["body"], now
            )
            receipts.append({"event_id": message["event_id"], "receipt_no": kept.receipt_no})
        if receipts:
            client.acknowledge(receipts)
            taken += len(receipts)
        after = page.get("next")
    return taken
