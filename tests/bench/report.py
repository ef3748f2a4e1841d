"""Showing figures, keeping them, and filling the tables of `docs/performance.md`."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.support.database import ROOT

RESULTS = ROOT / "instance" / "bench" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
TIME_LIMITS = ("computing", "enforcing", "recomputing")
"""Sections with a table of their own, as they have databases of their own."""

QUIET = 1.5
"""A higher load before the first section, which waits for nobody, is somebody else's."""

_TIMED = ("median_ms", "p95_ms", "p99_ms", "per_second")
_COST = ("web_cpu_ms", "database_cpu_ms", "client_cpu_ms")


@dataclass
class Run:
    """One run of one section, and how busy the machine was when it began."""

    figures: list[Figure]
    load_before: float

    @classmethod
    def of(cls, section: Any, stage: Any, scale: float) -> "Run":
        """Run a section."""
        load = os.getloadavg()[0]
        return cls(section(stage, scale), round(load, 2))


def show(name: str, runs: Sequence[Run]) -> None:
    """Print the newest run of a section."""
    for figure in runs[-1].figures:
        shown = "  ".join(f"{key}={value:g}" for key, value in figure.values.items())
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.met]
        print(f"  {figure.what:58} {verdict:7}{shown}  {figure.note}", flush=True)


def keep(runs: Mapping[str, Sequence[Run]], *, tickets: int, quick: bool) -> None:
    """Store the runs; sections that did not run keep their figures."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, section_runs in runs.items():
        kept[name] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": _commit(),
            "machine": _machine(),
            "tickets": tickets,
            "quick": quick,
            "loads": [run.load_before for run in section_runs],
            "runs": [[figure.as_json() for figure in run.figures] for run in section_runs],
        }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")


def write() -> None:
    """Replace what stands between the markers of the document, where there are figures for it."""
    kept = json.loads(RESULTS.read_text())
    own = {name: kept[name] for name in TIME_LIMITS if name in kept}
    others = {name: kept[name] for name in kept if name not in own}
    if others:
        _fill("figures", tables(others, f"Tickets: {_seen(others, 'tickets')}"))
    if own:
        _fill("time limits", tables(own))
    print(f"{DOCUMENT.relative_to(ROOT)} written")


def _fill(block: str, shown: str) -> None:
    begin, end = f"<!-- {block}: begin -->", f"<!-- {block}: end -->"
    before, found, rest = DOCUMENT.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{DOCUMENT.name} has lost its markers")
    DOCUMENT.write_text(f"{before}{begin}\n\n{shown}\n{end}{after}")


def _seen(kept: Mapping[str, Any], name: str) -> str:
    return _span(sorted({f"{section[name]:,}" for section in kept.values()}))


def tables(kept: Mapping[str, Any], *conditions: str) -> str:
    """Both tables: what clients waited for, and the rest."""
    timed: list[list[Figure]] = []
    rest: list[list[Figure]] = []
    for section in _in_order(kept):
        for figures in _by_line(section["runs"]):
            (timed if "web_cpu_ms" in figures[0].values else rest).append(figures)
    lines = [*_conditions(kept), *(f"- {each}" for each in conditions), ""]
    if timed:
        lines += [
            "| Over HTTP | Goal | median ms | p95 ms | p99 ms | per second"
            " | CPU ms: web + database + client | Met |",
            "|---|---|---|---|---|---|---|---|",
        ]
    for figures in timed:
        cells = [_cell(figures, key) for key in _TIMED]
        cost = " · ".join(" + ".join(f"{f.values[key]:.1f}" for key in _COST) for f in figures)
        lines.append(_line(figures, [*cells, cost]))
        lines.append("")
    if rest:
        lines += ["| Elsewhere | Goal | Run 1 | Run 2 | Met |", "|---|---|---|---|---|"]
    for figures in rest:
        cells = [_plain(figure) for figure in figures]
        lines.append(_line(figures, cells + [""] * (2 - len(cells))))
    return "\n".join(lines) + "\n"


def _in_order(kept: Mapping[str, Any]) -> Iterator[Any]:
    from tests.bench.sections import SECTIONS

    return (kept[name] for name in SECTIONS if name in kept)


def _by_line(runs: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[list[Figure]]:
    for same in zip(*runs, strict=True):
        yield [Figure.from_json(stored) for stored in same]


def _conditions(kept: Mapping[str, Any]) -> list[str]:
    sections = list(_in_order(kept))
    seen = {
        "Measured": sorted({s["at"][:16].replace("T", " ") + " UTC" for s in sections}),
        "On": sorted({s["machine"] for s in sections}),
    }
    commits = dict.fromkeys(s["commit"] for s in sections)
    loads = [load for s in sections for load in s["loads"]]
    found = [f"- {name}: {_span(values)}" for name, values in seen.items()]
    found.append(f"- At commit: {', '.join(commits)}")
    if sections[0]["loads"][0] > QUIET:
        found.append(
            "- **The machine was busy with other work: these latencies and rates are not the"
            " product's; even CPU is up to twice that of a quiet machine.**"
        )
    found.append(f"- Load of the machine when a section began: {min(loads):g} to {max(loads):g}")
    if any(s["quick"] for s in sections):
        found.append("- **Quick run: a smoke test, not a measurement.**")
    return found


def _span(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _line(figures: Sequence[Figure], cells: Sequence[str]) -> str:
    first = figures[0]
    met = {None: "", True: "yes", False: "**no**"}[
        None if first.met is None else all(figure.met for figure in figures)
    ]
    goals = ", ".join(str(goal).strip() for goal in first.goals)
    what = first.what + (f" ({first.note})" if first.note else "")
    return "| " + " | ".join([what, goals, *cells, met]) + " |"


def _cell(figures: Sequence[Figure], key: str) -> str:
    return " · ".join(f"{figure.values[key]:g}" for figure in figures)


def _plain(figure: Figure) -> str:
    values = figure.values
    if "median_ms" in values:
        shown = f"{values['median_ms']:g} / {values['p95_ms']:g} / {values['p99_ms']:g} ms"
        return shown + (f", slowest {values['max_ms']:g}" if "max_ms" in values else "")
    units = {
        **{"per_second": "/s", "per_minute": "/min", "mb": " MB"},
        **{name: f" {name}" for name in ("blocks", "duplicates", "errors", "notifications")},
    }
    return ", ".join(f"{value:,g}{units.get(key, '')}" for key, value in values.items())


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return told.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
