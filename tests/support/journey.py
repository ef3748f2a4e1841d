"""A whole ticket through HTTP: platform and simulator as real servers, people with tokens."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.serving import make_server

from app.core import clock
from app.core.clock import BEIJING
from app.core.db import db, transact
from app.demo import sample_report
from app.engine import runner
from app.engine.models import ProcessInstance
from app.exchange import partners
from app.exchange.delivery import to_partners
from app.simulator.behaviour import Behaviour
from app.simulator.client import PartnerClient
from app.simulator.config import SimulatorConfig
from app.simulator.server import create_simulator
from app.workqueue.models import WorkItem
from tests.support.people import GUIZHOU, MEITAN, ZUNYI, Person, hire


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve a WSGI application on a free port of this machine; yields its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Chain:
    """Two people in every unit of a province, a city and a county."""

    province: Person
    province_auditor: Person
    city: Person
    city_auditor: Person
    county: Person
    county_colleague: Person


class World:
    """Platform, 12345 simulator and the staff of one chain."""

    def __init__(self, app: Flask, address: str, folder: Path, province: str = "520000") -> None:
        self.app = app
        self.address = address
        self.app_id = f"t{uuid.uuid4().hex[:10]}"
        with app.app_context():
            self.partner_id, self.secret = transact(lambda: self._partner(province))
        self.config = SimulatorConfig(address, self.app_id, self.secret, folder / "simulator.jsonl")
        self.released = threading.Event()
        self.simulator = create_simulator(self.config, pause=lambda s: self.released.wait(s))
        self.partner = PartnerClient(address, self.app_id, self.secret)
        self.http = httpx.Client(base_url=address, timeout=30, trust_env=False)

    def _partner(self, province: str) -> tuple[int, str]:
        made, secret = partners.create(
            self.app_id, {"name": "测试12345", "province_code": province}
        )
        return made.id, secret

    def point_callback(self, base: str) -> None:
        """Tell the platform where the simulator answers."""
        with self.app.app_context():
            transact(lambda: partners.update(self.partner_id, {"callback_base": f"{base}/api"}))
            db.session.remove()

    def misbehave(self, mode: str, **values: Any) -> None:
        """Make the simulator fail."""
        self.simulator.extensions["control"].set(Behaviour(mode, **values))

    def received(self) -> list[Any]:
        """What the simulator took in."""
        return list(self.simulator.extensions["journal"].received)

    def chain(self) -> Chain:
        """The people of 贵州, 遵义 and 湄潭."""
        return Chain(*self.hire(*CHAIN))

    def hire(self, *places: str) -> list[Person]:
        """Two people for each place."""
        with self.app.app_context():
            people = transact(lambda: [hire(place) for place in places for _ in range(2)])
            db.session.remove()
        return people

    def employ(self, place: str, *roles: str) -> Person:
        """Somebody with these roles."""
        with self.app.app_context():
            person = transact(lambda: hire(place, *roles))
            db.session.remove()
        return person

    def deliver(self) -> int:
        """One round of this partner's courier; counts the tries."""
        with self.app.app_context():
            due = self.app_id in to_partners.due_destinations()
            tried = to_partners.deliver_destination(self.app_id) if due else 0
            db.session.remove()
        return tried

    def hurry(self) -> None:
        """Let the waiting time of what this partner is owed pass."""
        with self.app.app_context():
            owed = update(WorkItem).where(WorkItem.dest == self.app_id)
            transact(lambda: db.session.execute(owed.values(due_at=func.now())))
            db.session.remove()

    def settings(self, **profile: Any) -> None:
        """Change this partner's profile."""
        with self.app.app_context():
            transact(lambda: partners.update(self.partner_id, profile))
            db.session.remove()

    def submit(self, **changed: Any) -> str:
        """Submit a complaint and expect its number."""
        receipt = self.partner.submit_complaint(complaint(**changed))
        assert receipt.status == 201, receipt.envelope
        return str(receipt.data["acceptance_no"])

    def declare(self, **changed: Any) -> str:
        """Submit a declaration and expect its number."""
        receipt = self.partner.submit_declaration(declaration(**changed))
        assert receipt.status == 201, receipt.envelope
        return str(receipt.data["acceptance_no"])

    def ask(self, **changed: Any) -> str:
        """Submit a question, or with `service_type=2` a suggestion, and expect its number."""
        receipt = self.partner.submit_consultation(consultation(**changed))
        assert receipt.status == 201, receipt.envelope
        return str(receipt.data["acceptance_no"])

    def status(self, acceptance_no: str) -> str:
        """What 12345 is told of a ticket."""
        return str(self.partner.ticket(acceptance_no).data["status"])

    def down(self, acceptance_no: str, people: "Chain", **more: Any) -> None:
        """Sign in, review, hand to the city (`more` goes along) and the county, sign in there."""
        self.accept(acceptance_no, people.province)
        self.delegate(acceptance_no, people.province, people.city, **more)
        target = people.county.principal.unit_id
        self.complete(people.city, acceptance_no, city_route="county", target_unit_id=target)
        self.complete(people.county, acceptance_no)

    def accept(self, acceptance_no: str, province: Person) -> None:
        """Sign in and review."""
        self.complete(province, acceptance_no)
        self.complete(province, acceptance_no, review="accept", opinion="受理")

    def delegate(self, acceptance_no: str, province: Person, to: Person, **more: Any) -> None:
        """Hand from the province to the unit of somebody."""
        target = to.principal.unit_id
        values = {"route": "down", "target_unit_id": target, "instruction": "请核实"}
        self.complete(province, acceptance_no, **values, **more)

    def hand_in(self, person: Person, acceptance_no: str, **changed: Any) -> dict[str, Any]:
        """Upload and submit a report; returns what was entered."""
        report = self.report(person, acceptance_no, **changed)
        self.complete(person, acceptance_no, **report)
        return report

    def tasks(self, person: Person, acceptance_no: str) -> list[dict[str, Any]]:
        """Open tasks of a ticket that a person sees."""
        answer = self.http.get(
            "/api/v1/tasks", params={"business_key": acceptance_no}, headers=person.headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["tasks"]

    def complete(self, person: Person, acceptance_no: str, **values: Any) -> dict[str, Any]:
        """Complete the one task that waits for this person."""
        (task,) = self.tasks(person, acceptance_no)
        return self.complete_task(person, task, values, 200).json()

    def complete_task(
        self, person: Person, task: dict[str, Any], values: dict[str, Any], status: int
    ) -> httpx.Response:
        """Complete a known task and expect a status."""
        answer = self.http.post(
            f"/api/v1/tasks/{task['id']}/complete",
            json={"variables": values, "version": task["version"]},
            headers=person.headers,
        )
        assert answer.status_code == status, answer.text
        return answer

    def act(
        self, person: Person, acceptance_no: str, key: str, status: int = 200, **values: Any
    ) -> dict[str, Any]:
        """Do something beside the flow (随时操作) and expect a status."""
        answer = self.http.post(
            f"/api/v1/tickets/{acceptance_no}/actions/{key}",
            json={"values": values},
            headers=person.headers,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def offered(self, person: Person, acceptance_no: str) -> list[str]:
        """What somebody may do beside the flow now."""
        answer = self.http.get(f"/api/v1/tickets/{acceptance_no}/actions", headers=person.headers)
        assert answer.status_code == 200, answer.text
        return [each["key"] for each in answer.json()["actions"]]

    def settle(self) -> None:
        """Let the scheduler deliver what steps have posted to their own diagrams."""
        with self.app.app_context():
            while transact(lambda: runner.deliver_waiting_inbox(now=clock.now())):
                pass
            db.session.remove()

    def pass_days(self, acceptance_no: str, days: int) -> None:
        """Run the ticket's timers as if so many days had gone."""
        later = datetime.now(UTC) + timedelta(days=days)
        clock.set_source(lambda: later)
        due = select(ProcessInstance.id).where(
            ProcessInstance.business_key == acceptance_no, ProcessInstance.next_due <= later
        )
        try:
            with self.app.app_context():
                for instance_id in db.session.scalars(due).all():
                    transact(partial(runner.fire_due, instance_id, now=later))
                db.session.remove()
        finally:
            clock.set_source(None)

    def conclude(self, acceptance_no: str, people: "Chain") -> None:
        """Handle it at the province from the review on, until 12345 has the result."""
        self.accept(acceptance_no, people.province)
        self.complete(people.province, acceptance_no, route="province")
        self.hand_in(people.province, acceptance_no)
        self.complete(people.province_auditor, acceptance_no, decision="approve")
        self.deliver()

    def call_back(self, acceptance_no: str, satisfaction: int = 1, **more: Any) -> None:
        """12345 tells what the petitioner thinks of the result; satisfied ones are filed."""
        answer = self.partner.report_callback(acceptance_no, satisfaction, **more)
        assert answer.status == 201, answer.envelope

    def report(self, person: Person, acceptance_no: str, **changed: Any) -> dict[str, Any]:
        """Values of a good report, with its file uploaded as a draft of the waiting task."""
        (task,) = self.tasks(person, acceptance_no)
        return self.report_for(person, task["id"], **changed)

    def report_for(self, person: Person, task_id: str, **changed: Any) -> dict[str, Any]:
        """The same where the person has other tasks beside."""
        with self.app.app_context():
            file_id = transact(lambda: _draft_file(person, task_id))
            db.session.remove()
        told = datetime.now(BEIJING) - timedelta(minutes=1)
        return {
            "investigated_at": told.date().isoformat(),
            "verification_result": 2,
            "investigators": [
                {"name": "周明远", "position": "科员", "phone": "13800009999"},
                {"name": "吴·阿依", "position": "驻村干部", "phone": "0851-85500002"},
            ],
            "inform_status": 1,
            "informed_at": told.isoformat(),
            "inform_method": 1,
            "petitioner_feedback": "已电话告知核实情况，来电人表示认可。",
            "handling_opinion": "责成村委会补发差额。",
            "amount_involved": "12000.00",
            "report_files": [file_id],
            **changed,
        }


def _draft_file(person: Person, task_id: str) -> str:
    import io

    from app.files import services as files

    stored = files.store(
        io.BytesIO(sample_report()),
        "调查报告.docx",
        None,
        owner=files.Owner(user_id=person.principal.user_id),
        now=datetime.now(UTC),
        purpose="report_files",
        task_id=uuid.UUID(task_id),
    )
    return stored.id


def complaint(**changed: Any) -> dict[str, Any]:
    """A named complaint from 湄潭县 with a number of its own."""
    return {
        "external_ticket_no": f"GZ-{uuid.uuid4().hex[:16]}",
        "operator_no": "GZ12345-0231",
        "caller_number": "13800001234",
        "called_at": (datetime.now(UTC) - timedelta(minutes=9)).isoformat(timespec="seconds"),
        "is_anonymous": False,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "caller_address": "湄潭县马山镇三组",
        "division_code": MEITAN,
        "detail_address": "三组",
        "target_info": "村委会主任王某",
        "content": "反映危房改造补助资金未按标准发放。\n要求补发差额。",
        "problem_category": 3,
        **changed,
    }


def declaration(**changed: Any) -> dict[str, Any]:
    """A declaration from 湄潭县 with a number of its own."""
    return {
        **_call(),
        "caller_name": "罗某某",
        "contact_phone": "13800001238",
        "id_card_no": "11010519491231002X",
        "content": "户主突发脑梗住院，自付医疗费约5.8万元，申请纳入监测帮扶。",
        "poverty_risk": [1, 9],
        "poverty_risk_note": "房屋受潮",
        "household_head": "罗大某",
        "relation": "父子",
        **changed,
    }


def consultation(**changed: Any) -> dict[str, Any]:
    """A question from 湄潭县 with a number of its own."""
    return {
        **_call(),
        "caller_category": 2,
        "service_type": 1,
        "problem_category": 9,
        "content_summary": "咨询脱贫人口小额信贷的申请条件和办理地点。",
        "callback_phone": "13800001240",
        **changed,
    }


def outcome(**changed: Any) -> dict[str, Any]:
    """What a county enters for a declaration."""
    told = datetime.now(BEIJING) - timedelta(minutes=1)
    return {
        "outcome": 1,
        "monitor_type": 3,
        "outcome_note": "经入户核实和评议公示，符合条件。",
        "inform_status": 1,
        "informed_at": told.isoformat(),
        "inform_method": 2,
        "petitioner_feedback": "已当面告知结果，申请人表示满意。",
        **changed,
    }


def reply(**changed: Any) -> dict[str, Any]:
    """What a unit enters for a question."""
    return {
        "answer": "可申请5万元以下、3年期以内的小额信贷，请到乡镇便民中心办理。",
        "answer_mode": "direct",
        **changed,
    }


def _call() -> dict[str, Any]:
    return {
        "external_ticket_no": f"GZ-{uuid.uuid4().hex[:16]}",
        "operator_no": "GZ12345-0231",
        "caller_number": "13800001234",
        "called_at": (datetime.now(UTC) - timedelta(minutes=9)).isoformat(timespec="seconds"),
        "division_code": MEITAN,
    }


CHAIN = (GUIZHOU, ZUNYI, MEITAN)
