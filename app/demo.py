"""Reference data and a morning of sample tickets, for `make run`, tests and demonstrations.

Everything goes in through the services that real data take; running it again adds nothing.
"""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.core.clock import BEIJING
from app.core.db import session, transact
from app.demo_desk import AGENT, CALL_PROVINCE, NATIONAL, load_desk
from app.divisions.services import EVERYTHING, load
from app.engine import definitions, parser, runner
from app.engine.models import ProcessDefinition, UserTask
from app.engine.registry import Actor
from app.exchange import partners
from app.exchange.models import Partner
from app.files import services as files
from app.notifications import hooks
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.organisations.services import generate_units
from app.security.models import User
from app.security.passwords import hash_password
from app.security.queries import principal_for_user
from app.simulator.samples import SAMPLES, Sample, caller_number
from app.tickets import intake, services
from app.tickets.access import actor_of
from app.tickets.disclosure import needs_summary
from app.tickets.types import TICKET_TYPES

BPMN = Path(__file__).resolve().parents[1] / "bpmn"
DIVISION_ROWS = 665_271

GUIZHOU, CHONGQING = "gz12345", "cq12345"
PROVINCES = {
    GUIZHOU: ("520000", "贵州省12345政务服务便民热线"),
    CHONGQING: ("500000", "重庆市12345政务服务便民热线"),
}

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
_GIVEN = (
    "敏",
    "磊",
    "静",
    "强",
    "丽",
    "军",
    "洁",
    "勇",
    "艳",
    "涛",
    "明",
    "芳",
    "杰",
    "娟",
    "平",
    "霞",
)

Progress = Callable[[int, int], None]


def load_reference(progress: Progress) -> None:
    """Divisions, units and diagrams, each in a transaction of its own."""
    transact(lambda: load(session(), EVERYTHING, lambda done: progress(done, DIVISION_ROWS)))
    transact(lambda: generate_units(session()))
    now = datetime.now(BEIJING)
    transact(lambda: publish_diagrams(BPMN, now))


def publish_diagrams(directory: Path, now: datetime) -> list[ProcessDefinition]:
    """Publish every main diagram of a directory, with the diagrams it calls."""
    sources = {file.name: file.read_bytes() for file in sorted(directory.glob("*.bpmn"))}
    called = {key for xml in sources.values() for key in parser.called_elements(xml)}
    made = []
    for name, xml in sources.items():
        for key in parser.process_ids(xml):
            if key not in called:
                bundle = {name: xml} | _called_by(xml, sources)
                made.append(definitions.deploy(bundle, key, deployed_by="系统", now=now))
    return made


def load_demo(password: str, secret: str, callbacks: dict[str, str], now: datetime) -> None:
    """Staff, platforms and tickets; nothing when they are there."""
    if transact(lambda: session().scalar(select(User.id).limit(1))) is not None:
        return
    transact(lambda: add_staff(password, now))
    transact(lambda: add_partners(secret, callbacks))
    transact(lambda: add_hooks(secret, callbacks))
    morning = now.astimezone(BEIJING).replace(hour=8, minute=31, second=0, microsecond=0)
    begin = min(morning, now - timedelta(hours=2))
    for number, (sample, steps) in enumerate(_morning()):
        at = begin + timedelta(minutes=5 * number)
        if number in _OLD:
            at -= timedelta(days=24)
        soon = at.date() + timedelta(days=2) if number in _HURRIED else None
        acceptance_no = transact(partial(_receive, sample, number, at, soon))
        for step in range(steps):
            later = min(now, at + timedelta(minutes=4 * (step + 1)))
            if not transact(partial(advance, acceptance_no, later)):
                break
    transact(lambda: load_desk(now))


def add_staff(password: str, now: datetime) -> None:
    """Two operators in every unit of the two provinces, a leader and a supervisor at the top.

    User names are level and division: `p520000a`, `c520300a`, `x520328a`; one and an administrator
    at the top, and two seats where calls are put through.
    """
    hashed = hash_password(password)
    wanted = select(Unit).where(
        Unit.division_code.like("52%") | Unit.division_code.like("50%") | (Unit.level == "national")
    )
    number = 0
    for unit in session().scalars(wanted.order_by(Unit.division_code)):
        letter = {"province": "p", "city": "c", "county": "x"}.get(unit.level)
        people = [(f"{letter}{unit.division_code[:6]}{x}", f"{unit.level}_operator") for x in "ab"]
        if letter is None:
            people = [(NATIONAL, "national"), ("admin000000", "system_admin")]
        if unit.level == "province":
            people += [
                (f"leader{unit.division_code[:6]}", "province_leader"),
                (f"super{unit.division_code[:6]}", "supervisor"),
                (f"analyst{unit.division_code[:6]}", "process_analyst"),
            ]
        if unit.division_code == CALL_PROVINCE:
            people += [(AGENT, "province_agent"), (f"{AGENT[:-1]}b", "province_agent")]
        for username, role in people:
            session().add(_person(username, role, unit, hashed, number, now))
            number += 1
    session().flush()


def _person(username: str, role: str, unit: Unit, hashed: str, number: int, now: datetime) -> User:
    name = _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number * 7 % len(_GIVEN)]
    return User(
        username=username,
        password_hash=hashed,
        password_changed_at=now,
        must_change_password=False,
        display_name=name,
        position={
            "province_leader": "分管负责人",
            "supervisor": "督办员",
            "province_agent": "坐席员",
        }.get(role, "业务员"),
        phone=f"0851-8550{number % 10000:04d}",
        unit_id=unit.id,
        roles=[role],
        created_at=now,
    )


def add_partners(secret: str, callbacks: dict[str, str]) -> None:
    """One platform a province, each played by a simulator at its callback address."""
    for app_id, (code, name) in PROVINCES.items():
        partner, _ = partners.create(
            app_id,
            {
                "name": name,
                "province_code": code,
                "callback_base": callbacks[app_id],
                "callback_networks": ["127.0.0.0/8"],
                "page_origin": callbacks[app_id].removesuffix("/api"),
            },
        )
        partner.secrets = [secret]
    session().flush()


def add_hooks(secret: str, callbacks: dict[str, str]) -> None:
    """What staff are told goes to the simulators, which show it as SMS."""
    for app_id, (code, _) in PROVINCES.items():
        unit = organisations.unit_with_code(code.ljust(12, "0"))
        if unit is not None:
            url = f"{callbacks[app_id]}/notifications"
            networks = ["127.0.0.0/8"]
            hooks.set_up(unit, url, app_id=app_id, networks=networks, secret=secret)


def advance(acceptance_no: str, now: datetime) -> bool:
    """Let the staff do a ticket's next task in the ordinary way; False when none is open."""
    task = session().scalar(
        select(UserTask)
        .where(UserTask.business_key == acceptance_no, UserTask.state == "open")
        .limit(1)
    )
    if task is None:
        return False
    people = list(
        session().scalars(
            select(User)
            .where(User.unit_id == task.unit_id, User.roles.contains([task.role]))
            .order_by(User.id)
        )
    )
    user = people[-1] if task.form == "ticket.audit" else people[0]
    principal = principal_for_user(user.id, now)
    if principal is None:
        return False
    actor = actor_of(principal)
    runner.complete_task(task.id, _answer(task, actor, now), actor=actor, now=now)
    return True


def _answer(task: UserTask, actor: Actor, now: datetime) -> dict[str, Any]:
    """What a member of staff would enter."""
    if task.form == "ticket.review":
        return {"review": "accept", "opinion": "符合12317受理范围，予以受理。"}
    if task.form in {"ticket.dispatch", "ticket.city_decide"}:
        return _route(task)
    if task.form in _HANDLED:
        return _HANDLED[task.form](task, actor, now)
    if task.form == "ticket.audit":
        return {"decision": "approve", "opinion": "事实清楚，同意。"}
    return {}


def _route(task: UserTask) -> dict[str, Any]:
    """Down to the unit of the place, but for what the province answers itself."""
    ticket = services.ticket_numbered(task.business_key)
    if task.form == "ticket.dispatch" and TICKET_TYPES[ticket.ticket_type].province_answers:
        return {"route": "province"}
    code = ticket.city_code if task.form == "ticket.dispatch" else ticket.county_code
    target = organisations.unit_of_division(code or ticket.county_code)
    key, value = ("route", "down") if task.form == "ticket.dispatch" else ("city_route", "county")
    return {
        key: value,
        "target_unit_id": target.id if target else None,
        "instruction": "请按期核实办理。",
        **({"summary": ticket.content} if needs_summary(ticket) else {}),
    }


def _report(task: UserTask, actor: Actor, now: datetime) -> dict[str, Any]:
    stored = files.store(
        io.BytesIO(sample_report()),
        "调查报告.docx",
        None,
        owner=files.Owner(user_id=actor.id),
        now=now,
        purpose="report_files",
        task_id=task.id,
    )
    told = (now - timedelta(minutes=1)).astimezone(BEIJING)
    return {
        "investigated_at": told.date().isoformat(),
        "verification_result": 2,
        "investigators": [
            {"name": actor.name, "position": "业务员", "phone": actor.phone},
            {"name": "周明远", "position": "驻村干部", "phone": "13800009999"},
        ],
        "inform_status": 1,
        "informed_at": told.isoformat(),
        "inform_method": 1,
        "petitioner_feedback": "已电话告知核实情况和补发时间，来电人表示认可。",
        "handling_opinion": "责成村委会三日内补发差额，并在村务公开栏公示。",
        "amount_involved": "12000.00",
        "report_files": [stored.id],
    }


def _outcome(task: UserTask, actor: Actor, now: datetime) -> dict[str, Any]:
    told = (now - timedelta(minutes=1)).astimezone(BEIJING)
    return {
        "outcome": 1,
        "monitor_type": 3,
        "outcome_note": "经入户核实、信息比对和评议公示，符合条件。",
        "inform_status": 1,
        "informed_at": told.isoformat(),
        "inform_method": 2,
        "petitioner_feedback": "已当面告知结果和帮扶措施，申请人表示满意。",
    }


def _reply(task: UserTask, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "answer": "脱贫户、监测对象可申请5万元以下、3年期以内的小额信贷，请到乡镇便民中心办理。",
        "answer_mode": "direct",
    }


def _reply_to_suggestion(task: UserTask, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "adopted": 1,
        "answer": "已会同交通部门现场核查，四处急弯列入2027年村道安防工程，计划上半年完工。",
        "answer_mode": "direct",
    }


_HANDLED: dict[str | None, Callable[[UserTask, Actor, datetime], dict[str, Any]]] = {
    "ticket.investigate.complaint": _report,
    "ticket.investigate.declaration": _outcome,
    "ticket.investigate.consultation": _reply,
    "ticket.investigate.suggestion": _reply_to_suggestion,
}


def sample_report() -> bytes:
    """A small Word file with one sentence."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w='
        '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
        "经入户核实，反映情况部分属实。</w:t></w:r></w:p></w:body></w:document>"
    )
    types = (
        '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/'
        'package/2006/content-types"><Default Extension="rels" ContentType="application/'
        'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.'
        'main+xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats'
        '.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats'
        '.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        "</Relationships>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", types)
        package.writestr("_rels/.rels", relations)
        package.writestr("word/document.xml", body)
    return out.getvalue()


def _morning() -> list[tuple[Sample, int]]:
    """Samples in turn, and how many steps each has gone: complaints first, then the other types."""
    complaints = [sample for sample in SAMPLES if sample.kind == "complaint"]
    others = [sample for sample in SAMPLES if sample.kind != "complaint"]
    steps = (0, 0, 1, 0, 2, 3, 4, 5, 0, 6, 3, 7, 1, 8, 2, 0, 4, 5, 6, 0, 3, 1, 9, 0)
    later = (0, 4, 1, 4, 5, 6, 4)
    return [(complaints[n % len(complaints)], count) for n, count in enumerate(steps)] + [
        (others[n % len(others)], count) for n, count in enumerate(later)
    ]


_OLD, _HURRIED = frozenset({5, 9, 16}), frozenset({0, 4, 11, 14})
"""Samples received weeks ago (overdue by now), and those 12345 wants back the day after next."""


def _receive(sample: Sample, number: int, at: datetime, wanted_on: date | None) -> str:
    app_id = GUIZHOU if sample.province_code == "520000" else CHONGQING
    partner = session().scalars(select(Partner).where(Partner.app_id == app_id)).one()
    payload = {
        **sample.values,
        "external_ticket_no": f"{app_id.upper()}-{at:%Y%m%d}-{number + 1:06d}",
        "operator_no": f"{app_id.upper()}-{100 + number % 7:04d}",
        "caller_number": caller_number(sample) or f"138000012{number:02d}",
        "called_at": (at - timedelta(minutes=6)).isoformat(),
    }
    if wanted_on is not None:
        payload["required_completion_date"] = wanted_on.isoformat()
    taken = intake.read(sample.kind, payload, now=at, anonymity_mode=partner.anonymity_mode)
    return services.receive(taken, partner, at).ticket.acceptance_no


def _called_by(xml: bytes, sources: dict[str, bytes]) -> dict[str, bytes]:
    """The diagrams a diagram calls, directly or through another."""
    found: dict[str, bytes] = {}
    wanted = parser.called_elements(xml)
    while wanted:
        key = wanted.pop()
        for name, other in sources.items():
            if name not in found and key in parser.process_ids(other):
                found[name] = other
                wanted |= parser.called_elements(other)
    return found
