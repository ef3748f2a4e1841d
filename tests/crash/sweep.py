"""The SIGKILL sweep (A) and the races (B, C): `python -m tests.crash.sweep --every 3`.

A: every story, killed at the points of its own. B: three nodes race with the same tickets. C:
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

STRIDE = 53
"""Of the run inside the suite: prime, so that successive offsets meet every kind of point."""
ROUNDS = 40


def run(sweeper: Sweeper, seed: int, every: int) -> Iterator[Outcome]:
    """Every so many points of each story, the races, and the mutants until they are caught.

    The offset is of `seed`: as many runs as the stride, with seeds in a row, meet every point.
    """
    rounds = max(2, ROUNDS // every)
    for story in (COUNTY, *DETOURS):
        yield sweeper.sweep(story, sweeper.points(story, 1 + seed % every, every))
    yield race(sweeper, "B, three nodes", rounds, seed)
    for story, tickets in ((LATE, 8), (NIGHT, 20)):
        name = f"C, three schedulers, {story.name}"
        yield race_of_schedulers(sweeper, story, name, tickets * rounds // 2, seed)
    yield from _mutants(sweeper, seed)


def _mutants(sweeper: Sweeper, seed: int) -> Iterator[Outcome]:
    points = [f"{when} insert outbound_messages" for when in ("before", "after")]
    mutant = mutants.send_after_the_commit
    yield sweeper.sweep(COUNTY, points, mutant, "mutant: send after the commit")
    points = [f"{when} insert deadline_events" for when in ("before", "after")]
    mutant = mutants.finish_before_the_step
    yield sweeper.sweep(LATE, points, mutant, "mutant: finish before the step")
    mutant = mutants.lock_nothing
    yield race(sweeper, "mutant: lock nothing", 20, seed, mutant, first=True)


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
    parser.add_argument("--every", type=int, default=STRIDE, help="so many points; 1 is each")
    parser.add_argument("--seed", type=int, default=1, help="of the races, and the first point")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file")
    options = parser.parse_args(arguments)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="crash-") as folder, open_world(Path(folder)) as world:
        sweeper = Sweeper(world)
        for outcome in run(sweeper, options.seed, options.every):
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
