"""What is measured. A section takes the stage and a scale, does fresh work, and returns figures."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any

from app import scheduler
from app.core import clock
from app.core.db import session, transact
from app.demo import advance
from app.engine import definitions, queries, runner
from app.engine.registry import SYSTEM
from app.exchange import partners
from app.security.models import User
from app.tickets import services, worklist
from app.tickets.intake import read
from tests.bench import claim, clients, engine_cycle, exchange, limits, seed
from tests.bench.diagrams import FOUR_HANDS, THREE_STEPS, bundle
from tests.bench.figures import Figure, Goal, latencies
from tests.bench.stage import WORKERS, Stage
from tests.support.journey import complaint
from tests.support.people import GUIZHOU, MEITAN, PASSWORD, ZUNYI, Person, hire

Section = Callable[[Stage, float], list[Figure]]
CLIENTS = 4
COMPLETE = Goal("median_ms", most=8)
RATE = Goal("per_second", least=150)
READ = Goal("p95_ms", most=20)
NO_ERRORS = Goal("errors", most=0)


def engine(stage: Stage, scale: float) -> list[Figure]:
    """The engine without a database: load, complete, settle, prune, dump."""
    figures = []
    for rejections in (0, 100, 1000):
        told = engine_cycle.measure(round(rejections * scale), max(10, round(100 * scale)))
        values = {name: told[name] for name in ("median_ms", "p95_ms", "p99_ms")}
        what = f"engine cycle after {told['rejections']:,} rejections"
        note = f"state {told['state_bytes']:,} bytes"
        figures.append(Figure(what, values, (Goal("median_ms", most=1),), note))
    return figures


def complete(stage: Stage, scale: float) -> list[Figure]:
    """Completing user tasks over HTTP: a flow without tickets, and a real ticket's steps."""
    person = stage.do(lambda: hire(MEITAN))
    stage.do(lambda: _deploy(THREE_STEPS))
    chain = [province, city, county] = stage.do(lambda: [hire(p) for p in (GUIZHOU, ZUNYI, MEITAN)])
    plain = [(person.token, {"number": number}) for number in (1, 2, 3)]
    ticket = _ticket_steps(province, city, county)

    def plain_job(count: int) -> dict[str, Any]:
        return {"chains": [(task, plain) for task in stage.do(lambda: _start_plain(count))]}

    def ticket_job(count: int) -> dict[str, Any]:
        return {"chains": [(task, ticket) for task in stage.do(lambda: _start_tickets(count))]}

    each = max(4, round(100 * scale))
    few = max(3, round(60 * scale))
    _warm_up(stage, clients.complete_chains, plain_job(16), ticket_job(10))
    _use_tokens(stage, [person, *chain])
    figures = []
    for what, job, count in (("task", plain_job, each), ("ticket's task", ticket_job, few)):
        load = stage.drive(clients.complete_chains, [job(count)])
        figures.append(Figure(f"complete a {what}, 1 client", load.values(), (COMPLETE, NO_ERRORS)))
        load = stage.drive(clients.complete_chains, [job(count) for _ in range(CLIENTS)])
        figures.append(Figure(f"complete a {what}, 4 clients", load.values(), (RATE, NO_ERRORS)))
    return figures


def whole(stage: Stage, scale: float) -> list[Figure]:
    """Complaints from their receipt through all eight tasks to the result in the outbox.

    In this process, with no HTTP: what the platform itself spends on one matter.
    """
    stage.do(lambda: [_named(place) for place in (GUIZHOU, ZUNYI, MEITAN) for _ in range(2)])
    count = max(3, round(40 * scale))
    with stage.app.app_context():
        _one_ticket()
        own, database = time.process_time(), stage.database_seconds()
        tasks = sum(_one_ticket() for _ in range(count))
        values = {
            "platform_cpu_ms": round((time.process_time() - own) * 1000 / count, 1),
            "database_cpu_ms": round((stage.database_seconds() - database) * 1000 / count, 1),
        }
    return [Figure("a ticket from receipt to result", values, (), f"{tasks // count} tasks")]


def _named(place: str) -> None:
    """Somebody of this unit whose name a report may carry."""
    user = session().get(User, hire(place).principal.user_id)
    assert user is not None
    user.display_name = "周明远"


def _one_ticket() -> int:
    """Take one in and let its people do what comes up, each in a transaction; counts the tasks."""
    number, done = transact(_receive), 0
    while transact(lambda: advance(number, datetime.now(UTC))):
        done += 1
    return done


def _receive() -> str:
    partner = partners.by_app_id(seed.app_id(GUIZHOU))
    now = datetime.now(UTC)
    body = complaint(division_code=MEITAN)
    taken = read("complaint", body, now=now, anonymity_mode=partner.anonymity_mode)
    return services.receive(taken, partner, now).ticket.acceptance_no


def intake(stage: Stage, scale: float) -> list[Figure]:
    """Complaints by the partner interface: one province's platform in a rush, and four of them."""
    codes = [GUIZHOU, "410000000000", "510000000000", "430000000000"]
    counties = stage.do(lambda: {code: _county_of(code) for code in codes})
    count = max(8, round(150 * scale))

    def job(code: str, many: int, **changed: Any) -> dict[str, Any]:
        body = complaint(**{"division_code": counties[code], **changed})
        return {
            "app_id": seed.app_id(code),
            "secret": seed.SECRET,
            "count": many,
            "complaint": body,
        }

    words = {"division_code": None, "division_text": "贵州省遵义市湄潭县马山镇"}
    _warm_up(stage, clients.submit, *[job(code, 12) for code in codes])
    _warm_up(stage, clients.submit, *[job(GUIZHOU, 12, **words) for _ in codes])
    cases = (
        ("1 client", [job(GUIZHOU, count)], ()),
        ("4 clients of one province", [job(GUIZHOU, count) for _ in codes], (RATE,)),
        ("4 clients of four provinces", [job(code, count) for code in codes], (RATE,)),
        ("4 clients, place in words", [job(GUIZHOU, count, **words) for _ in codes], ()),
    )
    return [
        Figure(f"intake, {what}", stage.drive(clients.submit, jobs).values(), (*goals, NO_ERRORS))
        for what, jobs, goals in cases
    ]


def together(stage: Stage, scale: float) -> list[Figure]:
    """Four people complete the four parallel tasks of one instance at the same moment."""
    stage.do(lambda: _deploy(FOUR_HANDS))
    people = stage.do(lambda: [hire(MEITAN) for _ in range(CLIENTS)])
    _use_tokens(stage, people)
    rounds = max(4, round(40 * scale))
    started = stage.do(lambda: [_start(FOUR_HANDS) for _ in range(rounds + 2)])
    begin = time.time() + 5
    moments = [begin + 0.4 * number for number in range(rounds + 2)]
    jobs = [
        {
            "token": person.token,
            "tasks": [
                (at, opened[hand]["task_id"]) for at, opened in zip(moments, started, strict=True)
            ],
        }
        for hand, person in enumerate(people)
    ]
    load = stage.drive(clients.complete_together, jobs)
    by_client = [load.spent_ms[n * len(moments) : (n + 1) * len(moments)] for n in range(CLIENTS)]
    slowest = [max(spent) for spent in zip(*by_client, strict=True)][2:]
    values = {**latencies(slowest), "errors": load.errors}
    goals = (Goal("max_ms", most=200), NO_ERRORS)
    return [
        Figure("four people complete one instance's four tasks: the last answer", values, goals)
    ]


def idle(stage: Stage, scale: float) -> list[Figure]:
    """What waiting instances cost a scheduler that ticks every second."""
    lanes = [job for job in scheduler.jobs() if job.seconds <= 5]
    stop = Event()
    for job in lanes:
        scheduler.drain(stage.app, job, stop)
    spent = []
    for _ in range(max(10, round(100 * scale))):
        began = time.perf_counter()
        for job in lanes:
            scheduler.drain(stage.app, job, stop)
        spent.append((time.perf_counter() - began) * 1000)
    blocks, waiting = _timer_blocks(stage)
    note = f"{len(lanes)} jobs, {waiting:,} open instances"
    return [
        Figure("one tick of every frequent job, nothing due", latencies(spent), (), note),
        Figure(
            "the timers' question to the database",
            {"blocks": blocks},
            (Goal("blocks", most=10),),
            f"{waiting:,} open instances",
        ),
    ]


def claims(stage: Stage, scale: float) -> list[Figure]:
    """Two processes empty a lane of due items."""
    url = stage.server.url(stage.database)
    figures = []
    for way, title in (("claim", "claim and finish"), ("process", "process, a savepoint each")):
        told = claim.measure(url, way, max(2_000, round(100_000 * scale)))
        values = {"per_second": told["items_per_second"], "duplicates": told["duplicates"]}
        what = f"{told['items']:,} due items, 2 processes: {title}"
        figures.append(Figure(what, values, (Goal("duplicates", most=0),)))
    return figures


def exchanged(stage: Stage, scale: float) -> list[Figure]:
    """A day of one platform compared with its own list, and what counting a request costs."""
    count = max(2000, round(100_000 * scale))
    told = exchange.measure(stage.server, count)
    return [
        Figure(f"{what} ({count:,} tickets)" if "request" not in what else what, values)
        for what, values in told.items()
    ]


def reading(stage: Stage, scale: float) -> list[Figure]:
    """Pages and interface over the seeded tickets: one client, an operator of the crowded unit."""
    person = stage.do(lambda: hire(seed.CROWDED))
    cookie = {"Cookie": clients.sign_in(stage.port, person.username, PASSWORD)}
    bearer = {"Authorization": f"Bearer {person.token}"}
    count = max(10, round(150 * scale))
    numbers, externals, cursor = _samples(stage, count, person)
    phones = [seed.sample_phone(number % seed.SAMPLES) for number in range(count)]
    pages: tuple[tuple[str, dict[str, str], list[str]], ...] = (
        ("worklist, first page", cookie, ["/worklist"] * count),
        ("worklist, a page further on", cookie, [f"/worklist?after={cursor}"] * count),
        ("worklist, green ones", cookie, ["/worklist?light=green"] * count),
        ("tickets of a rare state", cookie, ["/tickets?status=result_pending"] * count),
        ("tasks by /api/v1", bearer, ["/api/v1/tasks?limit=20"] * count),
        ("tickets, newest", cookie, ["/tickets"] * count),
        ("a ticket's page", cookie, [f"/tickets/{number}" for number in numbers]),
    )
    for _, headers, paths in pages:
        _warm_up(stage, clients.read_pages, *[{"headers": headers, "paths": paths[:6]}] * 2)
    figures = []
    for what, headers, paths in pages:
        load = stage.drive(clients.read_pages, [{"headers": headers, "paths": paths}])
        figures.append(Figure(what, load.values(), (READ, NO_ERRORS)))
    form = dict(
        zip(
            ("cookie", "token"),
            clients.form_token(stage.port, "/tickets", cookie["Cookie"]),
            strict=True,
        )
    )
    for what, path, texts in (
        ("worklist, words no title has", "/worklist", ["查无此事"] * count),
        ("search by acceptance number", "/tickets", numbers),
        ("search by 12345's number", "/tickets", externals),
        ("search by telephone", "/tickets", phones),
    ):
        job = {**form, "path": path}
        _warm_up(stage, clients.search, {**job, "texts": texts[:6]})
        load = stage.drive(clients.search, [{**job, "texts": texts}])
        figures.append(Figure(what, load.values(), (READ, NO_ERRORS)))
    ask = {"app_id": seed.app_id(seed.CROWDED), "secret": seed.SECRET, "numbers": numbers}
    _warm_up(stage, clients.ask_status, {**ask, "numbers": numbers[:6]})
    load = stage.drive(clients.ask_status, [ask])
    figures.append(Figure("status by /openapi/v1, signed", load.values(), (READ, NO_ERRORS)))
    return figures


def memory(stage: Stage, scale: float) -> list[Figure]:
    """Resident memory of the web workers after everything before."""
    sizes = stage.worker_megabytes()
    note = f"{WORKERS} workers: {', '.join(f'{size:g}' for size in sizes)} MB"
    return [Figure("memory of a web worker", {"mb": max(sizes)}, (Goal("mb", most=150),), note)]


SECTIONS: dict[str, Section] = {
    "engine": engine,
    "complete": complete,
    "intake": intake,
    "together": together,
    "idle": idle,
    "whole": whole,
    "claim": claims,
    "computing": limits.computing,
    "enforcing": limits.enforcing,
    "recomputing": limits.recomputing,
    "exchange": exchanged,
    "reading": reading,
    "memory": memory,
}
"""In the order in which they run; `memory` looks at what the others left."""


def _deploy(process_key: str) -> None:
    definitions.deploy(bundle(process_key), process_key, deployed_by="bench", now=datetime.now(UTC))


def _start(process_key: str) -> list[dict[str, Any]]:
    key, now = uuid.uuid4().hex, datetime.now(UTC)
    return runner.start(process_key, key, {}, actor=SYSTEM, now=now).opened


def _start_plain(count: int) -> list[str]:
    return [_start(THREE_STEPS)[0]["task_id"] for _ in range(count)]


def _start_tickets(count: int) -> list[str]:
    """First tasks of so many new tickets."""
    partner = partners.by_app_id(seed.app_id(GUIZHOU))
    now = datetime.now(UTC)
    tasks = []
    for _ in range(count):
        taken = read("complaint", complaint(), now=now, anonymity_mode=partner.anonymity_mode)
        ticket = services.receive(taken, partner, now).ticket
        wanted = queries.TaskQuery(
            unit_id=ticket.province_unit_id,
            roles=frozenset({"province_operator"}),
            business_key=ticket.acceptance_no,
        )
        ((task,), _) = queries.open_tasks(wanted, None, 1)
        tasks.append(str(task.id))
    return tasks


def _ticket_steps(province: Person, city: Person, county: Person) -> list[tuple[str, Any]]:
    """From signing in at the province to signing in at the county: five steps of three people."""
    return [
        (province.token, {}),
        (province.token, {"review": "accept", "opinion": "予以受理"}),
        (province.token, {"route": "down", "target_unit_id": city.principal.unit_id}),
        (city.token, {"city_route": "county", "target_unit_id": county.principal.unit_id}),
        (county.token, {}),
    ]


def _county_of(province_code: str) -> str:
    from app.organisations import queries as organisations

    province = organisations.unit_of_division(province_code)
    assert province is not None
    city = organisations.children(province.id)[0]
    return next((u.division_code for u in organisations.children(city.id)), city.division_code)


def _warm_up(stage: Stage, script: clients.Script, *jobs: Any) -> None:
    """Let both workers parse, compile and connect; not measured, but must succeed."""
    load = stage.drive(script, list(jobs))
    assert load.errors == 0, f"{load.errors} errors while warming up"


def _use_tokens(stage: Stage, people: list[Person]) -> None:
    """The first use of a token is noted once an hour: let it pass."""
    for person in people:
        headers = {"Authorization": f"Bearer {person.token}"}
        _warm_up(stage, clients.read_pages, {"headers": headers, "paths": ["/api/v1/tasks"] * 2})


def _timer_blocks(stage: Stage) -> tuple[int, int]:
    """Blocks that the look for due timers reads, and how many instances are open."""
    with stage.connection() as connection:
        (plan,) = connection.execute(
            "explain (analyze, buffers, format json) select id from process_instances"
            " where status = 'open' and next_due <= now() order by next_due limit 1"
            " for update skip locked"
        ).fetchone()
        (waiting,) = connection.execute(
            "select count(*) from process_instances where status = 'open'"
        ).fetchone()
        top = plan[0]["Plan"]
        return top["Shared Hit Blocks"] + top["Shared Read Blocks"], waiting


def _samples(stage: Stage, count: int, person: Person) -> tuple[list[str], list[str], str]:
    """Numbers of tickets of the crowded province, old and new, and a cursor into its worklist."""
    with stage.connection() as connection:
        rows = connection.execute(
            "select acceptance_no, external_ticket_no from tickets where province_code = %s"
            " and id %% 97 = 0 order by md5(acceptance_no) limit %s",
            (seed.CROWDED, count),
        ).fetchall()
        sort_at, task_id = connection.execute(
            "select sort_at, id from user_tasks where state = 'open' and unit_id = %s"
            " order by sort_at, id offset 100 limit 1",
            (person.principal.unit_id,),
        ).fetchone()
    numbers, externals = zip(*rows, strict=True)
    now = clock.now()
    place = worklist.Place(now, "red" if sort_at < now else "green", sort_at, task_id)
    return list(numbers), list(externals), str(place)
