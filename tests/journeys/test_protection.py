"""What a ticket is protected against: forged messages, old files, half told errors, its caller."""

import pytest

from tests.support.journey import World, complaint
from tests.support.pages import Browser
from tests.support.people import GUIZHOU


def test_a_technical_role_can_neither_start_nor_confirm_a_ticket(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    analyst = world.employ(GUIZHOU, "process_analyst")
    started = {"definition": "ticket_transfer", "business_key": "X1", "variables": {"ticket_id": 1}}
    forged = {"message_id": "forged-receipt", "name": "confirm.result", "business_key": number}

    answers = [
        world.http.post(f"/api/v1/{path}", json=body, headers=analyst.headers)
        for path, body in (("process-instances", started), ("messages", forged))
    ]

    assert [a.status_code for a in answers] == [403, 403]
    assert [a.json()["code"] for a in answers] == ["PROCESS_INTERNAL", "MESSAGE_INTERNAL"]


def test_a_report_needs_files_of_its_own_round(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    first = world.report(people.county, number)
    world.complete(people.county, number, **first)
    world.complete(people.city_auditor, number, decision="reject", opinion="请补充材料")
    (task,) = world.tasks(people.county, number)

    refused = world.complete_task(people.county, task, first, 422).json()

    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("report_files[0]", "step")]


def test_all_mistakes_are_told_at_once_also_those_about_other_rows(world: World) -> None:
    refused = world.partner.submit_complaint(
        {"division_code": "999999999999", "attachments": ["att_nothing"], "content": ""}
    )

    named = {error["field"] for error in refused.envelope["errors"]}
    assert refused.status == 422
    assert {"content", "division_code", "attachments[0]", "external_ticket_no"} <= named


@pytest.mark.parametrize(
    ("sent", "warning"),
    [
        ({"division_code": "520328"}, None),
        ({"division_code": "999999999999", "division_text": "湄潭县"}, "DIVISION_CODE_UNKNOWN"),
    ],
)
def test_a_division_is_understood_however_it_was_sent(
    world: World, sent: dict[str, str], warning: str | None
) -> None:
    receipt = world.partner.submit_complaint(complaint(**{"division_code": None, **sent}))

    assert receipt.status == 201, receipt.envelope
    codes = {w["code"] for w in receipt.data["warnings"]}
    assert ("DIVISION_CODE_UNKNOWN" in codes) == (warning is not None)
    assert "DIVISION_UNRESOLVED" not in codes


def test_a_sealed_tickets_address_and_files_stay_at_the_province(world: World) -> None:
    people = world.chain()
    file_id = world.partner.upload_attachment(b"%PDF-1.4\n%%EOF\n", "现场.pdf").data[
        "attachment_id"
    ]
    number = world.submit(is_anonymous=True, detail_address="玳瑁巷七号", attachments=[file_id])
    world.down(number, people, summary="反映危房改造补助发放问题，请核实。")

    above = Browser(world.app, people.province).get(f"/tickets/{number}").text
    county = Browser(world.app, people.county)
    below = county.get(f"/tickets/{number}").text

    assert "玳瑁巷七号" in above
    assert "现场.pdf" in above
    assert "玳瑁巷七号" not in below
    assert "现场.pdf" not in below
    assert county.get(f"/files/{file_id}").status_code == 404
