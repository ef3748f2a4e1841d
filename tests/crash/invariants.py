"""What must hold whatever was killed: everything about a ticket is as in an undisturbed run."""

import hashlib
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson
import psycopg

from app.files.storage import locate

Facts = dict[str, Any]

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
    "waits": "select name from waiting_messages where business_key = %(number)s",
    "incidents": "select action, error from incidents where business_key = %(number)s",
    "actions": """select kind, count(*) from process_actions
                   where instance_id = %(instance)s group by 1""",
    "answer kept": """select count(*), count(response) from idempotency_keys
                       where client = %(client)s and key = %(external_no)s""",
}
"""The same rows in every run of one journey, but for ids and moments."""

_TABLES = """
    select table_name, (array_agg(column_name order by column_name desc))[1]
      from information_schema.columns
     where table_schema = 'public' and column_name in ('ticket_id', 'instance_id', 'business_key')
     group by table_name
"""


def facts(connection: psycopg.Connection, app_id: str, external_no: str) -> Facts:
    """Everything the database says about a ticket, and how many rows every table has for it."""
    known = connection.execute(
        """select t.id, t.acceptance_no, i.id from tickets t join partners p on p.id = t.partner_id
             left join process_instances i on i.business_key = t.acceptance_no
            where p.app_id = %s and t.external_ticket_no = %s""",
        (app_id, external_no),
    ).fetchall()
    if len(known) != 1:
        return {"tickets": len(known)}
    ticket, number, instance = known[0]
    values = {
        "ticket": ticket,
        "number": number,
        "instance": instance,
        "effect": f"%:{number}:%",
        "client": f"{app_id}:submit",
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


def _first_difference(found: Any, expected: Any) -> str:
    """One row of each side is enough to see what is wrong."""
    if isinstance(found, list) and isinstance(expected, list):
        pairs = zip_longest(found, expected)
        found, expected = next(pair for pair in pairs if pair[0] != pair[1])
    return f"{found!r}, undisturbed {expected!r}"


def gaps(found: Facts) -> list[str]:
    """What would be wrong in any run: numbers with gaps, a task done twice, somebody's wait."""
    wrong = []
    for name in ("history", "messages"):
        at = 0 if name == "history" else 1
        numbers = [row[at] for row in found.get(name, [])]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"{name}: numbers {numbers}")
    twice = [e for e, n in Counter(row[0] for row in found.get("tasks", [])).items() if n > 1]
    if twice:
        wrong.append(f"tasks done twice: {twice}")
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
                self._applied.setdefault(entry["body"]["acceptance_no"], []).append(entry["key"])
            elif entry["kind"] == "repeated":
                self.resends += 1
            elif entry["kind"] == "refused":
                self.refusals.append(f"12345 refused {entry['operation']}: {entry['reason']}")

    def take_refusals(self) -> list[str]:
        """Refusals since the last call; there should be none."""
        taken, self.refusals = self.refusals, []
        return taken

    def differences(
        self, connection: psycopg.Connection, app_id: str, external_no: str
    ) -> list[str]:
        """Messages that 12345 has and we have not sent, or the other way, or applied twice."""
        rows = connection.execute(
            """select t.acceptance_no, m.idempotency_key from tickets t
                 join partners p on p.id = t.partner_id
                 left join outbound_messages m on m.business_key = t.acceptance_no
                where p.app_id = %s and t.external_ticket_no = %s order by m.event_seq""",
            (app_id, external_no),
        ).fetchall()
        sent = [key for _, key in rows if key is not None]
        applied = [
            key for number in {row[0] for row in rows} for key in self._applied.get(number, [])
        ]
        return [] if applied == sent else [f"12345 applied {applied}, we sent {sent}"]
