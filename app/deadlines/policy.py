"""The policy (时限政策) as plain data: how long each stage may take, for whom, and why.

It is read from the product's file or from a stored version and judged as a whole: a policy with one
wrong line is refused and the old one stays in force.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from app.core.errors import FieldError, Invalid
from app.deadlines.limits import Limit, limit_of
from app.deadlines.stages import STAGES

EDITION = 1
"""Of the product's own policy, for new tickets."""

CLOCKS = {
    "total": "总时限",
    "notify_acceptance": "受理告知",
    "first_contact": "首次联系",
    "return_window": "退回期限",
    "supplement_wait": "等待补充",
    "result_push": "结果推送",
    "result_push_alarm": "结果推送报警",
}
"""Limits that no task of a diagram has: of the whole ticket, and of waits."""
PUSHES = frozenset({"result_push", "result_push_alarm"})
"""What a machine does: in minutes of the clock, and nothing else is."""
WINDOWS = PUSHES | {"return_window"}
"""Of these: how long something is allowed. They start no clock and never turn red."""
MOST = {"return_window": Limit(5, "wd")}
"""What a regulation does not let a policy exceed: 信访工作条例 23."""
TITLES = {**CLOCKS, **STAGES}

TYPES = ("complaint", "declaration", "consultation", "suggestion")
PETITIONS = frozenset({"letter", "visit", "email"})
SOURCES = frozenset({"p12345_api", "p12345_page", "call", "national", "phone_010"}) | PETITIONS
WORDS = (
    frozenset(TYPES) | SOURCES | {"any", "petition", "urgent", "delegated", "rejected", "reopened"}
)
LAWS = {"law": "法规", "practice": "惯例", "analysis": "平台设定"}
_LAW_WANTED = "law 应为 law（法规）、practice（惯例）或 analysis（平台设定）"
_TYPE_WORDS = frozenset(TYPES) | {"any"}
_ABOUT = frozenset({"basis", "law", "after"})
_USUAL = ("basis", ""), ("law", "analysis")
_LINE = frozenset({"limit", "basis", "law"})
_SECTIONS = frozenset({"limits", "extension", "lights", "escalation"})
_STEPS = ("supervise", "leaders", "notice")

ROUTES = {
    "province": ("review", "dispatch", "handle", "audit_province"),
    "city": ("review", "dispatch", "city_forward", "handle", "audit_city", "audit_province"),
    "county": (
        *("review", "dispatch", "city_forward", "county_sign_in"),
        *("handle", "audit_city", "audit_province"),
    ),
}
"""The stages one after the other, by the level that handles; sign-in is within the review."""
SAME_UNIT = frozenset({"handle", "audit_city", "audit_province"})
"""Of these the ones a new round (重办) passes: the same unit handles again."""
_BY = {"province": "省级办理", "city": "市级办理", "county": "县级办理"}
_CIRCUMSTANCES = {"urgent": "紧急", "rejected": "驳回后", "reopened": "重办"}


@dataclass(frozen=True)
class Rule:
    """One line: how long a stage may take where all `words` hold."""

    stage: str
    words: frozenset[str]
    limit: Limit
    basis: str
    law: str
    after: str | None
    key: str
    """The words as they stand in the file."""


@dataclass(frozen=True)
class Lights:
    """Per cent of the time and working days left at which the light changes."""

    not_before: int = 50
    yellow: int = 70
    yellow_days: int = 2
    orange: int = 90
    orange_days: int = 1


@dataclass(frozen=True)
class Extension:
    """What may be asked for: nothing when `max_times` is 0."""

    max_times: int
    max_days: int
    unit: str
    apply_before: Limit


@dataclass(frozen=True)
class Policy:
    """A whole policy. `version` names the national version and the province's, if it has one."""

    version: str
    values: Mapping[str, Any] = field(repr=False, compare=False)
    rules: Mapping[str, tuple[Rule, ...]]
    lights: Lights
    escalation: Mapping[str, Limit]
    _found: dict[Any, Rule | None] = field(default_factory=dict, repr=False, compare=False)

    def rule(self, stage: str, words: frozenset[str]) -> Rule | None:
        """The line that fits best; None when the stage has no limit of its own."""
        key = (stage, words)
        if key not in self._found:
            fitting = [r for r in self.rules.get(stage, ()) if r.words <= words]
            self._found[key] = max(reversed(fitting), key=lambda r: _weight(r.words), default=None)
        return self._found[key]

    def extension(self, words: frozenset[str]) -> Extension:
        """What a ticket with these words may ask for."""
        values = self.values["extension"]
        return Extension(
            _most_specific(values["max_times"], words),
            _most_specific(values["max_days"], words),
            values["unit"],
            limit_of(values["apply_before"]),
        )


@cache
def default_values(edition: int = EDITION) -> dict[str, Any]:
    """The product's file; older editions are kept for the tickets that name them."""
    file = files("app.deadlines").joinpath(f"data/policy-{edition}.toml")
    return tomllib.loads(file.read_text("utf-8"))


@cache
def default() -> Policy:
    """The national default of the product."""
    return policy_of(default_values(), str(EDITION))


def merged(values: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """The values with an override's lines put over them, table by table."""
    result = dict(values)
    for key, value in override.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def policy_of(values: Mapping[str, Any], version: str) -> Policy:
    """A valid policy, or Invalid that names every line that is wrong."""
    problems: list[FieldError] = []
    for name in values.keys() - _SECTIONS:
        problems.append(FieldError(name, "section", f"没有名为 {name} 的一节"))
    found = _limits(_table(values, "limits", problems), problems)
    lights = _lights(_table(values, "lights", problems), problems)
    escalation = _escalation(_table(values, "escalation", problems), problems)
    _check_extension(_table(values, "extension", problems), problems)
    policy = Policy(version, values, found, lights, escalation)
    if not problems:
        problems += [*_sums(policy), *_sign_ins(policy)]
    if problems:
        raise Invalid(problems, "时限政策有误", "POLICY_INVALID")
    return policy


def _limits(tables: Mapping[str, Any], problems: list[FieldError]) -> dict[str, tuple[Rule, ...]]:
    """The lines of every stage. None may be lost: its tasks would be due with the ticket alone."""
    found: dict[str, tuple[Rule, ...]] = {}
    for stage, lines in tables.items():
        where = f"limits.{stage}"
        if stage not in TITLES:
            problems.append(FieldError(where, "stage", f"没有名为 {stage} 的环节"))
        elif not isinstance(lines, Mapping):
            problems.append(FieldError(where, "form", "应为一节，逐行写条件与期限"))
        elif not lines.keys() - _ABOUT:
            problems.append(FieldError(where, "required", f"{TITLES[stage]}没有一行期限"))
        else:
            found[stage] = tuple(_rules(stage, lines, problems))
    for stage in TITLES.keys() - tables.keys() if tables else ():
        problems.append(FieldError(f"limits.{stage}", "required", f"缺少环节{TITLES[stage]}"))
    return found


def _rules(stage: str, lines: Mapping[str, Any], problems: list[FieldError]) -> Iterator[Rule]:
    where = f"limits.{stage}"
    after = lines.get("after")
    problems += _reasons(lines, f"{where}.law", f"{where}.basis")
    if after is not None and not (isinstance(after, str) and after in STAGES):
        problems.append(FieldError(f"{where}.after", "stage", f"没有名为 {after} 的环节"))
    for key, value in lines.items():
        if key in _ABOUT:
            continue
        words, place = frozenset(key.split()), f"{where}.{key}"
        for word in sorted(words - WORDS) if words else [key]:
            problems.append(FieldError(place, "word", f"不认识的条件 {word}"))
        line = value if isinstance(value, Mapping) else {"limit": value}
        for name in sorted(line.keys() - _LINE):
            problems.append(FieldError(place, "form", f"不认识的内容 {name}"))
        problems += _reasons(line, place, place)
        try:
            limit = limit_of(line.get("limit"))
        except ValueError as error:
            problems.append(FieldError(place, "limit", str(error)))
            continue
        if (limit.unit == "min") != (stage in PUSHES):
            told = "推送的期限以分钟计" if stage in PUSHES else "分钟只用于推送的期限"
            problems.append(FieldError(place, "unit", told))
        if stage in MOST and limit.rough() > MOST[stage].rough():
            told = f"不能超过{MOST[stage].title}（信访工作条例第二十三条）"
            problems.append(FieldError(place, "most", told))
        basis, law = ({**lines, **line}.get(name, usual) for name, usual in _USUAL)
        yield Rule(stage, words, limit, str(basis), str(law), after, key)


def _reasons(lines: Mapping[str, Any], law_at: str, basis_at: str) -> Iterator[FieldError]:
    """What is wrong with why a limit holds."""
    law = lines.get("law", "law")
    if not (isinstance(law, str) and law in LAWS):
        yield FieldError(law_at, "law", _LAW_WANTED)
    if not isinstance(lines.get("basis", ""), str):
        yield FieldError(basis_at, "basis", "basis 应为文字")


def _lights(values: Mapping[str, Any], problems: list[FieldError]) -> Lights:
    known = set(Lights.__dataclass_fields__)
    for name, value in values.items():
        if name not in known or not _is_number(value, 100):
            problems.append(FieldError(f"lights.{name}", "number", "应为 0–100 的整数"))
            return Lights()
    lights = Lights(**values)
    if not 0 < lights.not_before <= lights.yellow <= lights.orange < 100:
        problems.append(
            FieldError("lights", "order", "应为 0 < not_before ≤ yellow ≤ orange < 100")
        )
    if lights.orange_days > lights.yellow_days:
        problems.append(FieldError("lights", "order", "orange_days 不能大于 yellow_days"))
    return lights


def _escalation(values: Mapping[str, Any], problems: list[FieldError]) -> dict[str, Limit]:
    found = {}
    for step in values.keys() - set(_STEPS):
        problems.append(FieldError(f"escalation.{step}", "step", f"没有名为 {step} 的一步"))
    for step in _STEPS:
        try:
            found[step] = limit_of(values.get(step))
        except ValueError as error:
            problems.append(FieldError(f"escalation.{step}", "limit", str(error)))
    amounts = [each.rough() for each in found.values()]
    if amounts != sorted(amounts):
        problems.append(FieldError("escalation", "order", "升级的各步应一步晚于一步"))
    return found


def _check_extension(values: Mapping[str, Any], problems: list[FieldError]) -> None:
    for name in values.keys() - set(Extension.__dataclass_fields__):
        problems.append(FieldError(f"extension.{name}", "form", f"不认识的内容 {name}"))
    for name, most in (("max_times", 2), ("max_days", 30)):
        lines = values.get(name)
        if not isinstance(lines, Mapping) or "any" not in lines:
            problems.append(FieldError(f"extension.{name}", "any", "应有 any 一行"))
            continue
        for key, value in lines.items():
            if not _is_number(value, most):
                problems.append(
                    FieldError(f"extension.{name}.{key}", "number", f"应为 0–{most} 的整数")
                )
            if not key.split() or set(key.split()) - WORDS:
                problems.append(FieldError(f"extension.{name}.{key}", "word", "不认识的条件"))
    if values.get("unit") not in ("cd", "wd"):
        problems.append(FieldError("extension.unit", "unit", "应为 cd（自然日）或 wd（工作日）"))
    try:
        limit_of(values.get("apply_before"))
    except ValueError as error:
        problems.append(FieldError("extension.apply_before", "limit", str(error)))


def _sums(policy: Policy) -> Iterator[FieldError]:
    """Stages of one route that take longer together than the ticket may, in any circumstances.

    A rework after a rejection stands for the first handling; a new round goes to the same unit.
    """
    seen: set[object] = set()
    for words, level in product(_cases(policy), ROUTES):
        words = words if level == "province" else words | {"delegated"}
        total = policy.rule("total", words)
        if total is None:
            (kind,) = words & set(TYPES)
            problem = FieldError(f"limits.total.{kind}", "required", "缺少总时限")
            if problem.field not in seen:
                seen.add(problem.field)
                yield problem
            continue
        route = [s for s in ROUTES[level] if "reopened" not in words or s in SAME_UNIT]
        parts = [policy.rule(stage, words) for stage in route]
        needed = sum((part.limit.rough() for part in parts if part), timedelta())
        if needed > total.limit.rough() and (total, level) not in seen:
            seen.add((total, level))
            days = needed / Limit(1, "wd").rough()
            more = [title for word, title in _CIRCUMSTANCES.items() if word in words]
            when = "、".join([*more, _BY[level]])
            told = f"{when}的，各环节合计约 {days:.1f} 个工作日，超过总时限 {total.limit.title}"
            yield FieldError(f"limits.total.{total.key}", "sum", told)


def _sign_ins(policy: Policy) -> Iterator[FieldError]:
    """Lines that leave the sign-in more time than the review, which includes it.

    Nobody signs in a call: an operator checks what the agent has recorded.
    """
    seen = set()
    for words in (each for each in _cases(policy) if "call" not in each):
        rule, whole = policy.rule("sign_in", words), policy.rule("review", words)
        if rule and whole and rule not in seen and rule.limit.rough() > whole.limit.rough():
            seen.add(rule)
            told = f"签收在初审之内，不能超过初审的{whole.limit.title}"
            yield FieldError(f"limits.sign_in.{rule.key}", "sum", told)


def _cases(policy: Policy) -> Iterator[frozenset[str]]:
    """Every combination of type, source and circumstances that lines tell apart."""
    named = {word for rules in policy.rules.values() for rule in rules for word in rule.words}
    more: list[list[frozenset[str]]] = [
        [frozenset(), frozenset({word})] for word in _CIRCUMSTANCES if word in named
    ]
    kinds = [frozenset({"any", kind}) for kind in TYPES]
    for words in product(kinds, _sources(policy), *more):
        yield frozenset().union(*words)


def _sources(policy: Policy) -> list[frozenset[str]]:
    """The words of where a ticket comes from, as far as lines tell sources apart."""
    named = {word for rules in policy.rules.values() for rule in rules for word in rule.words}
    petition = frozenset({"petition"})
    ways = [
        frozenset({each}) | (petition if each in PETITIONS else frozenset())
        for each in sorted(named & SOURCES)
    ]
    return [frozenset(), petition, *ways]


def _table(values: Mapping[str, Any], name: str, problems: list[FieldError]) -> Mapping[str, Any]:
    table = values.get(name)
    if isinstance(table, Mapping):
        return table
    problems.append(FieldError(name, "required", f"缺少 {name} 一节"))
    return {}


def _is_number(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _most_specific(lines: Mapping[str, int], words: frozenset[str]) -> int:
    fitting = [key for key in lines if set(key.split()) <= words]
    return lines[max(reversed(fitting), key=lambda key: _weight(frozenset(key.split())))]


def _weight(words: frozenset[str]) -> tuple[int, int]:
    """Circumstances count before the type; of equal lines the later one is taken."""
    circumstances = words - _TYPE_WORDS
    return len(circumstances), len(words - circumstances - {"any"})
