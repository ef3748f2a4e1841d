"""The policy of time limits (时限政策): read by stage and type, edited in two steps.

A change counts for new tickets. Open ones follow only when somebody asks for it (`recomputing`).
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.api.http import client_ip
from app.core import clock
from app.core.db import transact
from app.core.errors import Conflict, FieldError, HotlineError, Invalid, NotAllowed, NotFound
from app.deadlines import policies, policy, recompute
from app.deadlines.limits import UNITS
from app.deadlines.policy import LAWS, TITLES, TYPES
from app.divisions import queries as divisions
from app.security import access
from app.security.principal import Principal
from app.tickets.access import actor_of
from app.ui import policy_lines
from app.ui.page import draw, permitted
from app.ui.policy_lines import Line
from app.ui.present import shown

blueprint = Blueprint("policies", __name__)

REASON = 2, 200
"""Fewest and most characters of a reason."""


@blueprint.get("/deadlines/policies")
@permitted("deadline.manage")
def index(principal: Principal) -> str:
    """Limits by stage and type, of the nation or of a province."""
    scope = _scope()
    current = policies.current(scope)
    history = policies.history(scope)
    base = _base(scope).values
    versions = [policy.merged(base, each.values) for each in history] + [base]
    return draw(
        "policies/index.html",
        principal,
        active="policies",
        scope=scope,
        scopes=_scopes(),
        place=_name(scope),
        version=current.version,
        types=[policy_lines.WORDS[code] for code in TYPES],
        stages=_table(current.values),
        figures=list(policy_lines.figures(current.values).items()),
        history=[
            {
                "id": each.id,
                "reason": each.reason,
                "actor": each.actor_name,
                "at": shown(each.at),
                "lines": policy_lines.difference(versions[n + 1], versions[n]),
            }
            for n, each in enumerate(history)
        ],
        policies_url=url_for("policies.index"),
        edit_url=url_for("policies.edit", scope=scope) if may_edit(principal, scope) else None,
        recompute_url=url_for("recomputing.outlook")
        if may_edit(principal, policies.NATIONAL)
        else None,
        kinds=list(recompute.KINDS.items()),
        reason_length=REASON,
        runs=recompute.running(),
        here=url_for("policies.index", scope=scope),
    )


@blueprint.get("/deadlines/policies/edit")
@permitted("deadline.manage")
def edit(principal: Principal) -> str:
    """The form, filled with what is in force."""
    scope = _editable(principal)
    return _form(principal, scope, {}, [])


@blueprint.post("/deadlines/policies/edit")
@permitted("deadline.manage")
def preview(principal: Principal) -> str:
    """Show what would change; all that is wrong is named at once, and the form keeps its values."""
    scope = _editable(principal)
    base = _base(scope).values
    values = policy_lines.edited(base, policies.current(scope).values, request.form)
    problems = reason_problems()
    try:
        policies.preview(scope, values)
    except Invalid as refusal:
        problems = [*refusal.errors, *problems]
    if problems:
        return _form(principal, scope, dict(request.form), problems)
    found = policy_lines.difference(policies.current(scope).values, policy.merged(base, values))
    return draw(
        "calendar/preview.html",
        principal,
        active="policies",
        title=f"{_name(scope)}时限政策",
        groups=[("变更，自新工单起生效", found)] if found else [],
        hidden={
            "values": json.dumps(values, ensure_ascii=False),
            "follows": policies.latest(scope),
            "reason": request.form["reason"],
            "seen": _digest(found),
        },
        apply_url=url_for("policies.apply", scope=scope),
        back_url=url_for("policies.edit", scope=scope),
    )


@blueprint.post("/deadlines/policies/apply")
@permitted("deadline.manage")
def apply(principal: Principal) -> Response:
    """Save what was shown as a new version; refused when the policy has changed meanwhile."""
    scope = _editable(principal)
    try:
        values = json.loads(request.form.get("values", ""))
        follows = int(request.form.get("follows", ""))
        if not isinstance(values, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise Invalid([FieldError("values", "json", "页面已过期，请重新打开")]) from None
    now = clock.now()

    def work() -> None:
        if problems := reason_problems():
            raise Invalid(problems)
        reason = request.form["reason"].strip()
        before = policies.current(scope).values
        policies.preview(scope, values)
        found = policy_lines.difference(before, policy.merged(_base(scope).values, values))
        if _digest(found) != request.form.get("seen"):
            raise Conflict("时限政策刚被他人修改，请刷新后重试", "POLICY_CHANGED")
        made = policies.save(
            scope, values, follows=follows, reason=reason, actor=actor_of(principal), now=now
        )
        record(principal, "policy.change", made.id, reason)

    return done(work, "已保存，自新工单起生效", url_for("policies.index", scope=scope))


def done(work: Callable[[], None], success: str, back: str) -> Response:
    """One transaction, then `back` with what came of it."""
    try:
        transact(work)
    except HotlineError as refusal:
        if refusal.status not in (409, 422):
            raise
        texts = [error.message for error in refusal.errors] or [refusal.message]
        flash("；".join(texts), "error")
    else:
        flash(success, "success")
    return redirect(back)


def record(
    principal: Principal, action: str, number: int | str, reason: str, **detail: int
) -> None:
    """Write to the access log what was done with the policy."""
    access.record(
        principal,
        action,
        "policy",
        number,
        ip=client_ip(),
        now=clock.now(),
        reason=reason,
        detail=detail,
    )


def reason_problems() -> list[FieldError]:
    """What is wrong with the reason that came along."""
    least, most = REASON
    if least <= len(request.form.get("reason", "").strip()) <= most:
        return []
    return [FieldError("reason", "length", f"请填写原因，{least}–{most} 个字")]


def _scope() -> str:
    scope = request.args.get("scope", policies.NATIONAL)
    if scope != policies.NATIONAL and scope not in dict(_scopes()):
        raise NotFound("没有这个地区的时限政策")
    return scope


def _scopes() -> list[tuple[str, str]]:
    provinces = [(each.code, each.name) for each in divisions.children(None)]
    return [(policies.NATIONAL, "全国"), *provinces]


def _name(scope: str) -> str:
    return dict(_scopes())[scope]


def may_edit(principal: Principal, scope: str) -> bool:
    """The nation's lines are national staff's; a province's lines are its own staff's too."""
    return principal.level == "national" or scope[:2] == principal.division_code[:2]


def _editable(principal: Principal) -> str:
    scope = _scope()
    if not may_edit(principal, scope):
        raise NotAllowed
    return scope


def _base(scope: str) -> policy.Policy:
    """What a scope's own lines are laid over: the product's, or the nation's."""
    return policy.default() if scope == policies.NATIONAL else policies.current(policies.NATIONAL)


def _digest(lines: list[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()


def _table(values: Any) -> list[dict[str, Any]]:
    """A row for each stage: the lines of all types, and those of each."""
    rows: dict[str, list[Line]] = {}
    for line in policy_lines.lines_of(values):
        rows.setdefault(line.stage, []).append(line)
    return [
        {
            "title": TITLES[stage],
            "cells": [
                [_cell(line) for line in lines if kind in line.key.split()]
                for kind in ("any", *TYPES)
            ],
            "bases": list(dict.fromkeys((LAWS[line.law], line.basis) for line in lines)),
        }
        for stage, lines in rows.items()
    ]


def _cell(line: Line) -> dict[str, str]:
    when = " ".join(word for word in line.key.split() if word not in {"any", *TYPES})
    return {"limit": policy_lines.title_of(line.limit), "when": policy_lines.words_of(when)}


def _form(
    principal: Principal, scope: str, typed: dict[str, str], problems: list[FieldError]
) -> str:
    values = policies.current(scope).values
    stages: dict[str, list[Line]] = {}
    for line in policy_lines.lines_of(values):
        stages.setdefault(line.stage, []).append(line)
    wrong: dict[str, list[str]] = {}
    for problem in problems:
        wrong.setdefault(problem.field, []).append(problem.message)
    return draw(
        "policies/edit.html",
        principal,
        active="policies",
        title=f"{_name(scope)}时限政策",
        stages=[(TITLES[stage], lines) for stage, lines in stages.items()],
        values=values,
        typed=typed,
        wrong=wrong,
        problems=[(p.field, _where(p.field), p.message) for p in problems],
        units=list(UNITS.items()),
        laws=list(LAWS.items()),
        words=policy_lines,
        titles=list(TITLES.items()),
        types=[("any", policy_lines.WORDS["any"])]
        + [(code, policy_lines.WORDS[code]) for code in TYPES],
        edit_url=url_for("policies.edit", scope=scope),
        back_url=url_for("policies.index", scope=scope),
    )


def _where(field: str) -> str:
    """What a person calls the place of an error."""
    section, _, rest = field.partition(".")
    stage, _, key = rest.partition(".")
    if section == "limits":
        return f"{TITLES.get(stage, '新增的一行')}（{policy_lines.words_of(key)}）"
    names = {**policy_lines.LIGHTS, **policy_lines.ESCALATION, **policy_lines.EXTENSION}
    return names.get(
        stage, {"reason": "原因", "lights": "灯", "escalation": "升级"}.get(section, "")
    )
