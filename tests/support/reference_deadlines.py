"""Lists of the page on time limits, read from the default policy."""

from app.deadlines.policy import LAWS, TITLES, TYPES, Rule, default
from tests.support.markdown import code, table

_SHOWN = {"any": "", "petition": "letter, visit, e-mail"}


def limits() -> str:
    """Every line of the default policy: what for, how long, why, and who is bound by it."""
    rows = []
    for stage, lines in default().rules.items():
        grouped: dict[tuple[str, str, str, str], list[str]] = {}
        for rule in lines:
            key = (_circumstances(rule), str(rule.limit), rule.basis, rule.law)
            grouped.setdefault(key, []).extend(sorted(rule.words & set(TYPES)) or ["all"])
        for (when, limit, basis, law), kinds in grouped.items():
            title = f"{TITLES[stage]} {code(stage)}"
            rows.append((title, ", ".join(kinds), when, limit, basis, f"{law} {LAWS[law]}"))
    return table(("limit", "types", "when", "how long", "basis", "kind"), rows)


def extensions() -> str:
    """How often and how long a ticket may be prolonged."""
    rows = []
    for kind in TYPES:
        for words in ((), ("petition",)):
            found = default().extension(frozenset({"any", kind, *words}))
            if found.max_times:
                when = _SHOWN["petition"] if words else "calls"
                most = f"{found.max_days}{found.unit}"
                rows.append((kind, when, found.max_times, most, str(found.apply_before)))
            else:
                rows.append((kind, _SHOWN["petition"] if words else "calls", "never", "—", "—"))
    return table(("type", "source", "times", "days together", "asked before the due date"), rows)


def escalation() -> str:
    """The thresholds of the lights and the steps after red."""
    lights = default().lights
    rows: list[tuple[str, str]] = [
        (
            "yellow 黄灯",
            f"{lights.yellow} % used or {lights.yellow_days} working days left, whichever comes"
            f" first, but not before {lights.not_before} %",
        ),
        ("orange 橙灯", f"{lights.orange_days} working day left; in hours {lights.orange} % used"),
        ("red 红灯", "the moment after the due date"),
        *((step, f"{limit} after the due date") for step, limit in default().escalation.items()),
    ]
    return table(("step", "reached"), rows)


def _circumstances(rule: Rule) -> str:
    words = sorted(rule.words - set(TYPES))
    return ", ".join(shown for word in words if (shown := _SHOWN.get(word, word)))
