"""Signing in several tickets at once (批量签收): each is a transaction of its own."""

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.core.db import transact
from app.core.errors import Conflict, HotlineError, NotFound
from app.engine import runner
from app.engine.errors import TaskAlreadyDone
from app.engine.registry import HeldTask
from app.security.principal import Principal
from app.tickets.access import actor_of, guard
from app.tickets.queries import PAGE
from app.ui.page import permitted

blueprint = Blueprint("batch", __name__)

FORMS = frozenset({"ticket.sign_in", "ticket.county_decide"})
"""Forms that ask for nothing: a click is all there is to signing in, at province and county."""


@blueprint.post("/worklist/sign-in")
@permitted("task.complete")
def sign_in(principal: Principal) -> Response:
    """Sign in what was ticked; what others were faster with is named and changes nothing."""
    done, missed = 0, []
    for task_id in _ticked()[:PAGE]:
        try:
            _sign_in(principal, task_id)
        except HotlineError as refusal:
            missed.append(_why(refusal))
        else:
            done += 1
    if done:
        flash(f"已签收 {done} 件", "success")
    for reason in dict.fromkeys(missed):
        flash(f"{missed.count(reason)} 件未签收：{reason}", "warning")
    if not done and not missed:
        flash("请先勾选要签收的工单", "warning")
    return redirect(url_for("worklist.index"))


def _sign_in(principal: Principal, task_id: UUID) -> None:
    def authorise(task: HeldTask) -> None:
        guard(principal)(task)
        if task.form not in FORMS:
            raise Conflict("该环节须逐件办理", "NOT_A_SIGN_IN")

    transact(
        lambda: runner.complete_task(
            task_id, {}, actor=actor_of(principal), now=clock.now(), authorise=authorise
        )
    )


def _ticked() -> list[UUID]:
    found = []
    for text in dict.fromkeys(request.form.getlist("task_id")):
        try:
            found.append(UUID(text))
        except ValueError:
            raise NotFound("没有这项待办", "TASK_NOT_FOUND") from None
    return found


def _why(refusal: HotlineError) -> str:
    return refusal.who if isinstance(refusal, TaskAlreadyDone) else refusal.message
