"""Open tickets brought up to the present calendar and policy (重新计算): looked at, then begun."""

from functools import partial

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.core.db import transact
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.deadlines import policies, queries, recompute
from app.deadlines.errors import NoClock
from app.deadlines.policy import TITLES
from app.security.principal import Principal
from app.ui.page import draw, permitted
from app.ui.policies import REASON, done, may_edit, reason_problems, record
from app.ui.present import shown

blueprint = Blueprint("recomputing", __name__)

SAMPLE = 20
"""Tickets that the preview computes."""


@blueprint.get("/deadlines/policies/recompute")
@permitted("deadline.manage")
def outlook(principal: Principal) -> str:
    """What computing open tickets anew would move, by the example of the newest ones."""
    kind = _recomputable(principal)
    total, newest = queries.running_clocks(SAMPLE)
    numbers = [(row.ticket_id, row.business_key) for row in newest]
    groups, moved = [], 0
    for ticket_id, number in numbers:
        lines = transact(partial(_moves, ticket_id, kind))
        moved += bool(lines)
        if lines:
            groups.append((number, lines))
    return draw(
        "policies/recompute.html",
        principal,
        active="policies",
        kind=kind,
        title=recompute.KINDS[kind],
        total=total,
        sampled=len(numbers),
        moved=moved,
        groups=groups,
        reason_length=REASON,
        begin_url=url_for("recomputing.begin", kind=kind),
        back_url=url_for("policies.index"),
    )


@blueprint.post("/deadlines/policies/recompute")
@permitted("deadline.manage")
def begin(principal: Principal) -> Response:
    """Start it in the background; one run at a time."""
    kind = _recomputable(principal)
    now = clock.now()

    def work() -> None:
        if problems := reason_problems():
            raise Invalid(problems)
        if recompute.running():
            raise Conflict("正在重新计算，请等待完成", "RECOMPUTE_RUNNING")
        reason = request.form["reason"].strip()
        total = recompute.begin(kind, now, reason=reason, actor_name=principal.display_name)
        record(principal, "deadline.recompute", kind, reason, tickets=total)

    return done(work, "已开始，在后台进行", url_for("policies.index"))


def _moves(ticket_id: int, kind: str) -> list[str]:
    try:
        found = recompute.preview(ticket_id, kind)
    except NoClock:
        return []
    return [
        f"{TITLES[move.stage]}：{shown(move.old_due_at)} → {shown(move.due_at)}"
        + ("（暂定）" if move.provisional else "")
        for move in found
    ]


def _recomputable(principal: Principal) -> str:
    if not may_edit(principal, policies.NATIONAL):
        raise NotAllowed
    kind = request.args.get("kind", recompute.POLICY)
    if kind not in recompute.KINDS:
        raise NotFound
    return kind
