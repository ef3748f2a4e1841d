"""What must hold whatever was killed: everything about a ticket is as in an undisturbed run."""

import hashlib
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson
import psycopg

from app.deadlines.clocks import PLANNED
from app.deadlines.ladder import RED, STEPS
from app.engine.registry import SYSTEM
from app.files.storage import locate

Facts = dict[str, Any]

URGING = PLANNED | {"total"}
"""Limits whose end urges the unit."""
LAST_WORDS = frozenset({"withdrawn", "merged", "transferred_out", "return-requests"})
"""What a ticket ends with, beside a result (FLW-02)."""

_FACTS = {
    "ticket": """select status, archived_at is not null, completed_at is not null, round
                   from tickets where id = %(ticket)s""",
    "instance": """select status, state is null, ended_at is not null,
                          event_seq = (select count(*) from process_events where instance_id = i.id)
                     from process_instances i where business_key = %(number)s""",
    "history": """select seq, kind, element_id, actor_id from process_events
                   where instance_id = %(instance)s order by seq""",
    "tasks": """select element_id, state, closed_by from user_tasks
                 where instance_id = %(instance)s order by opened_at, element_id""",
    "opinions": """select step, decision, author_id, round from opinions
                    where ticket_id = %(ticket)s order by id""",
    "reports": "select version, author_id from investigations where ticket_id = %(ticket)s",
    "files": """select purpose, state from attachments
                 where ticket_id = %(ticket)s order by purpose""",
    "items": """select lane, dest, state, count(*) from work_items
                 where business_key = %(number)s group by 1, 2, 3 order by 1, 2, 3""",
    "effects": """select dedup_key like %(effect)s, count(*) from crash_effects
                   where dedup_key like %(effect)s group by dedup_key""",
    "messages": """select operation, event_seq, state, receipt_no is not null,
                          (select count(*) from outbound_attempts a
                            where a.message_id = m.id and a.error is null)
                     from outbound_messages m where business_key = %(number)s order by event_seq""",
    "sequence": "select last from outbound_sequences where business_key = %(number)s",
    "inbox": """select name, state, instance_id = %(instance)s from inbox_messages
                 where business_key = %(number)s order by name""",
    "waits": "select name from waiting_messages where business_key = %(number)s order by name",
    "incidents": "select action, error from incidents where business_key = %(number)s",
    "actions": """select kind, count(*) from process_actions
                   where instance_id = %(instance)s group by 1""",
    "answers kept": """select split_part(client, ':', 2), count(*), count(response)
                        from idempotency_keys
                       where key = %(external_no)s or key like %(told)s group by 1 order by 1""",
    "limits": """select round, stage, generation, state, light from deadlines
                  where ticket_id = %(ticket)s order by round, stage, id""",
    "steps": """select d.round, d.stage, e.generation, e.event, count(*)
                  from deadline_events e join deadlines d on d.id = e.deadline_id
                 where d.ticket_id = %(ticket)s group by d.id, 3, 4 order by d.id, 3, 4""",
    "matters": """select kind, state, raised_by_name from matters
                   where ticket_id = %(ticket)s order by kind, id""",
}
"""The same rows in every run of one journey, but for ids and moments."""

_TABLES = """
    select table_name, (array_agg(column_name order by column_name desc))[1]
      from information_schema.columns
     where table_schema = 'public' and column_name in ('ticket_id', 'instance_id', 'business_key')
     group by table_name
"""


def facts(connection: psycopg.Connection, external_no: str) -> Facts:
    """Everything the database says about a ticket, and how many rows every table has for it."""
    known = connection.execute(
        """select t.id, t.acceptance_no, i.id from tickets t
             left join process_instances i on i.business_key = t.acceptance_no
            where t.external_ticket_no = %(no)s
               or t.id in (select ticket_id from calls where call_id = %(no)s)""",
        {"no": external_no},
    ).fetchall()
    if len(known) != 1:
        return {"tickets": len(known)}
    ticket, number, instance = known[0]
    values = {
        "ticket": ticket,
        "number": number,
        "instance": instance,
        "effect": f"%:{number}:%",
        "told": f"{number}:%",
        "external_no": external_no,
    }
    found: Facts = {"tickets": 1}
    for name, query in _FACTS.items():
        found[name] = connection.execute(query, values).fetchall()
    ids = {"ticket_id": ticket, "business_key": number, "instance_id": instance}
    for table, column in connection.execute(_TABLES).fetchall():
        query = psycopg.sql.SQL("select count(*) from {} where {} = %s").format(
            psycopg.sql.Identifier(table), psycopg.sql.Identifier(column)
        )
        row = connection.execute(query, (ids[column],)).fetchone()
        found[f"rows of {table}"] = row and row[0]
    return found


def differences(found: Facts, expected: Facts) -> list[str]:
    """Where a ticket is not as in the undisturbed run."""
    names = [*expected, *(name for name in found if name not in expected)]
    return [
        f"{name}: {_first_difference(found.get(name), expected.get(name))}"
        for name in names
        if found.get(name) != expected.get(name)
    ]


def unordered(found: Facts) -> Facts:
    """The same where schedulers may come in any order: what happened, not what came first."""
    return {**found, "history": sorted(map(str, (row[1:] for row in found.get("history", []))))}


def _first_difference(found: Any, expected: Any) -> str:
    """One row of each side is enough to see what is wrong."""
    if isinstance(found, list) and isinstance(expected, list):
        pairs = zip_longest(found, expected)
        found, expected = next(pair for pair in pairs if pair[0] != pair[1])
    return f"{found!r}, undisturbed {expected!r}"


def gaps(found: Facts) -> list[str]:
    """What would be wrong in any run: numbers with gaps, a step twice, wrong urges."""
    wrong = []
    for name in ("history", "messages"):
        at = 0 if name == "history" else 1
        numbers = [row[at] for row in found.get(name, [])]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"{name}: numbers {numbers}")
    if repeated := [row[:4] for row in found.get("steps", []) if row[3] in STEPS and row[4] > 1]:
        wrong.append(f"steps taken twice: {repeated}")
    red = [row for row in found.get("steps", []) if row[3] == RED and row[1] in URGING]
    urged = [row for row in found.get("matters", []) if row[0] == "urge" and row[2] == SYSTEM.name]
    if not min(len(red), 1) <= len(urged) <= len(red):
        wrong.append(f"{len(red)} limits are red, {len(urged)} urges went out")
    return wrong


def missing_files(connection: psycopg.Connection, root: Path) -> list[str]:
    """Attachment rows, of any ticket or none, without their file or with another content."""
    wrong = []
    for name, digest in connection.execute("select storage_name, sha256 from attachments"):
        path = locate(root, name)
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(f"attachment {name} has no file")
    return wrong


class Platform12345:
    """What the simulator applied, read from its journal: the other end of every message."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read = 0
        self._applied: dict[str, list[str]] = {}
        self._heard: dict[str, list[str]] = {}
        self.resends = 0
        self.refusals: list[str] = []

    def refresh(self) -> None:
        """Read what was appended since."""
        with self._journal.open("rb") as file:
            file.seek(self._read)
            raw = file.read()
        whole = raw[: raw.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            entry = orjson.loads(line)
            if entry["kind"] == "received":
                number, operation = entry["body"]["acceptance_no"], entry["operation"]
                self._applied.setdefault(number, []).append(entry["key"])
                word = entry["body"].get("event", operation)
                if word in LAST_WORDS or word.startswith("results/"):
                    self._heard.setdefault(number, []).append(word)
            elif entry["kind"] == "repeated":
                self.resends += 1
            elif entry["kind"] == "refused":
                self.refusals.append(f"12345 refused {entry['operation']}: {entry['reason']}")

    def take_refusals(self) -> list[str]:
        """Refusals since the last call; there should be none."""
        taken, self.refusals = self.refusals, []
        return taken

    def differences(self, connection: psycopg.Connection, external_no: str) -> list[str]:
        """What 12345 has and we have not sent, or the other way, or twice; two last words."""
        rows = connection.execute(
            """select t.acceptance_no, t.archived_at is not null, m.idempotency_key from tickets t
                 left join outbound_messages m on m.business_key = t.acceptance_no
                where t.external_ticket_no = %s order by m.event_seq""",
            (external_no,),
        ).fetchall()
        wrong = []
        sent = [key for *_, key in rows if key is not None]
        known = {(number, ended) for number, ended, _ in rows}
        applied = [key for number, _ in known for key in self._applied.get(number, [])]
        if applied != sent:
            wrong.append(f"12345 applied {applied}, we sent {sent}")
        for number, ended in known:
            heard = self._heard.get(number, [])
            if ended and len(heard) != 1:
                wrong.append(f"the last words to 12345 are {heard}")
        return wrong
