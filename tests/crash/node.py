"""One node that carries a ticket through its story, from wherever the database stands."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

from flask import Flask

from app import scheduler
from app.core import clock
from app.core.db import db, transact
from app.exchange.delivery import to_partners
from tests.crash import effects, hours
from tests.crash.acts import (
    Act,
    Acting,
    AskForEffects,
    Cast,
    Do,
    Ring,
    Story,
    Submit,
    Tell,
    TimePasses,
    Until,
)
from tests.crash.doors import Doors, Unexpected, expect
from tests.crash.failpoints import Failpoints
from tests.crash.notebook import Json, Notebook
from tests.crash.stories import CITIZEN, COUNTY
from tests.support.journey import complaint

NAMESPACE = uuid.UUID("5f0c2f64-6a3e-4c43-9d0e-0d6c7a1b9e21")
PAUSE = 0.02
LATER = ("timers", "inbox", "deadlines", "lane:")
"""Jobs of a time that is not today's: the others would forget what today still needs."""
_STANDING = """
    select status, not exists (
        select from work_items where business_key = acceptance_no
           and (state = 'leased' or state = 'ready' and due_at <= now()))
      from tickets where acceptance_no = %s
"""


@dataclass(frozen=True)
class Orders:
    """What a node shall do with a ticket.

    With `rivals`, others work on the same ticket: a task may be done already, and what the node
    cannot finish in `patience` seconds it leaves to the recovery. `own_actions` sends this node's
    own action ids (another click), not the shared ones (a repeat of the same click). `begun` is
    when a story with a time of its own begins.
    """

    external_no: str
    called_at: str
    begun: datetime
    story: Story = field(default=COUNTY, repr=False)
    node: str = "a"
    rivals: bool = False
    own_actions: bool = False
    patience: float = 6.0
    items: int = 3


class Node:
    """A process of the platform together with the people and the 12345 that talk to it."""

    def __init__(
        self, app: Flask, cast: Cast, orders: Orders, points: Failpoints, folder: Path, uri: str
    ) -> None:
        self.app = app
        self.cast = cast
        self.orders = orders
        self.story = orders.story
        self.points = points
        self.uri = uri
        self.doors = Doors(app, cast, cast.keys[self.story.province])
        writer = orders.node if orders.rivals else "only"
        self.notes = Notebook(folder / f"{orders.external_no}.{writer}.notes")
        self.number = str(self.notes.answers.get(self.story.label(0), {}).get("acceptance_no", ""))

    def carry(self, acts: int | None = None) -> None:
        """Do so many acts of the story, or all and what is left to schedulers and couriers."""
        self._begin()
        for index, act in enumerate(self.story.acts[:acts]):
            if isinstance(act, Until) and self._is_past(index):
                continue
            if not self._perform(act, self.story.label(index)):
                break
        else:
            clock.set_source(None)
            if acts is None:
                self._settle((self.story.end,))
        clock.set_source(None)

    def tick(self, only: tuple[str, ...] = ()) -> None:
        """One tick of every scheduler job, or of those that begin so."""
        for job in scheduler.jobs():
            if not only or job.name.startswith(only):
                scheduler.drain(self.app, job, Event())

    def repeat(self) -> None:
        """Send everything that was answered once more: the answers must be the same."""
        self._begin()
        for index, act in enumerate(self.story.acts):
            name = self.story.label(index)
            first = self.notes.answers.get(name)
            if first is None or "code" in first or name not in self.notes.sent:
                continue
            again = self._send(act, name, self.notes.sent[name])
            if isinstance(act, Submit | Ring):
                same = {**again, "duplicate": None} == {**first, "duplicate": None}
                if not same or not again["duplicate"]:
                    raise Unexpected(f"{name}: a repeat got another answer")
            elif isinstance(act, Do) and again != first:
                raise Unexpected(f"{name}: a repeat got another answer")
        clock.set_source(None)
        self.doors.download_reports(self.number)

    def _is_past(self, index: int) -> bool:
        """Whether a later act was begun: then the ticket may stand elsewhere by now."""
        later = range(index + 1, len(self.story.acts))
        return any(self.story.label(each) in self.notes.sent for each in later)

    def _begin(self) -> None:
        if self.story.clock:
            self._set_clock(self.orders.begun)

    def _perform(self, act: Acting, name: str) -> bool:
        """Do an act that is not done yet; False when others have to go on (with rivals only)."""
        if isinstance(act, Until):
            return self._settle(act.states)
        if name in self.notes.answers:
            self._move_clock(self.notes.answers[name])
            return True
        if isinstance(act, Submit) and not self.orders.rivals:
            self._send_evidence()
        request = self.notes.request(name, partial(self._request, act, name))
        if request is None:
            if not self.orders.rivals:
                raise Unexpected(f"{name}: no such task waits")
            return True
        answer = self._send(act, name, request)
        self.notes.answered(name, answer)
        self.points.reach(f"answered {act.name}")
        if isinstance(act, Submit | Ring):
            self.number = str(answer["acceptance_no"])
        return True

    def _request(self, act: Acting, name: str) -> Json | None:
        """What is sent for an act, made once; None when its task is not there."""
        orders = self.orders
        match act:
            case Submit():
                known = self.notes.answers.get("evidence")
                return complaint(
                    external_ticket_no=orders.external_no,
                    called_at=orders.called_at,
                    attachments=[known["attachment_id"]] if known else [],
                )
            case Ring():
                return {
                    "call_id": orders.external_no,
                    "caller_number": CITIZEN,
                    "from_operator": "CQ12345-0231",
                }
            case Tell():
                return act.values(self.cast)
            case Act():
                return {"values": act.values(self.cast), "action_id": self._action_id(name)}
            case Do():
                return self._completion(act, name)
            case TimePasses():
                with hours.outside(self.uri) as connection:
                    moment = hours.moment_of(connection, self.number, act.until)
                return {"moment": moment.isoformat()}
        return {}

    def _send(self, act: Acting, name: str, request: Json) -> Json:
        match act:
            case Submit():
                return self.doors.tell(name, "complaints", request, 200, 201)
            case Ring():
                return self.doors.tell(name, "calls", request, 200, 201)
            case Tell():
                path = f"tickets/{self.number}/{act.name}"
                return self.doors.tell(name, path, request, 200, 201)
            case Act():
                path = f"/api/v1/tickets/{self.number}/actions/{act.name}"
                return expect(name, self.doors.as_person(act.who, "POST", path, json=request), 200)
            case Do():
                return self._complete(act, name, request)
            case TimePasses():
                return self._pass_time(request)
            case AskForEffects():
                with self.app.app_context():
                    transact(lambda: effects.ask_for(self.number, self.orders.items))
                self.tick()
        return {}

    def _completion(self, act: Do, name: str) -> Json | None:
        query = urlencode({"business_key": self.number, "element_id": act.name})
        answer = self.doors.as_person(act.who, "GET", f"/api/v1/tasks?{query}")
        tasks = expect("tasks", answer, 200)["tasks"]
        if not tasks:
            return None
        (task,) = tasks
        files = {"report_files": [self.doors.upload_report(task["id"])]} if act.uploads else {}
        return {
            "task_id": task["id"],
            "version": task["version"],
            "action_id": self._action_id(name),
            "variables": {**act.values(self.cast), **files},
        }

    def _complete(self, act: Do, name: str, request: Json) -> Json:
        body = {key: value for key, value in request.items() if key != "task_id"}
        path = f"/api/v1/tasks/{request['task_id']}/complete"
        answer = self.doors.as_person(act.who, "POST", path, json=body)
        if self.orders.rivals and answer.status_code == 409:
            refusal = answer.get_json()["code"]
            if refusal == "TASK_ALREADY_DONE":
                return {"code": refusal}
        return expect(name, answer, 200)

    def _action_id(self, name: str) -> str:
        sender = self.orders.node if self.orders.own_actions else ""
        return str(uuid.uuid5(NAMESPACE, f"{self.number}:{name}:{sender}"))

    def _send_evidence(self) -> None:
        file = {"name": f"evidence-{self.orders.external_no}.docx"}
        if "evidence" not in self.notes.answers:
            sent = self.notes.request("evidence", lambda: file) or file
            self.notes.answered("evidence", self.doors.upload_evidence(sent["name"]))
            self.points.reach("answered evidence")

    def _pass_time(self, request: Json) -> Json:
        """Schedulers at the moment when it is over, until nothing more is due by then."""
        self._move_clock(request)
        until = time.monotonic() + self.orders.patience
        with hours.outside(self.uri) as connection:
            due = 1
            while due:
                hours.make_due(connection, [self.number], clock.now())
                self.tick(LATER)
                self.tick(LATER)  # delivers what the first has posted to the diagram
                due = hours.make_due(connection, [self.number], clock.now())
                if time.monotonic() > until:
                    raise Unexpected("what is due stays due")
        return request

    def _move_clock(self, passed: Json) -> None:
        if "moment" in passed:
            self._set_clock(datetime.fromisoformat(passed["moment"]))

    def _set_clock(self, moment: datetime) -> None:
        clock.set_source(lambda: moment)

    def _settle(self, states: tuple[str, ...]) -> bool:
        """Schedulers and couriers work until nothing of the ticket is due and it stands there.

        False when rivals hold it for too long.
        """
        until = time.monotonic() + self.orders.patience
        while True:
            self.tick()
            with self.app.app_context():
                to_partners.deliver_due()
                db.session.remove()
            with hours.outside(self.uri) as connection:
                ((status, idle),) = connection.execute(_STANDING, (self.number,)).fetchall()
            if status in states and idle:
                return True
            if time.monotonic() > until:
                if self.orders.rivals:
                    return False
                raise Unexpected(f"the ticket is {status}, not {states[0]}")
            time.sleep(PAUSE)
