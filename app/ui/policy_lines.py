"""A policy as lines of a form: how they read, and what an edited form means. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from app.deadlines.limits import limit_of
from app.deadlines.policy import LAWS, TITLES, TYPES
from app.tickets import sources
from app.tickets.types import TICKET_TYPES

_ABOUT = frozenset({"basis", "law", "after"})
WHEN = {
    "petition": "来信来访邮件",
    "urgent": "紧急",
    "delegated": "下转",
    "rejected": "驳回后",
    "reopened": "重办",
}
"""Circumstances a new line can name, beside a type."""
SOURCES = {source.code: source.title for source in sources.SOURCES.values()}
"""Or the one source for which it holds."""
WORDS = {
    "any": "各类",
    **{code: TICKET_TYPES[code].title for code in TYPES},
    **WHEN,
    **SOURCES,
}
LIGHTS = {
    "not_before": "黄灯不早于已用（%）",
    "yellow": "黄灯：已用（%）",
    "yellow_days": "黄灯：剩余工作日",
    "orange": "橙灯（按时计）：已用（%）",
    "orange_days": "橙灯：剩余工作日",
}
ESCALATION = {"supervise": "超期后督办", "leaders": "超期后报领导", "notice": "超期后通报"}
EXTENSION = {"max_times": "延期次数", "max_days": "延期合计最多天数"}
BEFORE = "须提前提出"
NEW_LINES = 3


@dataclass(frozen=True)
class Line:
    """How long a stage may take where the words of `key` hold."""

    stage: str
    key: str
    limit: str
    basis: str
    law: str

    @property
    def field(self) -> str:
        """Where errors of the policy say it is, and the beginning of its inputs' names."""
        return f"limits.{self.stage}.{self.key}"

    @property
    def number(self) -> str:
        """The number of the limit as typed."""
        return self.limit.rstrip(ascii_lowercase)

    @property
    def unit(self) -> str:
        """The unit of the limit."""
        return self.limit[len(self.number) :]

    @property
    def words(self) -> str:
        """When it holds, as people read it."""
        return words_of(self.key)

    @property
    def shown(self) -> str:
        """The whole line as people read it."""
        return f"{title_of(self.limit)}（{LAWS[self.law]}：{self.basis}）"


def words_of(key: str) -> str:
    """The conditions of a key in Chinese."""
    return " · ".join(WORDS.get(word, word) for word in key.split())


def title_of(limit: str) -> str:
    """A limit in Chinese; what is none, as it was typed."""
    try:
        return limit_of(limit).title
    except ValueError:
        return limit


def lines_of(values: Mapping[str, Any]) -> Iterator[Line]:
    """Every line of a policy's limits, by stage."""
    for stage, table in values["limits"].items():
        for key, raw in table.items():
            if key not in _ABOUT:
                own = raw if isinstance(raw, Mapping) else {"limit": raw}
                basis = own.get("basis", table.get("basis", ""))
                law = own.get("law", table.get("law", "analysis"))
                yield Line(stage, key, str(own.get("limit", "")), str(basis), str(law))


def figures(values: Mapping[str, Any]) -> dict[str, str]:
    """Lights, escalation and extensions by their Chinese names."""
    found = {title: str(values["lights"][key]) for key, title in LIGHTS.items()}
    found |= {title: title_of(values["escalation"][key]) for key, title in ESCALATION.items()}
    extension = values["extension"]
    for name, title in EXTENSION.items():
        found |= {f"{title}（{words_of(k)}）": str(n) for k, n in extension[name].items()}
    days = {"cd": "自然日", "wd": "工作日"}.get(extension["unit"], extension["unit"])
    return found | {"延期按": days, f"延期{BEFORE}": title_of(extension["apply_before"])}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs, a line each."""
    old, new = _flat(before), _flat(after)
    return [
        f"{name}：{old.get(name, '无')} → {new.get(name, '无')}"
        for name in [*old, *(each for each in new if each not in old)]
        if old.get(name) != new.get(name)
    ]


def edited(
    base: Mapping[str, Any], shown: Mapping[str, Any], form: Mapping[str, str]
) -> dict[str, Any]:
    """The lines that a form makes different from `base`, `shown` being what it was drawn from.

    When its number is emptied, a line that `base` does not have falls away, and one that was laid
    over a line of `base` gives that line its place back.
    """
    known = {line.field: line for line in lines_of(base)}
    limits: dict[str, dict[str, Any]] = {}
    for line in [*lines_of(shown), *_new(form)]:
        typed = _typed(line, form)
        old = known.get(line.field)
        if not typed.limit and old is not None and line.shown != old.shown:
            continue
        if typed != old and (typed.limit or old):
            limits.setdefault(line.stage, {})[line.key] = _value(typed, old)
    made: dict[str, Any] = {"limits": limits} if limits else {}
    for section, name, text in _figures(shown, form):
        table, value = base[section], _number(text)
        if isinstance(name, str):
            if value != table[name]:
                made.setdefault(section, {})[name] = value
        elif value != table[name[0]].get(name[1]):
            made.setdefault(section, {}).setdefault(name[0], {})[name[1]] = value
    return made


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    lines = {f"{TITLES[x.stage]}（{x.words}）": x.shown for x in lines_of(values)}
    return lines | figures(values)


def _figures(
    shown: Mapping[str, Any], form: Mapping[str, str]
) -> Iterator[tuple[str, str | tuple[str, str], str]]:
    for name in LIGHTS:
        yield "lights", name, form.get(f"lights.{name}", "")
    for name in ESCALATION:
        yield "escalation", name, _limit(form, f"escalation.{name}")
    yield "extension", "unit", form.get("extension.unit", "")
    yield "extension", "apply_before", _limit(form, "extension.apply_before")
    for name in EXTENSION:
        for key in shown["extension"][name]:
            yield "extension", (name, key), form.get(f"extension.{name}.{key}", "")


def _typed(line: Line, form: Mapping[str, str]) -> Line:
    law = form.get(f"{line.field}:law", line.law)
    basis = " ".join(form.get(f"{line.field}:basis", line.basis).split())
    limit = _limit(form, line.field) if f"{line.field}:number" in form else line.limit
    return Line(line.stage, line.key, limit, basis, law)


def _new(form: Mapping[str, str]) -> Iterator[Line]:
    for n in range(NEW_LINES):
        stage, kind = form.get(f"new-{n}-stage", ""), form.get(f"new-{n}-type", "any")
        limit = _limit(form, f"new-{n}")
        if stage or limit:
            key = f"{kind} {form.get(f'new-{n}-when', '')}".strip()
            basis = " ".join(form.get(f"new-{n}-basis", "").split())
            yield Line(stage or "?", key, limit, basis, form.get(f"new-{n}-law", "analysis"))


def _value(line: Line, old: Line | None) -> dict[str, str]:
    """A limit alone keeps the basis of the line it is laid over."""
    if old is not None and (line.basis, line.law) == (old.basis, old.law):
        return {"limit": line.limit}
    return {"limit": line.limit, "basis": line.basis, "law": line.law}


def _limit(form: Mapping[str, str], name: str) -> str:
    number = form.get(f"{name}:number", "").strip()
    return number + form.get(f"{name}:unit", "wd") if number else ""


def _number(text: str) -> int | str:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text
