"""Acceptance scenario 1: a complaint goes down to the county and its result returns to 12345."""

from datetime import datetime, timedelta
from hashlib import sha256

import httpx

from app.core.db import session
from app.demo import sample_report
from app.exchange.queries import deliveries_of
from tests.support.journey import World, complaint


def test_a_complaint_goes_down_to_the_county_and_its_result_returns(world: World) -> None:
    people, sent = world.chain(), complaint()

    receipt = world.partner.submit_complaint(sent)
    assert receipt.status == 201, receipt.envelope
    number = receipt.data["acceptance_no"]
    assert receipt.data["external_ticket_no"] == sent["external_ticket_no"]
    assert world.status(number) == "submitted"
    world.down(number, people)
    entered = world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve", opinion="同意")

    assert world.status(number) == "result_pending"
    assert world.deliver() == 1
    answer = world.partner.ticket(number).data
    assert answer["status"] == "callback_pending"
    assert answer["handling_unit"] == people.county.principal.unit_name

    # every field of the seed's table 6 is what the county and the auditors entered
    (message,) = world.received()
    body = message.body
    assert message.operation == "results/complaints"
    assert (body["acceptance_no"], body["external_ticket_no"]) == (
        number,
        sent["external_ticket_no"],
    )
    for name in (
        "investigated_at",
        "investigators",
        "petitioner_feedback",
        "verification_result",
        "amount_involved",
        "inform_status",
        "inform_method",
        "handling_opinion",
    ):
        assert body[name] == entered[name], name
    told = datetime.fromisoformat(entered["informed_at"])
    assert abs(datetime.fromisoformat(body["informed_at"]) - told) < timedelta(seconds=1)
    assert body["verification_result_label"] == "部分属实"
    auditors = [(a["name"], a["position"], a["phone"], a["org"]) for a in body["auditors"]]
    assert auditors == [
        (p.display_name, p.position, p.phone, p.unit_name)
        for p in (people.city_auditor.principal, people.province_auditor.principal)
    ]
    assert body["audited_at"] == answer["completed_at"] == body["completed_at"]

    # the report file can be fetched by its signed link and is the one that was uploaded
    (file,) = body["report_files"]
    assert (file["name"], file["size"]) == ("调查报告.docx", len(sample_report()))
    link = file["url"].replace("http://127.0.0.1/", f"{world.address}/")
    fetched = httpx.get(link, trust_env=False)
    assert fetched.status_code == 200
    assert sha256(fetched.content).hexdigest() == file["sha256"]

    # the platform keeps 12345's receipt
    with world.app.app_context():
        (delivery,) = deliveries_of(number)
        session().rollback()
    assert (delivery.state, delivery.receipt_no) == ("delivered", message.receipt_no)

    # the petitioner is content: the ticket is filed
    world.call_back(number, satisfaction=1)
    assert world.status(number) == "archived"


def test_the_states_12345_sees_follow_the_ticket(world: World) -> None:
    people, number = world.chain(), world.submit()
    seen = [world.status(number)]

    def step(*actions: object) -> None:
        seen.append(world.status(number))

    step(world.complete(people.province, number))
    step(world.complete(people.province, number, review="accept"))
    step(world.delegate(number, people.province, people.city))
    target = people.county.principal.unit_id
    step(world.complete(people.city, number, city_route="county", target_unit_id=target))
    step(world.complete(people.county, number))
    step(world.hand_in(people.county, number))
    step(world.complete(people.city_auditor, number, decision="approve"))
    step(world.complete(people.province_auditor, number, decision="approve"))
    step(world.deliver())
    step(world.call_back(number))

    assert seen == [
        "submitted",
        "reviewing",
        "dispatching",
        "delegated",
        "delegated",
        "handling",
        "auditing",
        "auditing",
        "result_pending",
        "callback_pending",
        "archived",
    ]


def test_a_closed_ticket_takes_no_more_actions(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    (dispatch,) = world.tasks(people.province, number)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()

    refused = world.complete_task(people.province, dispatch, {"route": "province"}, 409).json()

    assert refused["code"] == "TASK_ALREADY_DONE"
    assert people.province.principal.display_name in refused["message"]
    assert refused["current_state"] == "callback_pending"
    for person in (people.province, people.city, people.county):
        assert world.tasks(person, number) == []
