"""Races: three nodes on the same tickets at the same moment, killed at random points.

Leases run out under the nodes of the first race, as if time ran fast; in the second, schedulers let
the time limits of the same tickets pass.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Event

from app import scheduler
from app.core import clock
from app.deadlines.enforcement import enforce_due
from tests.crash import hours
from tests.crash.acts import Story
from tests.crash.failpoints import Failpoints
from tests.crash.mutants import Mutant
from tests.crash.node import LATER, Orders
from tests.crash.stories import COUNTY, ONLY_SUBMIT
from tests.crash.sweeper import RACE_ITEMS, Outcome, Sweeper
from tests.crash.world import KILLED, Child, Ending

NODES = 3
BATCH = 7
"""Steps a racing scheduler takes in one transaction: few, so that each gets some."""
PATIENCE = 30.0
_LEFT = """
    select count(*) from work_items where business_key = any(%s) and lane = 'deadlines'
       and state = 'ready' and due_at <= now()
"""


def race(
    sweeper: Sweeper,
    name: str,
    rounds: int,
    seed: int,
    mutant: Mutant | None = None,
    *,
    first: bool = False,
) -> Outcome:
    """Three nodes carry the same two tickets and submit one each, `rounds` times.

    Three of four nodes get a point to die at, up to twice the points of one journey. With
    `first` it ends at the first violation.
    """
    chance = random.Random(seed)
    length = sweeper.model(COUNTY, race=True).points
    with sweeper.counting(name) as outcome:
        for number in range(1, rounds + 1):
            shared = [sweeper.orders(rivals=True, items=RACE_ITEMS, patience=1) for _ in range(2)]
            alone = [sweeper.orders(ONLY_SUBMIT, rivals=True) for _ in range(NODES)]
            nodes = []
            for rank in range(NODES):
                own = chance.random() < 0.5
                theirs = [replace(o, node=f"n{rank}", own_actions=own) for o in shared]
                kill_at = chance.randint(5, 2 * length) if chance.random() < 0.75 else None
                nodes.append(sweeper.start([alone[rank], *theirs], kill_at, mutant))
            wrong = _ended(_wait_while_leases_expire(sweeper, nodes), outcome)
            wrong += _recover(sweeper, [*shared, *alone], mutant)
            wrong += _numbers_differ(sweeper, [*shared, *alone])
            outcome.tickets += len(shared) + len(alone)
            outcome.violations += [f"round {number}: {each}" for each in wrong]
            if first and outcome.violations:
                break
    return outcome


def race_of_schedulers(
    sweeper: Sweeper, story: Story, name: str, tickets: int, seed: int
) -> Outcome:
    """Three schedulers let the time limits of the same tickets pass, one step after the other.

    Each dies at a random point; a living one does what they left, and so on with the next step.
    """
    chance = random.Random(seed)
    expected = sweeper.model(story).facts
    with sweeper.counting(name) as outcome:
        late = sweeper.prepare([sweeper.orders(story) for _ in range(tickets)])
        numbers = sorted(_numbers(sweeper, late))
        for act in story.acts[story.begins :]:
            with sweeper.world.connect() as connection:
                moment = hours.moment_of(connection, numbers[0], act.name.removeprefix("time "))
                hours.make_due(connection, numbers, moment)
            nodes = [
                _scheduler(sweeper, moment, numbers, chance.randint(1, 25 * tickets))
                for _ in range(NODES)
            ]
            wrong = _ended([node.wait() for node in nodes], outcome)
            with sweeper.world.connect() as connection:
                hours.make_due(connection, numbers, moment)
            wrong += _ended([_scheduler(sweeper, moment, numbers, None).wait()], outcome)
            outcome.violations += [f"{act.name}: {each}" for each in wrong]
        outcome.tickets = tickets
        for each in late:
            outcome.violations += _ended([sweeper.start([each], None, None).wait()], outcome)
            outcome.violations += sweeper.judge(each, expected, ordered=False)
    return outcome


def _scheduler(
    sweeper: Sweeper, moment: datetime, numbers: Sequence[str], kill_at: int | None
) -> Child:
    """A scheduler at that moment; it ends when no time limit of the tickets is due any more."""
    world = sweeper.world
    jobs = [
        replace(job, once=lambda now: enforce_due(now, BATCH)) if job.name == "deadlines" else job
        for job in scheduler.jobs()
        if job.name.startswith(LATER)
    ]

    def tick() -> None:
        for job in jobs:
            scheduler.drain(world.app, job, Event())

    def work(_points: Failpoints) -> None:
        clock.set_source(lambda: moment)
        until = time.monotonic() + PATIENCE
        with hours.outside(world.uri) as connection:
            while connection.execute(_LEFT, (numbers,)).fetchall() != [(0,)]:
                tick()
                if time.monotonic() > until:
                    raise TimeoutError("what is due stays due")
        tick()
        tick()  # delivers what the first has posted to the diagrams

    return sweeper.mortal(f"scheduler-{kill_at}", kill_at, None, work)


def _ended(endings: Sequence[Ending], outcome: Outcome) -> list[str]:
    """Count those who were killed; what the others say went wrong."""
    kills = sum(ending.code == KILLED for ending in endings)
    outcome.points += kills
    outcome.kills += kills
    return [
        f"node {rank}: {ending.result}"
        for rank, ending in enumerate(endings)
        if ending.code not in (0, KILLED)
    ]


def _wait_while_leases_expire(sweeper: Sweeper, nodes: list[Child]) -> list[Ending]:
    """Time runs fast in the race: a living node may lose its lease too, and must notice."""

    def keep_expiring() -> None:
        while True:
            time.sleep(0.02)
            sweeper.world.expire_leases(most_attempts=2)

    expiring = sweeper.world.fork(keep_expiring)
    endings = [node.wait() for node in nodes]
    expiring.stop()
    return endings


def _recover(sweeper: Sweeper, raced: Sequence[Orders], mutant: Mutant | None) -> list[str]:
    wrong = []
    sweeper.world.expire_leases()
    for orders in raced:
        last = replace(orders, node="last", patience=6)
        ending = sweeper.start([last], None, mutant, repeat=True).wait()
        if ending.code != 0:
            wrong.append(f"recovery: {ending.result}")
        wrong += sweeper.judge(orders, sweeper.model(orders.story, race=True).facts)
    return wrong


def _numbers_differ(sweeper: Sweeper, raced: Sequence[Orders]) -> list[str]:
    """Every answer names the number the database has, and no number was given twice."""
    given = {each.external_no: set(_numbers(sweeper, [each])) for each in raced}
    wrong = [f"{no} was answered with {n}" for no, n in given.items() if len(n) > 1]
    owners = Counter(number for numbers in given.values() for number in numbers)
    return wrong + [f"number {n} was given to {c} tickets" for n, c in owners.items() if c > 1]


def _numbers(sweeper: Sweeper, tickets: Sequence[Orders]) -> list[str]:
    """The numbers that all who submitted these tickets were told."""
    told = []
    for each in tickets:
        for notes in sweeper.world.folder.glob(f"{each.external_no}.*.notes"):
            for line in notes.read_text().splitlines():
                entry = json.loads(line)
                if entry["kind"] == "answer" and entry["name"] == each.story.label(0):
                    told.append(str(entry["value"]["acceptance_no"]))
    return told
