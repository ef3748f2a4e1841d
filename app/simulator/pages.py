"""The pages of the simulated platform: what came, how to misbehave, submit a sample."""

import secrets
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.core import clock
from app.simulator import behaviour, followups, labels, samples
from app.simulator.behaviour import MODES, Control
from app.simulator.client import Answer, PartnerClient
from app.simulator.config import SimulatorConfig
from app.simulator.invocation import DISPLAYS, TABLES, origin_of
from app.simulator.journal import Journal, Received

SHOWN = 100
DECISIONS = {"return-requests": "decide_return", "extension-requests": "decide_extension"}


def pages(config: SimulatorConfig, journal: Journal, control: Control) -> Blueprint:
    """The blueprint a person looks at."""
    views = Blueprint("pages", __name__)

    def partner() -> PartnerClient:
        return PartnerClient(config.platform_url, config.app_id, config.secret, config.sign_method)

    @views.before_request
    def refuse_foreign_forms() -> None:
        """A form of another site must not steer the simulator."""
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
            abort(403)

    @views.get("/")
    def index() -> str:
        """What was received and submitted, newest first."""
        return render_template(
            "index.html",
            config=config,
            received=_newest(journal, notifications=False),
            sent_out=_newest(journal, notifications=True),
            submitted=journal.submitted[: -SHOWN - 1 : -1],
            refused=journal.refused[:-21:-1],
            totals=(len(journal.received), len(journal.submitted), len(journal.refused)),
            behaviour=control.current,
            modes=MODES,
            titles=labels.TITLES,
            title_of=labels.title,
            samples=samples.of_province(config.province_code),
            call=followups.CALL,
            tables=TABLES,
            displays=DISPLAYS,
            platform=origin_of(config.platform_url),
            followed_up=journal.followed_up[:-21:-1],
        )

    @views.get("/messages/<int:no>")
    def message(no: int) -> str:
        """One message with Chinese field names and what it lacks."""
        found = journal.message(no) or abort(404)
        return render_template(
            "message.html",
            config=config,
            message=found,
            title=labels.title(found.operation, found.body),
            facts=labels.facts(found.body),
            missing=labels.missing(found.operation, found.body),
            decidable=found.operation in DECISIONS,
            days=found.body.get("extension_days"),
            cancelled=found.operation in DECISIONS and journal.cancellation_of(found),
            number=_number(found.body),
            follow_ups=_chosen(followups.SUITABLE.get(found.operation, ())),
            followed_up=journal.sent_after(_number(found.body)),
        )

    @views.post("/messages/<int:no>/decide")
    def decide(no: int) -> AnyResponse:
        """Agree to or refuse a return or extension request (tables 4 and 5)."""
        found = journal.message(no) or abort(404)
        verb = DECISIONS.get(found.operation) or abort(404)
        approved = request.form.get("approved") == "1"
        opinion = request.form.get("opinion", "").strip() or ("同意" if approved else "不同意")
        days = request.form.get("approved_days", type=int)
        more = {"approved_days": days} if days and approved else {}
        if found.body.get("request_no"):
            more["request_no"] = found.body["request_no"]
        with partner() as client:
            answer = _reach(
                lambda: getattr(client, verb)(
                    _number(found.body), approved=approved, opinion=opinion, **more
                )
            )
        journal.decide(
            no,
            {"approved": approved, "opinion": opinion, "answer": dict(answer.envelope)},
            clock.now().astimezone(clock.BEIJING),
        )
        return redirect(url_for("pages.message", no=no), 303)

    @views.post("/tickets/<number>/<key>")
    def follow_up(number: str, key: str) -> AnyResponse:
        """Send a supplement, an urge, a withdrawal, a callback or a request to rework."""
        if key not in followups.FOLLOW_UPS:
            abort(404)
        _send(followups.FOLLOW_UPS[key], number, number)
        back = request.args.get("submission", type=int)
        if back:
            return redirect(url_for("pages.submission", no=back), 303)
        return redirect(url_for("pages.message", no=request.args.get("message", 0, int)), 303)

    @views.post("/calls")
    def announce_call() -> AnyResponse:
        """Announce a call that is put through (话务转接)."""
        now = clock.now().astimezone(clock.BEIJING)
        call_id = f"{config.ticket_prefix}-C{now:%Y%m%d}-{secrets.randbelow(10**6):06d}"
        _send(followups.CALL, call_id, "")
        return redirect(url_for("pages.index"), 303)

    def _send(what: followups.FollowUp, key: str, number: str) -> None:
        """Send what the form holds and note the answer."""
        try:
            values = what.entered(request.form)
        except LookupError as missing:
            abort(422, f"请填写{missing}")
        with partner() as client:
            answer = _reach(lambda: what.send(client, key, values))
        number = number or str(answer.data.get("acceptance_no", ""))
        now = clock.now().astimezone(clock.BEIJING)
        journal.follow_up(what.title, number, values, answer.status, answer.envelope, now)

    @views.post("/submit")
    def submit() -> AnyResponse:
        """Submit a sample with the signed API and show the receipt."""
        try:
            sample = samples.sample_named(request.form.get("sample", ""))
        except KeyError:
            abort(404)
        now = clock.now().astimezone(clock.BEIJING)
        number = f"{config.ticket_prefix}-{now:%Y%m%d}-{secrets.randbelow(10**6):06d}"
        body = samples.submission(sample, number, now)
        with partner() as client:
            answer = _reach(lambda: getattr(client, f"submit_{sample.kind}")(body))
        noted = journal.submit(sample.title, body, answer.status, answer.envelope, now)
        return redirect(url_for("pages.submission", no=noted.no), 303)

    @views.get("/submissions/<int:no>")
    def submission(no: int) -> str:
        """A submitted ticket, its receipt, and where it stands now."""
        if not 0 < no <= len(journal.submitted):
            abort(404)
        found = journal.submitted[no - 1]
        receipt = found.answer.get("data") or {}
        state: Answer | None = None
        number = receipt.get("acceptance_no")
        if number and request.args.get("state"):
            with partner() as client:
                state = _reach(lambda: client.ticket(number))
        return render_template(
            "submission.html",
            config=config,
            submission=found,
            receipt=labels.facts({k: v for k, v in receipt.items() if k != "warnings"}),
            warnings=receipt.get("warnings") or [],
            errors=found.answer.get("errors") or [],
            facts=labels.facts(found.body),
            state=state,
            state_facts=labels.facts(state.data) if state and state.ok else [],
            number=number,
            follow_ups=_chosen(followups.FOLLOW_UPS if number else ()),
            followed_up=journal.sent_after(number) if number else [],
        )

    @views.get("/control")
    def show_control() -> Response:
        """How deliveries are treated now, as JSON."""
        return jsonify(_as_json(control))

    @views.post("/control")
    def set_control() -> AnyResponse:
        """Change how deliveries are treated; a form or JSON: mode, seconds, times, operation."""
        values: Any = request.get_json() if request.is_json else request.form
        try:
            control.set(behaviour.read(values))
        except ValueError as error:
            return jsonify(code="VALIDATION_FAILED", message=str(error)), 422  # type: ignore[return-value]
        if request.is_json:
            return jsonify(_as_json(control))
        return redirect(url_for("pages.index"), 303)

    return views


def _number(body: Mapping[str, Any]) -> str:
    return str(body.get("acceptance_no") or "")


def _chosen(keys: Iterable[str]) -> list[tuple[str, followups.FollowUp]]:
    return [(key, followups.FOLLOW_UPS[key]) for key in keys]


def _reach(call: Any) -> Answer:
    """An answer of the platform, also when it cannot be reached."""
    try:
        answer: Answer = call()
    except httpx.HTTPError:
        return Answer(0, {"code": "UNREACHABLE", "message": "无法连接12317平台"})
    return answer


def _newest(journal: Journal, *, notifications: bool) -> list[Received]:
    """The newest messages: those for the hotline, or those to be sent to staff as an SMS."""
    wanted = (
        message
        for message in reversed(journal.received)
        if (message.operation == labels.NOTIFICATIONS) is notifications
    )
    return list(islice(wanted, SHOWN))


def _as_json(control: Control) -> dict[str, Any]:
    now = control.current
    return {
        "mode": now.mode,
        "title": now.title,
        "seconds": now.seconds,
        "times": now.times,
        "operation": now.operation,
    }
