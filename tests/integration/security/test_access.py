"""The access log: written with the deed, searched by the auditor, sealed against changes."""

import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from app.core import clock as core_clock
from app.core.db import db, session, transact
from app.security import access, seals
from app.security.access import Filter
from app.security.identity import id_card_hash, name_hash, phone_hash
from app.security.models import AccessLog, AccessLogSeal
from app.security.principal import SYSTEM


def write(object_id: str, action: str = "ticket.reveal", **more: object) -> int:
    def work() -> int:
        now = core_clock.now()
        values = {"ip": "2001:db8::1", "now": now, "reason": "核实联系方式", **more}
        return access.record(SYSTEM, action, "ticket", object_id, **values).id

    return transact(work)


@pytest.fixture
def ticket() -> str:
    return uuid.uuid4().hex


def test_a_line_says_who_what_when_where_and_why(context, clock, ticket):
    write(ticket, detail={"fields": ["contact_phone"]})

    (line,) = access.trail("ticket", ticket)

    assert (line.user_id, line.user_name, line.action) == (0, "系统", "ticket.reveal")
    assert (line.ip, line.reason) == ("2001:db8::1", "核实联系方式")
    assert line.at == core_clock.now()
    assert line.detail == {"fields": ["contact_phone"]}


def test_a_deed_that_is_rolled_back_leaves_no_line(context, clock, ticket):
    def fail() -> None:
        access.record(SYSTEM, "ticket.reveal", "ticket", ticket, ip=None, now=core_clock.now())
        raise LookupError

    with pytest.raises(LookupError):
        transact(fail)

    assert access.trail("ticket", ticket) == []


def test_lines_are_found_by_each_field_and_by_date(context, clock, ticket):
    first = write(ticket, "ticket.view")
    clock.move(days=1)
    second = write(ticket, "ticket.print", ip="2001:db8::2")
    start = core_clock.now()

    def found(**wanted: object) -> list[int]:
        return [line.id for line in access.lines(Filter(object_id=ticket, **wanted))]

    assert found() == [second, first]
    assert found(since=start) == [second]
    assert found(until=start) == [first]
    assert found(action="ticket.view") == [first]
    assert found(ip="2001:db8::2") == [second]
    assert found(object_type="user") == []
    assert found(user_id=0) == [second, first]


def test_pages_join_without_gap_or_overlap(context, clock, ticket):
    ids = [write(ticket) for _ in range(7)]
    wanted, seen, before = Filter(object_id=ticket), [], None

    while page := access.lines(wanted, before_id=before, limit=3):
        seen += [line.id for line in page]
        before = page[-1].id

    assert seen == ids[::-1]


def test_a_trail_reads_an_index(context):
    plan = session().scalars(
        text(
            "explain select * from access_log where object_type = 'ticket' and object_id = 'x'"
            " order by id desc limit 50"
        )
    )

    assert "ix_access_log_object_type_object_id_id" in "\n".join(plan)


@pytest.fixture
def empty_log(context):
    """The chain covers the whole log, so these tests start it afresh."""

    def clear() -> None:
        session().execute(delete(AccessLogSeal))
        session().execute(delete(AccessLog))

    transact(clear)
    yield
    transact(clear)


def seal_all() -> int:
    return transact(lambda: seals.seal(core_clock.now()))


def test_lines_are_sealed_once_settled(empty_log, clock, ticket):
    write(ticket)
    assert seal_all() == 0
    clock.move(minutes=6)
    write(ticket)

    assert seal_all() == 1
    assert seal_all() == 0
    clock.move(minutes=6)
    assert seal_all() == 1
    assert seals.first_broken() is None


def test_long_logs_are_sealed_in_bounded_ranges(empty_log, clock, ticket):
    for _ in range(5):
        write(ticket)
    clock.move(minutes=6)

    sealed = [transact(lambda: seals.seal(core_clock.now(), limit=2)) for _ in range(4)]

    assert sealed == [2, 2, 1, 0]
    assert seals.first_broken() is None


@pytest.mark.parametrize("crime", ["change", "remove", "slip in", "remove a seal", "cut the end"])
def test_a_meddled_log_breaks_the_chain(empty_log, clock, ticket, crime):
    ids = [write(ticket, reason=f"第{number}次核实") for number in range(6)]
    clock.move(minutes=6)
    for _ in range(3):
        transact(lambda: seals.seal(core_clock.now(), limit=2))
    assert seals.first_broken() is None

    def meddle() -> None:
        if crime == "change":
            session().execute(update(AccessLog).where(AccessLog.id == ids[2]).values(reason="无"))
        elif crime == "remove":
            session().execute(delete(AccessLog).where(AccessLog.id == ids[2]))
        elif crime == "cut the end":
            session().execute(delete(AccessLog).where(AccessLog.id >= ids[4]))
        elif crime == "remove a seal":
            session().execute(delete(AccessLogSeal).where(AccessLogSeal.number == 2))
        else:
            session().execute(delete(AccessLog).where(AccessLog.id == ids[3]))
            columns = "at,user_id,user_name,unit_id,action,object_type,object_id,ip,reason,detail"
            session().execute(
                text(
                    f"insert into access_log (id,{columns}) overriding system value"
                    f" select :id,{columns} from access_log where id = :source"
                ),
                {"id": ids[3], "source": ids[2]},
            )

    transact(meddle)

    broken = seals.first_broken()
    assert broken is not None
    assert broken.number == (3 if crime in ("remove a seal", "cut the end") else 2)


def test_the_chain_holds_in_another_time_zone(empty_log, clock, ticket):
    write(ticket)
    clock.move(minutes=6)
    seal_all()

    session().execute(text("set local time zone 'America/New_York'"))

    assert seals.first_broken() is None
    session().rollback()


def test_two_nodes_seal_each_line_once(app: Flask, empty_log, clock, ticket):
    for _ in range(20):
        write(ticket)
    clock.move(minutes=6)
    start, sealed = threading.Barrier(2), []

    def node() -> None:
        with app.app_context():
            start.wait()
            sealed.append(seal_all())
            db.session.remove()

    threads = [threading.Thread(target=node) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(sealed) == [0, 20]
    assert seals.first_broken() is None
    assert session().scalars(select(AccessLogSeal.lines)).all() == [20]


def test_the_same_person_is_found_however_typed_and_fields_do_not_mix(context):
    assert phone_hash("138 0000 1234") == phone_hash("+8613800001234")
    assert id_card_hash("52010219900101123ｘ") == id_card_hash("52010219900101123X")
    assert name_hash("买买提•阿里") == name_hash("买买提·阿里")
    assert phone_hash("13800001234") != id_card_hash("13800001234")
    assert phone_hash("") is None
    assert phone_hash(None) is None
