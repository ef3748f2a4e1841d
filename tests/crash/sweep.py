"""The SIGKILL sweep (A) and the races (B, C): `python -m tests.crash.sweep --all`.

A: every story, killed at every point of its own. B: three nodes race with the same tickets. C:
three schedulers race through the same time limits. Afterwards each ticket must look as if nothing
had happened. The mutants prove that a bug would be seen.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from tests.crash import mutants
from tests.crash.races import race, race_of_schedulers
from tests.crash.stories import COUNTY, DETOURS, LATE, NIGHT
from tests.crash.sweeper import Outcome, Sweeper
from tests.crash.world import open_world

THIRD = 3
STRIDE = 53
"""Of the bounded sweep: odd and prime, so that successive offsets meet every kind of point."""


def whole(sweeper: Sweeper, seed: int) -> Iterator[Outcome]:
    """Every point of the straight way and of time limits, every third of the other stories.

    Then forty rounds of the nodes' race, ten of the schedulers', and all mutants.
    """
    for story in (COUNTY, *DETOURS):
        stride = 1 if story in (COUNTY, LATE) else THIRD
        yield sweeper.sweep(story, sweeper.points(story, 1 + seed % stride, stride))
    yield race(sweeper, "B, three nodes", 40, seed)
    for number in range(5):
        for story in (LATE, NIGHT):
            name = f"C, three schedulers, {story.name} ({number})"
            yield race_of_schedulers(sweeper, story, name, 40, seed + number)
    yield from _mutants(sweeper, seed, rounds=10, first=False)


def bounded(sweeper: Sweeper, seed: int) -> Iterator[Outcome]:
    """Every so many points from an offset of `seed`, two rounds, mutants until caught."""
    begin = 1 + seed % STRIDE
    for story in (COUNTY, *DETOURS):
        yield sweeper.sweep(story, sweeper.points(story, begin, STRIDE))
    yield race(sweeper, "B, three nodes", 2, seed)
    for story, tickets in ((LATE, 8), (NIGHT, 20)):
        yield race_of_schedulers(
            sweeper, story, f"C, three schedulers, {story.name}", tickets, seed
        )
    yield from _mutants(sweeper, seed, rounds=20, first=True)


def _mutants(sweeper: Sweeper, seed: int, *, rounds: int, first: bool) -> Iterator[Outcome]:
    points = [f"{when} insert outbound_messages" for when in ("before", "after")]
    mutant = mutants.send_after_the_commit
    yield sweeper.sweep(COUNTY, points, mutant, "mutant: send after the commit")
    points = [f"{when} insert deadline_events" for when in ("before", "after")]
    mutant = mutants.finish_before_the_step
    yield sweeper.sweep(LATE, points, mutant, "mutant: finish before the step")
    mutant = mutants.lock_nothing
    yield race(sweeper, "mutant: lock nothing", rounds, seed, mutant, first=first)


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """What the sweep has to say against the product, or against itself."""
    found = []
    for outcome in outcomes:
        if outcome.name.startswith("mutant"):
            if not outcome.violations:
                found.append(f"{outcome.name}: not caught")
        else:
            found += [f"{outcome.name}: {each}" for each in outcome.violations]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run, print a line per sweep and every failure; 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.sweep", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every point, not every fifty-third")
    parser.add_argument("--seed", type=int, default=1, help="of the race, and the bounded offset")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file")
    options = parser.parse_args(arguments)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="crash-") as folder, open_world(Path(folder)) as world:
        sweeper = Sweeper(world)
        for outcome in (whole if options.all else bounded)(sweeper, options.seed):
            outcomes.append(outcome)
            print(outcome.line(), flush=True)
            kinds = ", ".join(f"{n} at {kind}" for kind, n in outcome.killed_at.items())
            if kinds:
                print(f"   kills: {kinds}", flush=True)
            for violation in outcome.violations[:5]:
                print(f"   {violation}", flush=True)
    found = failures(outcomes)
    if options.json:
        body = {"outcomes": [asdict(outcome) for outcome in outcomes], "failures": found}
        options.json.write_text(json.dumps(body, ensure_ascii=False, indent=1))
    print("FAILED" if found else "all invariants held, all mutants were caught", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
