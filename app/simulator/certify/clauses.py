"""Clauses of the contract as data, and what came of trying each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.exchange import rules
from app.simulator.certify.line import Exchange, Line, Reply

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
VERDICTS = {PASSED: "通过", FAILED: "不符合", SKIPPED: "未测"}


class Broken(Exception):
    """The clause does not hold; the text says in Chinese what was expected and what came."""


class NotObserved(Exception):
    """Nothing was seen from which the clause could be judged."""


@dataclass(frozen=True)
class Dialect:
    """What a profile says of a platform's own paths, field names and words for yes and no."""

    paths: Mapping[str, str] = field(default_factory=dict)
    field_names: Mapping[str, str] = field(default_factory=dict)
    boolean_mapping: Mapping[str, Any] = field(default_factory=dict)

    def path(self, operation: str) -> str:
        """Where the operation is, below the callback address."""
        return self.paths.get(operation, operation)

    def words(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as this platform wants it."""
        return rules.outgoing(body, self.field_names, self.boolean_mapping)


@dataclass
class Trial:
    """What the checks of one run share: the line, and what earlier clauses left for later ones."""

    line: Line
    number: Callable[[], str]
    """A ticket number that was never used, neither in this run nor in another."""
    province: str = "520000"
    patience: float = 10.0
    """Seconds in which an answer must begin."""
    dialect: Dialect = Dialect()
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Clause:
    """One numbered promise: what it says, the rule it comes from, and how to find out."""

    no: str
    title: str
    rule: str
    check: Callable[[Trial], None]
    rests_on: tuple[str, ...] = ()
    """Clauses without which this one says nothing; it is not tried when one of them fails."""


@dataclass(frozen=True)
class Finding:
    """What came of one clause, with everything that was sent and received, masked."""

    clause: Clause
    verdict: str
    reason: str
    exchanges: Sequence[Exchange]

    @property
    def title(self) -> str:
        """The verdict in Chinese."""
        return VERDICTS[self.verdict]

    @property
    def seconds(self) -> float:
        """How long the other side took."""
        return sum(each.ms for each in self.exchanges) / 1000


def certify(clauses: Iterable[Clause], trial: Trial) -> list[Finding]:
    """Try every clause in order; one that cannot be judged says why."""
    findings: list[Finding] = []
    failed: set[str] = set()
    for clause in clauses:
        verdict, reason = _judge(clause, trial, failed)
        if verdict != PASSED:
            failed.add(clause.no)
        findings.append(Finding(clause, verdict, reason, trial.line.take_exchanges()))
    return findings


def _judge(clause: Clause, trial: Trial, failed: set[str]) -> tuple[str, str]:
    missing = [no for no in clause.rests_on if no in failed]
    if missing:
        return SKIPPED, f"须先符合条款{'、'.join(missing)}"
    try:
        clause.check(trial)
    except Broken as broken:
        return FAILED, str(broken)
    except NotObserved as unseen:
        return SKIPPED, str(unseen)
    return PASSED, ""


def tally(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many clauses came to each verdict."""
    verdicts = [finding.verdict for finding in findings]
    return {verdict: verdicts.count(verdict) for verdict in VERDICTS}


def require(holds: object, expected: str, reply: Reply) -> None:
    """Broken, with what came instead, unless it holds."""
    if not holds:
        raise Broken(f"{expected}；实际收到：{reply.told}")
