"""`make bench`, or `python -m tests.bench [section …] [option …]`.

Runs every section twice, one after the other and then all again, prints a table and keeps the
figures in `instance/bench/results.json`. `--write` puts kept figures into `docs/performance.md`.
"""

import argparse
import sys


def main() -> int:
    """Measure, show, keep; 1 when a request failed where none may."""
    from tests.bench import report
    from tests.bench.sections import SECTIONS
    from tests.bench.stage import Stage

    ask = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    ask.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    ask.add_argument("--tickets", type=int, default=1_000_000, help="seeded tickets")
    ask.add_argument(
        "--events",
        type=int,
        default=100_000,
        help="lights that are due, and tickets computed anew",
    )
    ask.add_argument("--runs", type=int, default=2, help="interleaved runs")
    ask.add_argument("--quick", action="store_true", help="20,000 tickets, a tenth of the work")
    ask.add_argument("--write", action="store_true", help="only fill docs/performance.md")
    wanted = ask.parse_args()
    if wanted.write:
        report.write()
        return 0
    unknown = set(wanted.sections) - set(SECTIONS)
    if unknown:
        ask.error(f"no such section: {', '.join(sorted(unknown))}")
    chosen = [name for name in SECTIONS if name in wanted.sections or not wanted.sections]
    scale = 0.1 if wanted.quick else 1.0
    tickets = min(wanted.tickets, 20_000) if wanted.quick else wanted.tickets
    events = min(wanted.events, 2_000) if wanted.quick else wanted.events
    stage = Stage(tickets, events)
    runs: dict[str, list[report.Run]] = {name: [] for name in chosen}
    try:
        for number in range(1, wanted.runs + 1):
            for name in chosen:
                print(f"run {number}: {name} …", flush=True)
                runs[name].append(report.Run.of(SECTIONS[name], stage, scale))
                report.show(name, runs[name])
                report.keep({name: runs[name]}, tickets=tickets, quick=wanted.quick)
    finally:
        stage.close()
    print(f"figures kept in {report.RESULTS}; --write puts them into {report.DOCUMENT.name}")
    failed = [f for all_runs in runs.values() for run in all_runs for f in run.figures]
    return int(any(f.values.get("errors") or f.values.get("duplicates") for f in failed))


if __name__ == "__main__":
    sys.exit(main())
