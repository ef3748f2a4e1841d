"""The SIGKILL sweep (A) and the three-node race (B): `python -m tests.crash.sweep --all`.

A: one node carries a ticket and is killed at point k; a second node goes on from the database and
the outside world's notes. Every k, one after the other. B: three nodes work on the same tickets at
the same moment, killed at random points, while leases run out under them. Afterwards each ticket
must look as if nothing had happened. The mutants prove that a bug would be seen.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.crash import mutants
from tests.crash.failpoints import Failpoints
from tests.crash.invariants import Facts, Platform12345, differences, facts, gaps, missing_files
from tests.crash.mutants import Mutant
from tests.crash.node import Node, Orders
from tests.crash.world import KILLED, Child, Ending, World, open_world

STRIDE = 19
"""Of the bounded sweep: odd and prime, so that successive offsets meet every kind of point."""
NODES = 3
RACE_ITEMS = 20


@dataclass
class Outcome:
    """What a sweep found; `killed_at` counts the kills by kind of point."""

    name: str
    points: int = 0
    kills: int = 0
    tickets: int = 0
    resends: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    killed_at: dict[str, int] = field(default_factory=dict)

    def line(self) -> str:
        """The outcome in one line."""
        return (
            f"{self.name}: {self.points} points, {self.kills} kills, {self.tickets} tickets, "
            f"{len(self.violations)} violations, {self.resends} re-sends, {self.seconds:.0f} s"
        )


class Sweeper:
    """Runs nodes in a world and compares every ticket with the undisturbed one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.platform = Platform12345(world.journal)
        self.length = 0
        self.expected = self._undisturbed(self.orders())
        self.expected_in_race = self._undisturbed(self.orders(rivals=True, items=RACE_ITEMS))
        self.expected_submitted = self._undisturbed(self.orders(rivals=True, only_submit=True))

    def orders(self, **more: Any) -> Orders:
        """Orders for a ticket nobody has seen yet."""
        called_at = (datetime.now(UTC) - timedelta(minutes=9)).isoformat(timespec="seconds")
        return Orders(f"GZ-{uuid.uuid4().hex[:16]}", called_at, **more)

    def sweep(self, name: str, at: Iterable[int | str], mutant: Mutant | None = None) -> Outcome:
        """Sweep A over the given points, until a run ends before its point."""
        with self._counting(name) as outcome:
            for k in at:
                orders = self.orders(patience=2 if mutant else 6)
                ending = self._start([orders], k, mutant).wait()
                where = f"point {k} ({self._died_at(orders.external_no)})"
                killed = ending.code == KILLED
                if killed:
                    outcome.points += 1
                    outcome.kills += 1
                    kind = self._kind(orders.external_no)
                    outcome.killed_at[kind] = outcome.killed_at.get(kind, 0) + 1
                    self.world.expire_leases()
                    ending = self._start([orders], None, mutant, repeat=True).wait()
                outcome.tickets += 1
                wrong = [f"recovery: {ending.result}"] if ending.code != 0 else []
                wrong += self._judge(orders, self.expected)
                outcome.violations += [f"{where}: {each}" for each in wrong]
                if not killed:
                    break
        return outcome

    def race(
        self,
        name: str,
        rounds: int,
        seed: int,
        mutant: Mutant | None = None,
        *,
        first: bool = False,
    ) -> Outcome:
        """Sweep B: three nodes on the same two tickets, `rounds` times.

        Three of four nodes get a point to die at, up to twice the points of one journey. With
        `first` it ends at the first violation.
        """
        chance = random.Random(seed)
        with self._counting(name) as outcome:
            for number in range(1, rounds + 1):
                shared = [self.orders(rivals=True, items=RACE_ITEMS, patience=1) for _ in range(2)]
                alone = [self.orders(rivals=True, only_submit=True) for _ in range(NODES)]
                nodes = []
                for rank in range(NODES):
                    own = chance.random() < 0.5
                    theirs = [replace(o, node=f"n{rank}", own_actions=own) for o in shared]
                    kill_at = chance.randint(5, 2 * self.length) if chance.random() < 0.75 else None
                    nodes.append(self._start([alone[rank], *theirs], kill_at, mutant))
                endings = self._wait_while_leases_expire(nodes)
                kills = sum(ending.code == KILLED for ending in endings)
                outcome.points += kills
                outcome.kills += kills
                wrong = [
                    f"node {rank}: {ending.result}"
                    for rank, ending in enumerate(endings)
                    if ending.code not in (0, KILLED)
                ]
                wrong += self._recover(shared, alone, mutant)
                outcome.tickets += len(shared) + len(alone)
                outcome.violations += [f"round {number}: {each}" for each in wrong]
                if first and outcome.violations:
                    break
        return outcome

    def _recover(
        self, shared: list[Orders], alone: list[Orders], mutant: Mutant | None
    ) -> list[str]:
        wrong = []
        self.world.expire_leases()
        for orders in [*shared, *alone]:
            last = replace(orders, node="last", patience=6)
            ending = self._start([last], None, mutant, repeat=True).wait()
            if ending.code != 0:
                wrong.append(f"recovery: {ending.result}")
            expected = self.expected_submitted if orders.only_submit else self.expected_in_race
            wrong += self._judge(orders, expected)
        return wrong + self._numbers_differ([*shared, *alone])

    def _start(
        self,
        orders: list[Orders],
        kill_at: int | str | None,
        mutant: Mutant | None,
        *,
        repeat: bool = False,
    ) -> Child:
        folder = self.world.folder

        def run() -> list[str]:
            if mutant is not None:
                mutant()
            points = Failpoints(kill_at, folder / f"{orders[0].external_no}.died")
            points.arm()
            for each in orders:
                node = Node(self.world.app, self.world.cast, each, points, folder)
                node.carry()
                if repeat:
                    node.repeat()
            return points.passed

        return self.world.fork(run)

    def _wait_while_leases_expire(self, nodes: list[Child]) -> list[Ending]:
        """Time runs fast in the race: a living node may lose its lease too, and must notice."""
        expiring = self.world.fork(self._keep_expiring)
        endings = [node.wait() for node in nodes]
        expiring.stop()
        return endings

    def _keep_expiring(self) -> None:
        while True:
            time.sleep(0.02)
            self.world.expire_leases(most_attempts=2)

    def _undisturbed(self, orders: Orders) -> Facts:
        ending = self._start([orders], None, None).wait()
        wrong = [f"undisturbed: {ending.result}"] if ending.code != 0 else []
        self.length = max(self.length, len(ending.result))
        with self.world.connect() as connection:
            found = facts(connection, self.world.cast.app_id, orders.external_no)
        wrong += self._judge(orders, found)
        if wrong:
            raise RuntimeError(f"without any kill: {wrong}")
        return found

    def _judge(self, orders: Orders, expected: Facts) -> list[str]:
        app_id = self.world.cast.app_id
        self.platform.refresh()
        with self.world.connect() as connection:
            found = facts(connection, app_id, orders.external_no)
            wrong = self.platform.take_refusals() + differences(found, expected) + gaps(found)
            return wrong + self.platform.differences(connection, app_id, orders.external_no)

    def _numbers_differ(self, orders: list[Orders]) -> list[str]:
        """Every answer names the number the database has, and no number was given twice."""
        given: dict[str, set[str]] = {}
        for each in orders:
            for notes in self.world.folder.glob(f"{each.external_no}.*.notes"):
                for line in notes.read_text().splitlines():
                    entry = json.loads(line)
                    if entry["kind"] == "answer" and entry["name"] == "submit":
                        number = entry["value"]["acceptance_no"]
                        given.setdefault(each.external_no, set()).add(number)
        wrong = [f"{no} was answered with {n}" for no, n in given.items() if len(n) > 1]
        owners = Counter(number for numbers in given.values() for number in numbers)
        return wrong + [f"number {n} was given to {c} tickets" for n, c in owners.items() if c > 1]

    @contextmanager
    def _counting(self, name: str) -> Iterator[Outcome]:
        outcome = Outcome(name)
        started, resends = time.monotonic(), self.platform.resends
        yield outcome
        self.platform.refresh()
        with self.world.connect() as connection:
            outcome.violations += missing_files(connection, self.world.folder / "files")
        outcome.resends = self.platform.resends - resends
        outcome.seconds = time.monotonic() - started

    def _died_at(self, external_no: str) -> str:
        file = self.world.folder / f"{external_no}.died"
        return file.read_text() if file.exists() else "not killed"

    def _kind(self, external_no: str) -> str:
        words = self._died_at(external_no).split()
        return words[1] if words[0] in ("before", "after") else words[0]


def whole(sweeper: Sweeper, seed: int) -> Iterator[Outcome]:
    """Every point once, forty rounds of the race, and both mutants."""
    yield sweeper.sweep("A, every point", count(1))
    yield sweeper.race("B, three nodes", 40, seed)
    yield from _mutants(sweeper, seed, rounds=10, first=False)


def bounded(sweeper: Sweeper, seed: int) -> Iterator[Outcome]:
    """Every nineteenth point from an offset of `seed`, two rounds, mutants until caught."""
    begin = 1 + seed % STRIDE
    yield sweeper.sweep(f"A, every {STRIDE}th from {begin}", count(begin, STRIDE))
    yield sweeper.race("B, three nodes", 2, seed)
    yield from _mutants(sweeper, seed, rounds=20, first=True)


def _mutants(sweeper: Sweeper, seed: int, *, rounds: int, first: bool) -> Iterator[Outcome]:
    points = [f"{when} insert outbound_messages" for when in ("before", "after")]
    mutant = mutants.send_after_the_commit
    yield sweeper.sweep("mutant: send after the commit", points, mutant)
    mutant = mutants.lock_nothing
    yield sweeper.race("mutant: lock nothing", rounds, seed, mutant, first=first)


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
    parser.add_argument("--all", action="store_true", help="every point, not every nineteenth")
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
    print("FAILED" if found else "all invariants held, both mutants were caught", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
