"""Reconciliation (对账): each day of each platform, every difference, and what puts it right."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.api.http import client_ip
from app.core import clock
from app.core.db import transact
from app.core.errors import FieldError, HotlineError, Invalid, NotFound
from app.exchange.models import Partner
from app.reconciliation import queries, rules, services
from app.reconciliation.models import (
    COLLECTING,
    COMPARED,
    COMPLETE,
    Reconciliation,
    ReconciliationDifference,
)
from app.security import access
from app.security.permissions import may
from app.security.principal import Principal
from app.ui import present
from app.ui.page import draw, permitted, province_scope

blueprint = Blueprint("reconciliation", __name__)

AT_ONCE = 500
"""So many differences are repaired by one press."""
REASON = 5, 200
_STATES = {
    COLLECTING: ("清单未收齐", "orange"),
    COMPLETE: ("等待比对", "orange"),
    COMPARED: ("已比对", "green"),
}


@blueprint.get("/reconciliation")
@permitted("queue.view")
def index(principal: Principal) -> str:
    """Days that were compared, newest first."""
    found = queries.runs(
        province_code=province_scope(principal), before=_place(), limit=queries.PAGE + 1
    )
    rows = found[: queries.PAGE]
    last = rows[-1][0] if len(found) > queries.PAGE else None
    return draw(
        "reconciliation/index.html",
        principal,
        active="reconciliation",
        rows=[_run(run, name, left) for run, name, left in rows],
        next_url=url_for("reconciliation.index", day=last.day.isoformat(), before=last.id)
        if last
        else None,
        first_url=url_for("reconciliation.index") if request.args.get("before") else None,
    )


@blueprint.get("/reconciliation/<int:run_id>")
@permitted("queue.view")
def show(principal: Principal, run_id: int) -> str:
    """The differences of a day."""
    run, partner = queries.run_of(run_id, province_code=province_scope(principal))
    kind = request.args.get("kind") if request.args.get("kind") in rules.KINDS else None
    after = request.args.get("after", 0, type=int)
    found = queries.differences(run.id, kind=kind, after=after, limit=queries.PAGE + 1)
    rows = found[: queries.PAGE]
    counts = queries.counts(run.id)
    return draw(
        "reconciliation/show.html",
        principal,
        active="reconciliation",
        run=_run(run, partner.name, sum(left for _, left in counts.values())),
        kinds=[
            {
                "title": title,
                "total": counts.get(key, (0, 0))[0],
                "left": counts.get(key, (0, 0))[1],
                "url": url_for("reconciliation.show", run_id=run.id, kind=key),
                "chosen": key == kind,
                "repair": rules.REPAIRS[key],
                "repair_url": url_for("reconciliation.repair_kind", run_id=run.id, kind=key),
            }
            for key, title in rules.KINDS.items()
        ],
        all_url=url_for("reconciliation.show", run_id=run.id),
        rows=[_difference(principal, row) for row in rows],
        may_repair=may(principal, "queue.replay"),
        again_url=url_for("reconciliation.again", run_id=run.id),
        next_url=url_for("reconciliation.show", run_id=run.id, kind=kind, after=rows[-1].id)
        if len(found) > queries.PAGE
        else None,
        first_url=url_for("reconciliation.show", run_id=run.id, kind=kind) if after else None,
        list_url=url_for("reconciliation.index"),
        reason_length=REASON,
        at_once=AT_ONCE,
    )


@blueprint.post("/reconciliation/<int:run_id>/again")
@permitted("queue.replay")
def again(principal: Principal, run_id: int) -> Response:
    """Compare once more (重新比对)."""

    def work() -> None:
        run, _ = queries.run_of(run_id, province_code=province_scope(principal))
        services.compare_again(run)
        _record(principal, "reconciliation.again", run_id)

    return _back(work, run_id, "已安排重新比对，片刻后刷新")


@blueprint.post("/reconciliation/<int:run_id>/repair/<kind>")
@permitted("queue.replay")
def repair_kind(principal: Principal, run_id: int, kind: str) -> Response:
    """Repair what is left of one kind, so many at once."""
    if kind not in rules.KINDS:
        raise NotFound("没有这种差异", "KIND_NOT_FOUND")
    done: list[int] = []

    def work() -> None:
        done.clear()
        run, partner = queries.run_of(run_id, province_code=province_scope(principal))
        for each in queries.differences(run.id, kind=kind, open_only=True, limit=AT_ONCE):
            _repair(principal, run, partner, each)
            done.append(each.id)
        _record(principal, "reconciliation.repair", run_id, kind=kind, count=len(done))

    return _back(work, run_id, lambda: f"已处理 {len(done)} 条")


@blueprint.post("/reconciliation/<int:run_id>/differences/<int:difference_id>/repair")
@permitted("queue.replay")
def repair(principal: Principal, run_id: int, difference_id: int) -> Response:
    """Repair one."""

    def work() -> None:
        run, partner = queries.run_of(run_id, province_code=province_scope(principal))
        each = queries.difference_of(run.id, difference_id)
        _repair(principal, run, partner, each)
        _record(principal, "reconciliation.repair", run_id, kind=each.kind, count=1)

    return _back(work, run_id, "已处理")


@blueprint.post("/reconciliation/<int:run_id>/differences/<int:difference_id>/dismiss")
@permitted("queue.replay")
def dismiss(principal: Principal, run_id: int, difference_id: int) -> Response:
    """Nothing needs to be sent (已核对), and why."""

    def work() -> None:
        run, _ = queries.run_of(run_id, province_code=province_scope(principal))
        reason = " ".join(request.form.get("reason", "").split())
        if not REASON[0] <= len(reason) <= REASON[1]:
            text = f"请填写说明，{REASON[0]}–{REASON[1]} 个字"
            raise Invalid([FieldError("reason", "length", text)])
        each = queries.difference_of(run.id, difference_id)
        services.dismiss(each, reason, clock.now(), actor=principal.display_name)
        _record(principal, "reconciliation.dismiss", run_id, reason=reason, kind=each.kind)

    return _back(work, run_id, "已标记为已核对")


def _repair(
    principal: Principal,
    run: Reconciliation,
    partner: Partner,
    difference: ReconciliationDifference,
) -> None:
    services.repair(run, partner, difference, clock.now(), actor=principal.display_name)


def _back(work: Callable[[], None], run_id: int, success: str | Callable[[], str]) -> Response:
    try:
        transact(work)
    except HotlineError as refusal:
        if refusal.status not in (409, 422):
            raise
        flash("；".join(each.message for each in refusal.errors) or refusal.message, "error")
    else:
        flash(success if isinstance(success, str) else success(), "success")
    return redirect(url_for("reconciliation.show", run_id=run_id))


def _record(
    principal: Principal, action: str, run_id: int, reason: str | None = None, **detail: Any
) -> None:
    access.record(
        principal,
        action,
        "reconciliation",
        run_id,
        ip=client_ip(),
        now=clock.now(),
        reason=reason,
        detail=detail,
    )


def _place() -> tuple[date, int] | None:
    before = request.args.get("before", type=int)
    if before is None:
        return None
    try:
        return date.fromisoformat(request.args.get("day", "")), before
    except ValueError:
        return None


def _run(run: Reconciliation, name: str, left: int) -> dict[str, Any]:
    label, tone = _STATES[run.state]
    if run.state == COMPARED and run.list_id is None:
        label, tone = "未收到对方清单", "orange" if left else ""
    elif run.state == COMPARED and left:
        label, tone = f"有 {left} 条差异待处理", "red"
    elif run.state == COMPARED:
        label, tone = ("一致", "green") if not run.differences else ("差异已处理", "green")
    return {
        "day": f"{run.day:%Y-%m-%d}",
        "partner": name,
        "label": label,
        "tone": tone,
        "ours": run.ours,
        "theirs": run.theirs,
        "differences": run.differences,
        "left": left,
        "compared_at": present.shown(run.compared_at),
        "list_id": run.list_id,
        "url": url_for("reconciliation.show", run_id=run.id),
    }


def _difference(principal: Principal, row: ReconciliationDifference) -> dict[str, Any]:
    linked = row.acceptance_no and row.kind != rules.MISSING_HERE and may(principal, "ticket.view")
    return {
        "id": row.id,
        "kind": rules.KINDS[row.kind],
        "acceptance_no": row.acceptance_no,
        "external_ticket_no": row.external_ticket_no,
        "ticket_url": url_for("tickets.show", acceptance_no=row.acceptance_no) if linked else None,
        "ours": rules.OUTCOMES.get(row.ours or "", row.ours),
        "theirs": rules.OUTCOMES.get(row.theirs or "", row.theirs),
        "repaired": row.repair,
        "repaired_by": row.repaired_by,
        "repaired_at": present.shown(row.repaired_at),
        "repair": rules.REPAIRS[row.kind],
        "repair_url": url_for(
            "reconciliation.repair", run_id=row.reconciliation_id, difference_id=row.id
        ),
        "dismiss_url": url_for(
            "reconciliation.dismiss", run_id=row.reconciliation_id, difference_id=row.id
        ),
    }
