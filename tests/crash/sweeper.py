"""Runs nodes in a world, kills them, and compares each ticket with the undisturbed one.

A sweep: one node carries a ticket and is killed at point k; a second node goes on from the database
and the outside world's notes. Every k, one after the other.
"""

import gc
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from typing import Any

from app.core.clock import BEIJING
from app.core.db import db
from app.deadlines import published
from tests.crash.acts import Story
from tests.crash.failpoints import Failpoints
from tests.crash.invariants import (
    Facts,
    Platform12345,
    differences,
    facts,
    gaps,
    missing_files,
    unordered,
)
from tests.crash.mutants import Mutant
from tests.crash.node import Node, Orders
from tests.crash.stories import COUNTY
from tests.crash.world import KILLED, Child, World

RACE_ITEMS = 20
AT_ONCE = 40
"""Tickets whose common beginning is done by one process."""


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


@dataclass(frozen=True)
class Model:
    """An undisturbed run: what the database says of its ticket, and how many points it passed."""

    facts: Facts
    points: int


class Sweeper:
    """Everything that is swept in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.platform = Platform12345(world.journal)
        self.morning = _next_morning()
        self._models: dict[tuple[str, bool], Model] = {}
        self._warm_up()

    def orders(self, story: Story = COUNTY, **more: Any) -> Orders:
        """Orders for a ticket nobody has seen yet."""
        begun = self.morning if story.clock else datetime.now(UTC)
        called_at = (begun - timedelta(minutes=9)).isoformat(timespec="seconds")
        number = f"GZ-{uuid.uuid4().hex[:16]}"
        return Orders(number, called_at, begun=self.morning, story=story, **more)

    def model(self, story: Story, *, race: bool = False) -> Model:
        """The undisturbed run of a story; in the race without evidence and with more items."""
        if (story.name, race) not in self._models:
            more = {"rivals": True, "items": RACE_ITEMS} if race else {}
            (orders,) = self.prepare([self.orders(story, **more)])
            ending = self.start([orders], None, None).wait()
            wrong = [f"undisturbed: {ending.result}"] if ending.code != 0 else []
            with self.world.connect() as connection:
                found = facts(connection, orders.external_no)
            wrong += self.judge(orders, found)
            if wrong:
                raise RuntimeError(f"{story.name}, without any kill: {wrong}")
            self._models[story.name, race] = Model(found, len(ending.result))
        return self._models[story.name, race]

    def points(self, story: Story, begin: int, stride: int) -> range:
        """Every so many points of a story, and one behind its end: a run that is not killed."""
        return range(begin, self.model(story).points + stride + 1, stride)

    def sweep(
        self, story: Story, at: Sequence[int | str], mutant: Mutant | None = None, name: str = ""
    ) -> Outcome:
        """Sweep a story over the given points, until a run ends before its point."""
        expected = self.model(story).facts
        with self.counting(name or f"A, {story.name}") as outcome:
            waiting: list[Orders] = []
            for done, k in enumerate(at):
                if not waiting:
                    left = min(AT_ONCE, len(at) - done)
                    waiting += self.prepare([self.orders(story) for _ in range(left)])
                orders = replace(waiting.pop(), patience=2 if mutant else 6)
                ending = self.start([orders], k, mutant).wait()
                where = f"point {k} ({self._died_at(orders.external_no)})"
                killed = ending.code == KILLED
                if killed:
                    outcome.points += 1
                    outcome.kills += 1
                    kind = self._kind(orders.external_no)
                    outcome.killed_at[kind] = outcome.killed_at.get(kind, 0) + 1
                    self.world.expire_leases()
                    ending = self.start([orders], None, mutant, repeat=True).wait()
                outcome.tickets += 1
                wrong = [f"recovery: {ending.result}"] if ending.code != 0 else []
                wrong += self.judge(orders, expected)
                outcome.violations += [f"{where}: {each}" for each in wrong]
                if not killed:
                    break
        return outcome

    def prepare(self, waiting: Sequence[Orders]) -> Sequence[Orders]:
        """Do the common beginning of tickets in peace."""

        def run() -> None:
            for each in waiting:
                self._node(each, Failpoints(None, self.world.folder / "nobody.died")).carry(
                    each.story.begins
                )

        if waiting and waiting[0].story.begins:
            ending = self.world.fork(run).wait()
            if ending.code != 0:
                raise RuntimeError(f"a story could not begin: {ending.result}")
        return waiting

    def start(
        self,
        orders: list[Orders],
        kill_at: int | str | None,
        mutant: Mutant | None,
        *,
        repeat: bool = False,
    ) -> Child:
        """A node that carries these tickets, returns the points it passed, and may die at one."""

        def carry(points: Failpoints) -> None:
            for each in orders:
                node = self._node(each, points)
                node.carry()
                if repeat:
                    node.repeat()

        return self.mortal(orders[0].external_no, kill_at, mutant, carry)

    def mortal(
        self,
        name: str,
        kill_at: int | str | None,
        mutant: Mutant | None,
        work: Callable[[Failpoints], None],
    ) -> Child:
        """A process that works, maybe with a planted bug, and may die; returns its points."""

        def run() -> list[str]:
            if mutant is not None:
                mutant()
            points = Failpoints(kill_at, self.world.folder / f"{name}.died")
            points.arm()
            work(points)
            return points.passed

        return self.world.fork(run)

    def judge(self, orders: Orders, expected: Facts, *, ordered: bool = True) -> list[str]:
        """What is wrong with a ticket that should be as in its undisturbed run."""
        self.platform.refresh()
        with self.world.connect() as connection:
            found = facts(connection, orders.external_no)
            wrong = self.platform.take_refusals() + gaps(found)
            if not ordered:
                found, expected = unordered(found), unordered(expected)
            wrong += differences(found, expected)
            return wrong + self.platform.differences(connection, orders.external_no)

    @contextmanager
    def counting(self, name: str) -> Iterator[Outcome]:
        """An outcome to fill, with what is counted around it."""
        outcome = Outcome(name)
        started, resends = time.monotonic(), self.platform.resends
        yield outcome
        self.platform.refresh()
        with self.world.connect() as connection:
            outcome.violations += missing_files(connection, self.world.folder / "files")
        outcome.resends = self.platform.resends - resends
        outcome.seconds = time.monotonic() - started

    def _node(self, orders: Orders, points: Failpoints) -> Node:
        world = self.world
        return Node(world.app, world.cast, orders, points, world.folder, world.uri)

    def _warm_up(self) -> None:
        """Nodes are forked: what is compiled and parsed here is so in all of them."""
        self._node(self.orders(), Failpoints(None, self.world.folder / "nobody.died")).carry()
        with self.world.app.app_context():
            db.engine.dispose()
        gc.freeze()  # or each child's collections copy the memory it shares with this process

    def _died_at(self, external_no: str) -> str:
        file = self.world.folder / f"{external_no}.died"
        return file.read_text() if file.exists() else "not killed"

    def _kind(self, external_no: str) -> str:
        words = self._died_at(external_no).split()
        return words[1] if words[0] in ("before", "after") else words[0]


def _next_morning() -> datetime:
    """Half past nine on the next working day."""
    day = datetime.now(BEIJING).date() + timedelta(days=1)
    while not published.calendar().is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, day_time(9, 30), BEIJING)
