"""Declarations, questions and suggestions go their way and come back as their tables say."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.db import session
from app.exchange.queries import deliveries_of
from app.simulator import labels
from app.tickets.models import ConsultationAnswer, DeclarationResult
from tests.support.journey import World, declaration, outcome, reply
from tests.support.people import Person

ADOPTED = {"adopted": 2, "answer": "已会同交通部门核查，两处急弯列入明年安防工程。"}


def result_of(world: World, number: str) -> dict[str, Any]:
    """Deliver, and give what the simulator received; nobody calls about an answered question."""
    assert world.status(number) == "result_pending"
    world.deliver()
    (message,) = [m for m in world.received() if m.body["acceptance_no"] == number]
    is_question = message.body.get("service_type") == 1
    assert world.status(number) == ("archived" if is_question else "callback_pending")
    assert labels.missing(message.operation, message.body) == []
    with world.app.app_context():
        (delivery,) = deliveries_of(number)
        session().rollback()
    assert (delivery.state, delivery.receipt_no) == ("delivered", message.receipt_no)
    return {"operation": message.operation, **message.body}


def to_the_province(world: World, number: str, province: Person) -> None:
    world.accept(number, province)
    world.complete(province, number, route="province")


def test_a_declaration_comes_back_from_the_county_with_all_of_table_7(world: World) -> None:
    people, sent = world.chain(), declaration()
    receipt = world.partner.submit_declaration(sent)
    number = receipt.data["acceptance_no"]
    assert number.startswith("SB520000")
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    assert task["form"] == "ticket.investigate.declaration"

    entered = outcome()
    world.complete(people.county, number, **entered)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")

    body = result_of(world, number)
    province, county = people.province.principal, people.county.principal
    assert body["operation"] == "results/declarations"
    assert (body["acceptance_no"], body["external_ticket_no"]) == (
        number,
        sent["external_ticket_no"],
    )
    assert body["acceptor"] == {"name": province.display_name, "phone": province.phone}
    assert body["handler"] == {"name": county.display_name, "phone": county.phone}
    assert receipt.data["received_at"] <= body["accepted_at"] <= body["completed_at"]
    assert (body["outcome"], body["outcome_label"]) == (1, "纳入监测对象")
    assert (body["monitor_type"], body["monitor_type_label"]) == (3, "突发严重困难户")
    for name in ("outcome_note", "petitioner_feedback", "inform_status", "inform_method"):
        assert body[name] == entered[name], name
    told = datetime.fromisoformat(entered["informed_at"])
    assert abs(datetime.fromisoformat(body["informed_at"]) - told) < timedelta(seconds=1)
    assert body["report_files"] == []
    assert [a["name"] for a in body["auditors"]] == [
        p.principal.display_name for p in (people.city_auditor, people.province_auditor)
    ]
    assert body["completed_at"] == body["audited_at"]


def test_a_rejected_declaration_keeps_both_versions_and_sends_the_last(world: World) -> None:
    people, number = world.chain(), world.declare()
    to_the_province(world, number, people.province)
    world.complete(people.province, number, **outcome(monitor_type=1))
    rejection = {"decision": "reject", "opinion": "请核实收入"}
    (audit,) = world.tasks(people.province, number)
    refused = world.complete_task(people.province, audit, rejection, 403).json()
    assert refused["code"] == "FOUR_EYES"
    world.complete(people.province_auditor, number, **rejection)

    other = {"outcome": 3, "outcome_note": "人均收入高于监测线", "monitor_type": 1}
    world.complete(people.province, number, **outcome(**other))
    world.complete(people.province_auditor, number, decision="approve")

    body = result_of(world, number)
    assert (body["outcome"], body["outcome_note"]) == (3, "人均收入高于监测线")
    assert body["monitor_type"] is None  # of a household that is not monitored
    with world.app.app_context():
        rows = session().query(DeclarationResult.version, DeclarationResult.outcome)
        kept = rows.filter(DeclarationResult.author_id == people.province.principal.user_id).all()
        session().rollback()
    assert sorted(tuple(row) for row in kept) == [(1, 1), (2, 3)]


def test_after_a_refused_return_who_dispatched_it_has_accepted_it(world: World) -> None:
    people, number = world.chain(), world.declare()
    world.complete(people.province, number)
    back = {"return_reason_code": 3, "return_reason": "申请人户籍不在本省，请核对后转交。"}
    world.complete(people.province, number, review="return", **back)
    world.deliver()
    world.partner.decide_return(number, approved=False, opinion="申请人常住本省，请继续办理。")
    world.complete(people.province_auditor, number, route="province")
    world.complete(people.province, number, **outcome())
    world.complete(people.province_auditor, number, decision="approve")

    world.deliver()

    (body,) = [m.body for m in world.received() if m.operation == "results/declarations"]
    assert body["acceptor"]["name"] == people.province_auditor.principal.display_name


def test_files_of_a_declaration_go_back_as_links(world: World) -> None:
    people, number = world.chain(), world.declare()
    world.down(number, people)
    files = world.report(people.county, number)["report_files"]

    world.complete(people.county, number, **outcome(report_files=files))
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")

    (file,) = result_of(world, number)["report_files"]
    link = file["url"].replace("http://127.0.0.1/", f"{world.address}/")
    assert (file["name"], world.http.get(link).status_code) == ("调查报告.docx", 200)


def test_a_wrong_check_digit_is_refused_in_chinese_and_corrected_gets_its_number(
    world: World,
) -> None:
    sent = declaration(id_card_no="110105194912310021")

    refused = world.partner.submit_declaration(sent)

    assert refused.status == 422
    assert refused.envelope["errors"] == [
        {"field": "id_card_no", "rule": "checksum", "message": "身份证号校验位错误"}
    ]
    corrected = world.partner.submit_declaration({**sent, "id_card_no": "11010519491231002X"})
    assert corrected.status == 201
    assert corrected.data["acceptance_no"].startswith("SB520000")


def test_a_question_the_province_answers_needs_no_audit(world: World) -> None:
    people, number = world.chain(), world.ask()
    assert number.startswith("ZX520000")
    to_the_province(world, number, people.province)

    world.complete(people.province, number, **reply())

    for person in (people.province, people.province_auditor):
        assert world.tasks(person, number) == []
    body = result_of(world, number)
    unit = people.province.principal
    assert body["operation"] == "results/consultations"
    assert body["answer"] == reply()["answer"]
    assert (body["answer_mode"], body["service_type_label"]) == ("direct", "咨询")
    assert body["answered_by"] == {
        "name": unit.display_name,
        "org": unit.unit_name,
        "phone": unit.phone,
    }
    assert (body["inform_status"], body["informed_at"], body["adopted"]) == (None, None, None)
    assert "auditors" not in body
    assert body["answered_at"] == body["completed_at"]


def test_a_question_handed_down_is_audited_before_the_answer_goes_out(world: World) -> None:
    people, number = world.chain(), world.ask()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, city_route="self")
    told = {"inform_status": 1, "inform_method": 1, "informed_at": outcome()["informed_at"]}

    world.complete(people.city, number, **reply(answer_mode="callback", **told))
    assert world.status(number) == "auditing"
    (audit,) = world.tasks(people.province_auditor, number)
    assert audit["element_id"] == "audit_by_province"
    world.complete(people.province_auditor, number, decision="approve")

    body = result_of(world, number)
    assert body["answered_by"]["org"] == people.city.principal.unit_name
    assert (body["answer_mode"], body["inform_status_label"]) == ("callback", "已告知")
    assert [a["org"] for a in body["auditors"]] == [people.province.principal.unit_name]


def test_a_suggestion_is_answered_with_what_becomes_of_it(world: World) -> None:
    people, number = world.chain(), world.ask(service_type=2)
    assert number.startswith("ZX520000")
    to_the_province(world, number, people.province)
    (task,) = world.tasks(people.province, number)
    assert task["form"] == "ticket.investigate.suggestion"
    refused = world.complete_task(people.province, task, reply(), 422).json()
    assert [e["field"] for e in refused["errors"]] == ["adopted"]

    world.complete(people.province, number, **reply(**ADOPTED))

    body = result_of(world, number)
    assert (body["adopted"], body["adopted_label"]) == (2, "部分采纳")
    assert body["service_type_label"] == "建议"


def test_what_is_said_about_telling_counts_only_after_a_call_back(world: World) -> None:
    people, number = world.chain(), world.ask()
    to_the_province(world, number, people.province)
    told = {"inform_status": 1, "inform_method": 1, "informed_at": outcome()["informed_at"]}

    world.complete(people.province, number, **reply(**told))

    with world.app.app_context():
        row = session().query(ConsultationAnswer).filter_by(answer=reply()["answer"])
        stored = row.order_by(ConsultationAnswer.id.desc()).first()
        said = (stored.inform_status, stored.informed_at, stored.inform_method)
        session().rollback()
    assert said == (None, None, None)


@pytest.mark.parametrize("moment", ["2199-01-01T09:00:00+08:00", "2001-01-01T09:00:00+08:00"])
def test_nobody_was_told_in_the_future_or_before_the_call(world: World, moment: str) -> None:
    people, number, question = world.chain(), world.declare(), world.ask()
    told = {"inform_status": 1, "inform_method": 1, "informed_at": moment}
    for each, values in (
        (number, outcome(**told)),
        (question, reply(answer_mode="callback", **told)),
    ):
        to_the_province(world, each, people.province)
        (task,) = world.tasks(people.province, each)
        refused = world.complete_task(people.province, task, values, 422).json()
        assert [e["field"] for e in refused["errors"]] == ["informed_at"]


@pytest.mark.parametrize(
    ("kind", "table", "title", "days"),
    [
        ("declare", "declaration", "自主申报", 20),
        ("ask", "consultation", "咨询", 2),
        ("suggest", "consultation", "建议", 10),
    ],
)
def test_12345_is_told_the_type_it_submitted(
    world: World, kind: str, table: str, title: str, days: int
) -> None:
    number = world.declare() if kind == "declare" else world.ask(service_type=1 + (days == 10))

    told = world.partner.ticket(number).data

    assert (told["ticket_type"], told["ticket_type_label"]) == (table, title)
    span = datetime.fromisoformat(told["due_at"]) - datetime.fromisoformat(told["submitted_at"])
    assert timedelta(days=days - 1) < span < timedelta(days=2 * days + 12)
