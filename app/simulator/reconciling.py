"""Reconciliation (对账, I18) as a 12345 platform does it: a day's list from its own journal."""

import secrets
from datetime import date
from typing import Any

import httpx
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from app.simulator.client import PartnerClient
from app.simulator.config import SimulatorConfig
from app.simulator.journal import Journal

_LAST_WORDS = frozenset({"withdrawn", "merged", "transferred_out"})


def reconciling(config: SimulatorConfig, journal: Journal) -> Blueprint:
    """The blueprint with the button that sends the list."""
    views = Blueprint("reconciling", __name__)

    @views.post("/reconcile")
    def send() -> Response:
        """Send the list of a day."""
        try:
            day = date.fromisoformat(request.form.get("date", ""))
        except ValueError:
            abort(422, "请选择日期")
        platform, app_id = config.platform_url, config.app_id
        with PartnerClient(platform, app_id, config.secret, config.sign_method) as client:
            name = f"{config.ticket_prefix}-{day:%Y%m%d}-{secrets.token_hex(4)}"
            try:
                answer = client.reconcile(day.isoformat(), name, list_of(journal, day))
            except httpx.HTTPError:
                abort(502, "无法连接12317平台")
        if not answer.ok:
            abort(502, str(answer.envelope.get("message", "")))
        return redirect(url_for("pages.index"), 303)

    return views


def list_of(journal: Journal, day: date) -> list[dict[str, Any]]:
    """What this platform believes of the tickets that 12317 numbered on a day."""
    mark = f"{day:%Y%m%d}"
    known: dict[str, str | None] = {}
    for sent in journal.submitted:
        number = str(sent.answer.get("data", {}).get("acceptance_no", ""))
        if number[8:16] == mark:
            known[number] = str(sent.body.get("external_ticket_no", ""))
    for copy in journal.received:
        number = str(copy.body.get("acceptance_no", ""))
        if copy.operation == "ticket-copies" and number[8:16] == mark:
            known[number] = copy.body.get("external_ticket_no")
    heard = _outcomes(journal)
    return [
        {
            "external_ticket_no": own or number,
            "acceptance_no": number,
            "outcome": heard.get(number, "open"),
        }
        for number, own in known.items()
    ]


def _outcomes(journal: Journal) -> dict[str, str]:
    """The last word heard of each ticket."""
    found: dict[str, str] = {}
    for message in journal.received:
        number = str(message.body.get("acceptance_no", ""))
        event = str(message.body.get("event", ""))
        if message.operation.startswith("results/"):
            found[number] = "result"
        elif event in _LAST_WORDS:
            found[number] = event
        elif message.operation == "return-requests" and any(
            each.get("approved") for each in message.decisions
        ):
            found[number] = "returned"
    return found
