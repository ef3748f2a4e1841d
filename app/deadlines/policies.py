"""The policies in force: the product's default, the nation's edits, a province's over both."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.deadlines import editions, policy
from app.deadlines.editions import Edition
from app.deadlines.errors import PolicyChanged
from app.deadlines.models import PolicyVersion
from app.deadlines.policy import Policy
from app.engine.registry import Actor

NATIONAL = "national"

_labels: dict[tuple[Edition, str], str] = {}
_policies: dict[str, Policy] = {}


def current(province_code: str, edition: Edition | None = None) -> Policy:
    """The policy that new tickets of a province get; `edition` is the one in force, when known."""
    key = (edition or editions.current().policy, province_code)
    if key not in _labels:
        _labels[key] = _label(province_code)
    return version(_labels[key])


def scope_of(division_code: str) -> str:
    """The province whose policy holds for a division; `NATIONAL` for the whole country."""
    province = division_code[:2]
    return NATIONAL if province == "00" else province.ljust(12, "0")


def version(label: str) -> Policy:
    """The policy of a version a deadline names; a version never changes."""
    if label not in _policies:
        national, _, province = label.partition("+")
        edition, _, edit = national.partition(".")
        values = policy.default_values(int(edition))
        for number in (edit, province):
            values = policy.merged(values, _values(int(number or 0)))
        _policies[label] = policy.policy_of(values, label)
    return _policies[label]


def preview(scope: str, values: Mapping[str, Any]) -> list[str]:
    """The lines that would change; Invalid names those that are wrong.

    A change of the national policy must fit every province's own lines too.
    """
    base = _base(scope)
    made = policy.policy_of(policy.merged(base, values), "preview")
    if scope == NATIONAL:
        for province in scopes():
            own = _values(latest(province))
            policy.policy_of(policy.merged(made.values, own), f"preview+{province}")
    before = policy.merged(base, _values(latest(scope)))
    return list(_lines(before, made.values))


def save(
    scope: str,
    values: Mapping[str, Any],
    *,
    follows: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> PolicyVersion:
    """A new version of a scope's lines, for new tickets only; open ones by `recompute` (DL-08).

    `follows` is the version the editor began with; PolicyChanged when it is no longer the last.
    """
    preview(scope, values)
    if follows != latest(scope):
        raise PolicyChanged(scope)
    made = (
        session()
        .scalars(
            insert(PolicyVersion)
            .values(
                scope=scope,
                follows=follows,
                values=dict(values),
                reason=reason,
                actor_id=actor.id,
                actor_name=actor.name,
                at=now,
            )
            .on_conflict_do_nothing()
            .returning(PolicyVersion)
        )
        .one_or_none()
    )
    if made is None:
        raise PolicyChanged(scope)
    return made


def latest(scope: str) -> int:
    """The last version of a scope's lines; 0 when it has none."""
    newest = select(func.max(PolicyVersion.id)).where(PolicyVersion.scope == scope)
    return session().scalar(newest) or 0


def scopes() -> list[str]:
    """The provinces that have lines of their own."""
    own = select(PolicyVersion.scope).where(PolicyVersion.scope != NATIONAL)
    return list(session().scalars(own.distinct()))


def history(scope: str) -> list[PolicyVersion]:
    """The versions of a scope, newest first."""
    return list(
        session().scalars(
            select(PolicyVersion)
            .where(PolicyVersion.scope == scope)
            .order_by(PolicyVersion.id.desc())
        )
    )


def _base(scope: str) -> dict[str, Any]:
    values = policy.default_values()
    if scope == NATIONAL:
        return values
    return policy.merged(values, _values(latest(NATIONAL)))


def _label(province_code: str) -> str:
    """`1` is the product's, `1.4` has the nation's edit of id 4, `1.4+7` a province's of id 7."""
    national, own = latest(NATIONAL), latest(province_code)
    label = str(policy.EDITION) + (f".{national}" if national else "")
    return label + (f"+{own}" if own else "")


def _values(number: int) -> dict[str, Any]:
    found = session().get(PolicyVersion, number) if number else None
    return dict(found.values) if found else {}


def _lines(before: Any, after: Any, where: str = "") -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found = []
        for key in [*before, *(each for each in after if each not in before)]:
            found += _lines(before.get(key), after.get(key), f"{where}.{key}" if where else key)
        return found
    shown = "无" if before is None else before
    return [] if before == after else [f"{where}：{shown} → {'无' if after is None else after}"]
