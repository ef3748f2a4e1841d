"""The one function that computes due dates: facts of a ticket + policy + calendar → deadlines.

Pure. What happened meanwhile — pauses, granted days, a refusal — comes in as an `Adjustment`, so
that a due date can always be computed anew from its beginning and never loses a pause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from app.core.clock import BEIJING
from app.deadlines.calendar import Calendar, Moment
from app.deadlines.limits import Limit
from app.deadlines.policy import PETITIONS, ROUTES, TITLES, Lights, Policy, Rule

LONGEST = timedelta(days=366)
"""No requested date is later than this after the receipt: it would be a slip."""
NONE = timedelta()
REQUESTED = "来件要求的办结日期"
_AUDITS = {"province": ("audit_province",), "city": ("audit_city", "audit_province")}
_ABOVE = {**_AUDITS, "county": _AUDITS["city"]}
"""The audits above the level that handles."""


@dataclass(frozen=True)
class Facts:
    """What the policy asks about a ticket; ids and decisions only."""

    ticket_type: str
    source: str
    received_at: datetime
    urgent: bool = False
    delegated: bool = False
    """Handed below the province."""
    level: str = "county"
    """The level that handles (or is expected to): province, city or county."""
    final_audit: str = "province"
    """The level whose audit is the last; what a city registered itself ends there."""
    rejected: bool = False
    """The report was rejected (驳回) and is being reworked."""
    reopened: bool = False
    """A new round after the callback (重办)."""
    requested: date | None = None
    """The date the sender asked for, or the nation gave."""

    @property
    def words(self) -> frozenset[str]:
        """The conditions of policy lines that hold."""
        found = {"any", self.ticket_type, self.source}
        found |= {"petition"} if self.source in PETITIONS else set()
        for word in ("urgent", "delegated", "rejected", "reopened"):
            found |= {word} if getattr(self, word) else set()
        return frozenset(found)

    def as_data(self) -> dict[str, Any]:
        """As JSON keeps them."""
        requested = self.requested.isoformat() if self.requested else None
        moment = self.received_at.astimezone(BEIJING).isoformat()
        return {**self.__dict__, "received_at": moment, "requested": requested}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Facts":
        """The facts that `as_data` wrote."""
        requested = date.fromisoformat(data["requested"]) if data["requested"] else None
        moment = datetime.fromisoformat(data["received_at"])
        return cls(**{**data, "received_at": moment, "requested": requested})


@dataclass(frozen=True)
class Adjustment:
    """What has been added to a deadline since it began."""

    granted: tuple[Limit, ...] = ()
    """Extensions, in the order in which they were granted."""
    paused: timedelta = NONE
    """Working time during which the clock stood still."""
    not_before: datetime | None = None
    """A refused extension leaves at least a working day from the refusal."""


UNTOUCHED = Adjustment()


@dataclass(frozen=True)
class Deadline:
    """One due date with the rule it comes from."""

    stage: str
    start_at: datetime
    due_at: datetime
    yellow_at: datetime
    orange_at: datetime
    limit: Limit | None
    basis: str
    law: str
    provisional: bool
    squeezed: bool = False
    """There was not enough time left: it got a share of it."""
    adjusted: bool = False
    """The date that was asked for could not be met."""

    @property
    def title(self) -> str:
        """The name of the stage."""
        return TITLES[self.stage]


def total(
    facts: Facts, policy: Policy, calendar: Calendar, adjustment: Adjustment = UNTOUCHED
) -> Deadline:
    """The ticket's own due date, from the receipt (or from the beginning of a new round).

    A requested date counts when it is at least one working day after receipt and at most a year.
    """
    rule = policy.rule("total", facts.words)
    if rule is None:
        raise LookupError(f"policy {policy.version} has no total for {facts.ticket_type}")
    start = facts.received_at
    received = calendar.receipt(start)
    base = rule.limit.after(start, calendar)
    wanted, adjusted = facts.requested, False
    if wanted is not None:
        asked = calendar.closing(wanted)
        first = calendar.add_working_days(start, 1).at
        adjusted = not (first <= asked and wanted - received.date() <= LONGEST)
        if not adjusted:
            base = Moment(asked, not calendar.is_official(start, asked))
            rule = replace(rule, basis=REQUESTED, law="practice")
    due = _adjusted(base.at, calendar, adjustment)
    found = _deadline("total", rule, start, due, policy, calendar, adjustment)
    kept = rule.limit if rule.basis != REQUESTED else None
    return replace(found, adjusted=adjusted, limit=kept)


def stage(
    key: str,
    start: datetime,
    facts: Facts,
    total_due: datetime,
    policy: Policy,
    calendar: Calendar,
    adjustment: Adjustment = UNTOUCHED,
) -> Deadline:
    """A stage's due date: its own limit, but early enough for the audits above it.

    It is never before its start and never after the ticket's own. When the time left is short, the
    stage first gives way to the audits until half of its limit is gone; then both get their share.
    """
    rule = policy.rule(key, facts.words)
    latest = max(total_due, start)
    reserve = _reserve(key, facts, policy)
    if rule is None:
        due, squeezed = max(_back(latest, reserve, calendar), start), False
    else:
        own = _adjusted(rule.limit.after(start, calendar).at, calendar, adjustment)
        due, squeezed = _fitted(start, own, latest, reserve, calendar)
        due = max(due, min(adjustment.not_before or due, latest))
    found = _deadline(key, rule, start, due, policy, calendar, adjustment)
    return replace(found, squeezed=squeezed)


def clock(
    key: str,
    start: datetime,
    facts: Facts,
    policy: Policy,
    calendar: Calendar,
    adjustment: Adjustment = UNTOUCHED,
    latest: datetime | None = None,
) -> Deadline | None:
    """A limit beside the ticket's own (受理告知, 首次联系, replies); None when there is none.

    With `latest` it is never due after that moment.
    """
    rule = policy.rule(key, facts.words)
    if rule is None:
        return None
    due = _adjusted(rule.limit.after(start, calendar).at, calendar, adjustment)
    if latest is not None:
        due = max(min(due, latest), start)
    return _deadline(key, rule, start, due, policy, calendar, adjustment)


def bare(
    key: str, start: datetime, total_due: datetime, policy: Policy, calendar: Calendar
) -> Deadline:
    """A task whose stage has no limit: it is due when its ticket is."""
    due = max(total_due, start)
    return _deadline(key, None, start, due, policy, calendar, UNTOUCHED)


def compute(facts: Facts, policy: Policy, calendar: Calendar) -> list[Deadline]:
    """Every due date of a ticket if each stage takes as long as it may (试算)."""
    whole = total(facts, policy, calendar)
    found = [whole]
    if told := clock("notify_acceptance", facts.received_at, facts, policy, calendar):
        found.append(told)
    start = facts.received_at
    if facts.source != "call" and policy.rule("sign_in", facts.words) is not None:
        found.append(stage("sign_in", start, facts, whole.due_at, policy, calendar))
    for key in _route(facts):
        if policy.rule(key, facts.words) is None:
            continue
        if key == "handle" and (
            contact := clock("first_contact", start, facts, policy, calendar, latest=whole.due_at)
        ):
            found.append(contact)
        found.append(stage(key, start, facts, whole.due_at, policy, calendar))
        start = found[-1].due_at
    return found


def lights(
    start: datetime, due: datetime, in_hours: bool, rule: Lights, calendar: Calendar
) -> tuple[datetime, datetime]:
    """When the light turns yellow and orange (DL-06); limits in hours know per cent only."""
    time = max(calendar.working_time(start, due), NONE)

    def used(percent: int) -> datetime:
        return min(calendar.add_working_time(start, time * percent / 100).at, due)

    if in_hours:
        return used(rule.yellow), used(rule.orange)
    left = calendar.subtract_working_days(due, rule.yellow_days)
    yellow = max(used(rule.not_before), min(left, used(rule.yellow)))
    return yellow, max(yellow, calendar.subtract_working_days(due, rule.orange_days))


def _route(facts: Facts) -> Iterator[str]:
    for key in ROUTES[facts.level]:
        if key == "audit_province" and facts.final_audit == "city":
            continue
        if facts.source in PETITIONS and key in {"review", "dispatch"}:
            continue
        yield key


def _reserve(key: str, facts: Facts, policy: Policy) -> list[Limit]:
    """What the audits after this stage need."""
    audits = [
        each
        for each in _ABOVE[facts.level]
        if facts.final_audit == "province" or each == "audit_city"
    ]
    if key in audits:
        audits = audits[audits.index(key) + 1 :]
    rules = [policy.rule(each, facts.words) for each in audits]
    return [rule.limit for rule in rules if rule is not None]


def _back(due: datetime, reserve: list[Limit], calendar: Calendar) -> datetime:
    for limit in reserve:
        due = limit.before(due, calendar)
    return due


def _fitted(
    start: datetime, own: datetime, latest: datetime, reserve: list[Limit], calendar: Calendar
) -> tuple[datetime, bool]:
    backed = _back(latest, reserve, calendar)
    if own <= backed:
        return own, False
    half = max(calendar.working_time(start, own), NONE) / 2
    needed = max(calendar.working_time(backed, latest), NONE)
    share = NONE
    if half:
        left = max(calendar.working_time(start, latest), NONE)
        share = min(left * (half / (half + needed)), half)
    shared = calendar.add_working_time(start, share).at
    return max(min(max(backed, shared), latest), start), True


def _adjusted(due: datetime, calendar: Calendar, adjustment: Adjustment) -> datetime:
    for days in adjustment.granted:
        due = days.after(due, calendar).at
    due = calendar.add_working_time(due, adjustment.paused).at
    return max(due, adjustment.not_before) if adjustment.not_before else due


def _deadline(
    key: str,
    rule: Rule | None,
    start: datetime,
    due: datetime,
    policy: Policy,
    calendar: Calendar,
    adjustment: Adjustment,
) -> Deadline:
    limit = rule.limit if rule else None
    running = calendar.add_working_time(start, adjustment.paused).at
    yellow, orange = lights(
        min(running, due), due, limit is not None and limit.unit == "wh", policy.lights, calendar
    )
    return Deadline(
        stage=key,
        start_at=start,
        due_at=due,
        yellow_at=yellow,
        orange_at=orange,
        limit=limit,
        basis=rule.basis if rule else "",
        law=rule.law if rule else "analysis",
        provisional=not calendar.is_official(start, due),
    )
