"""Page invocation (页面调用) as 12345 does it: ask for a form, show it, hear of the number."""

import secrets
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from app.core import clock
from app.simulator.client import Answer, PartnerClient
from app.simulator.config import SimulatorConfig

TABLES = {"complaint": "投诉", "declaration": "申报", "consultation": "咨询"}
LINK = "link"
DISPLAYS = {"window": "新窗口", "iframe": "框架内", LINK: "新窗口（自行签名的地址）"}


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def invocation(config: SimulatorConfig) -> Blueprint:
    """The blueprint that opens 12317's registration forms."""
    views = Blueprint("invocation", __name__)

    @views.post("/page-calls")
    def open_page() -> Response | tuple[str, int] | str:
        """Ask for the form and show it; the number of our own ticket goes along."""
        table, display = request.form.get("ticket_type", ""), request.form.get("display", "window")
        if table not in TABLES or display not in DISPLAYS:
            abort(422, "请选择登记表和打开方式")
        now = clock.now().astimezone(clock.BEIJING)
        wanted = {
            "ticket_type": table,
            "operator_no": f"{config.ticket_prefix}-0231",
            "caller_number": request.form.get("caller_number", "").strip() or "unknown",
            "called_at": now.isoformat(timespec="seconds"),
            "external_ticket_no": (
                f"{config.ticket_prefix}-{now:%Y%m%d}-{secrets.randbelow(10**6):06d}"
            ),
            "display": display,
        }
        if display == LINK:
            return redirect(_link(config, wanted), 303)
        answer = _ask(config, wanted)
        if answer.ok and display == "window":
            return redirect(answer.data["url"], 303)
        page = render_template(
            "page_call.html",
            config=config,
            title=f"{TABLES[table]}登记",
            number=wanted["external_ticket_no"],
            answer=answer.envelope,
            url=answer.data["url"] if answer.ok else None,
            origin=origin_of(answer.data["url"]) if answer.ok else None,
        )
        return page if answer.ok else (page, 502)

    return views


def _link(config: SimulatorConfig, wanted: dict[str, Any]) -> str:
    platform, app_id = config.platform_url, config.app_id
    with PartnerClient(platform, app_id, config.secret, config.sign_method) as client:
        return client.page_link(
            wanted["ticket_type"],
            wanted["caller_number"],
            wanted["operator_no"],
            external_ticket_no=wanted["external_ticket_no"],
        )


def _ask(config: SimulatorConfig, wanted: dict[str, Any]) -> Answer:
    platform, app_id = config.platform_url, config.app_id
    with PartnerClient(platform, app_id, config.secret, config.sign_method) as client:
        try:
            return client.open_page(wanted)
        except httpx.HTTPError:
            return Answer(0, {"code": "UNREACHABLE", "message": "无法连接12317平台"})
