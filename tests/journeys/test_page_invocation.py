"""Page invocation: 12345's operator fills in 12317's form; 12345 keeps the copy (PAGE-01…06)."""

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from app.core import clock
from app.core.db import db, session
from app.demo import sample_report
from tests.support.intake_page import (
    COMPLAINT,
    DECLARATION,
    FORMS,
    Desk,
    address,
    number_on,
    problems_on,
    tickets,
    wanted,
)
from tests.support.journey import World, complaint

ORIGIN = "https://12345.guizhou.example.gov.cn"


def own_number() -> str:
    return f"GZ-{uuid.uuid4().hex[:16]}"


@pytest.fixture
def later() -> Iterator[Any]:
    """Let minutes pass for the platform."""
    yield lambda **delta: clock.set_source(partial(_moved, timedelta(**delta)))
    clock.set_source(None)


def _moved(delta: timedelta) -> datetime:
    return datetime.now(clock.BEIJING) + delta


def test_a_declaration_with_a_wrong_check_digit_loses_nothing_and_is_then_copied_to_12345(
    world: World,
) -> None:
    """Acceptance scenario 3."""
    own = own_number()
    desk = Desk(world)
    page = desk.open(address(world, ticket_type="declaration", external_ticket_no=own))
    assert page.status_code == 200

    refused = desk.send(**{**DECLARATION, "id_card_no": "110105194912310021"})
    assert refused.status_code == 422
    assert problems_on(refused) == {"id_card_no": "身份证号校验位错误"}
    for kept in ("110105194912310021", "罗某某", "罗大某", "自付医疗费约5.8万元"):
        assert kept in refused.text
    assert tickets(world) == []

    number = number_on(desk.send(**DECLARATION))
    assert number.startswith("SB520000")
    world.deliver()
    (copy,) = world.received()
    assert copy.operation == "ticket-copies"
    body = copy.body
    assert (body["acceptance_no"], body["external_ticket_no"]) == (number, own)
    assert body["id_card_no"] == DECLARATION["id_card_no"]
    assert (body["poverty_risk"], body["household_head"]) == ([1], "罗大某")
    assert (body["operator_no"], body["caller_number"]) == ("GZ12345-0231", "13800001234")
    assert body["division_code"] == "520328103000"
    assert {"query_code", "received_at", "due_at", "called_at", "ticket_type"} <= set(body)


@pytest.mark.parametrize(
    ("table", "kind", "prefix"),
    [
        ("complaint", "complaint", "TS"),
        ("declaration", "declaration", "SB"),
        ("consultation", "suggestion", "ZX"),
    ],
)
def test_each_page_registers_its_table_and_the_ticket_goes_its_ordinary_way(
    world: World, table: str, kind: str, prefix: str
) -> None:
    desk = Desk(world)
    desk.open(address(world, ticket_type=table))

    number = number_on(desk.send(**FORMS[table]))

    (ticket,) = tickets(world)
    assert number.startswith(f"{prefix}520000")
    assert (ticket.source, ticket.ticket_type) == ("p12345_page", kind)
    assert (ticket.operator_no, ticket.caller_number) == ("GZ12345-0231", "13800001234")
    assert ticket.external_ticket_no is None
    assert world.status(number) == "submitted"
    assert [task["element_id"] for task in world.tasks(world.chain().province, number)] == [
        "sign_in"
    ]


def test_the_result_of_a_page_ticket_follows_its_copy_under_our_number(world: World) -> None:
    people = world.chain()
    desk = Desk(world)
    desk.open(address(world))
    number = number_on(desk.send(**COMPLAINT))

    world.conclude(number, people)
    world.deliver()

    copy, result = world.received()
    assert (copy.operation, copy.body["event_seq"]) == ("ticket-copies", 1)
    assert (result.operation, result.body["event_seq"]) == ("results/complaints", 2)
    assert [m.body["external_ticket_no"] for m in (copy, result)] == [None, None]
    assert [m.body["acceptance_no"] for m in (copy, result)] == [number, number]


def test_what_12345_said_of_the_call_is_shown_and_cannot_be_changed(world: World) -> None:
    desk = Desk(world)
    page = desk.open(address(world, external_ticket_no="GZ-KNOWN-1"))
    assert all(said in page.text for said in ("GZ12345-0231", "13800001234", "GZ-KNOWN-1"))
    assert not re.search(
        r'name="(operator_no|caller_number|called_at|external_ticket_no)"', page.text
    )

    desk.send(**COMPLAINT, operator_no="X-1", caller_number="13900000000", external_ticket_no="X-2")

    (ticket,) = tickets(world)
    assert (ticket.operator_no, ticket.caller_number, ticket.external_ticket_no) == (
        "GZ12345-0231",
        "13800001234",
        "GZ-KNOWN-1",
    )


def test_the_page_and_the_api_refuse_alike(world: World) -> None:
    """SEC-21: one validator."""
    wrong = {"contact_phone": "12", "problem_category": "99", "content": "", "id_card_no": "1"}
    desk = Desk(world)
    desk.open(address(world))

    page = problems_on(desk.send(**{**COMPLAINT, **wrong}))

    sent = complaint(**{**wrong, "problem_category": 99})
    api = world.partner.submit_complaint(sent).envelope["errors"]
    assert page == {error["field"]: error["message"] for error in api}
    assert set(page) == set(wrong)


@pytest.mark.parametrize(
    ("place", "refusal"),
    [
        (
            {"division_code": "520000000000"},
            {"division_code": "请选到下一级行政区划，或填写地点描述"},
        ),
        ({"division_code": ""}, {"division_code": "行政区划编码和行政区划文本至少填一项"}),
        ({"division_code": "529999999999"}, {"division_code": "行政区划编码不存在"}),
        ({"division_code": "520000000000", "division_text": "贵州省遵义市湄潭县马山镇"}, None),
    ],
)
def test_a_place_is_chosen_or_told_in_words(
    world: World, place: dict[str, str], refusal: dict[str, str] | None
) -> None:
    desk = Desk(world)
    desk.open(address(world))

    page = desk.send(**{**COMPLAINT, **place})

    if refusal is None:
        number_on(page)
        assert tickets(world)[0].division_code == "520328103000"
    else:
        assert (page.status_code, problems_on(page)) == (422, refusal)


def test_a_form_is_accepted_for_an_hour_and_its_receipt_seen_for_a_day(
    world: World, later: Any
) -> None:
    early, late = Desk(world), Desk(world)
    early.open(address(world))
    late.open(address(world))
    later(minutes=59)
    number = number_on(early.send(**COMPLAINT))

    later(minutes=61)
    assert late.send(**COMPLAINT).status_code == 410
    assert late.again().status_code == 410
    assert number_on(early.again()) == number

    later(hours=25)
    assert early.again().status_code == 410


def test_a_double_click_and_a_refresh_make_one_ticket(world: World) -> None:
    desk = Desk(world)
    desk.open(address(world, external_ticket_no=own_number()))

    with ThreadPoolExecutor(5) as pool:
        body = {"csrf_token": desk.key, **COMPLAINT}
        pages = list(pool.map(lambda _: desk.http.post(desk.action, data=body), range(5)))

    (number,) = {number_on(page) for page in pages}
    assert number_on(desk.again()) == number
    assert number_on(desk.send(**{**COMPLAINT, "content": "另一件事情的内容"})) == number
    assert len(tickets(world)) == 1
    world.deliver()
    assert [copy.deliveries for copy in world.received()] == [1]


def test_a_number_of_12345_is_given_once_whatever_the_way(world: World) -> None:
    own = own_number()
    one, two = Desk(world), Desk(world)
    one.open(address(world, external_ticket_no=own))
    two.open(address(world, external_ticket_no=own))
    number_on(one.send(**COMPLAINT))

    refused = two.send(**COMPLAINT)
    asked = world.partner.open_page(wanted(external_ticket_no=own))
    sent = world.partner.submit_complaint(complaint(external_ticket_no=own))

    assert (refused.status_code, problems_on(refused)) == (
        409,
        {"": "该12345工单编号已登记过工单，请勿重复登记"},
    )
    assert [(a.status, a.envelope["code"]) for a in (asked, sent)] == [
        (409, "IDEMPOTENCY_CONFLICT")
    ] * 2
    assert len(tickets(world)) == 1


def test_a_frame_works_without_cookies_and_only_for_the_partners_origin(world: World) -> None:
    own = own_number()
    world.settings(page_origin=ORIGIN)
    path = address(world, display="iframe", external_ticket_no=own)
    desk = Desk(world, frame=True)

    page = desk.open(path)
    receipt = desk.send(**COMPLAINT)
    number = number_on(receipt)

    assert "data-draft-url" in page.text
    for shown in (page, receipt, desk.open(path)):
        assert f"frame-ancestors {ORIGIN}" in shown.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in shown.headers
        assert "Set-Cookie" not in shown.headers
    assert f'data-tell="{ORIGIN}" data-acceptance-no="{number}"' in receipt.text
    assert f'data-external-ticket-no="{own}"' in receipt.text
    assert number_on(desk.send(**COMPLAINT)) == number
    assert len(tickets(world)) == 1


def test_a_receipt_leads_back_to_12345(world: World) -> None:
    world.settings(page_origin=ORIGIN)
    desk = Desk(world)
    desk.open(address(world, return_url=f"{ORIGIN}/tickets?tab=1"))

    receipt = desk.send(**COMPLAINT)

    number = number_on(receipt)
    assert f'href="{ORIGIN}/tickets?tab=1&amp;acceptance_no={number}"' in receipt.text
    assert receipt.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_what_is_typed_is_kept_sealed_and_comes_back_with_the_page(world: World) -> None:
    desk = Desk(world)
    desk.open(address(world))

    saved = desk.save(content="来电反映补助发放标准", caller_name="李某某")

    assert (saved.status_code, set(saved.json())) == (200, {"saved_at"})
    assert "来电反映补助发放标准" in desk.again().text
    with world.app.app_context():
        query = text("select draft, caller_number from page_sessions where id = :id")
        row = session().execute(query, {"id": desk.action.rpartition("/")[2]}).one()
        db.session.remove()
    assert "补助".encode() not in bytes(row.draft)
    assert b"13800001234" not in bytes(row.caller_number)
    assert Desk(world).http.post(f"{desk.action}/draft", data={"content": "x"}).status_code == 400


def test_files_chosen_on_the_page_come_with_the_ticket_and_its_copy(world: World) -> None:
    desk, other = Desk(world), Desk(world)
    desk.open(address(world))
    other.open(address(world))
    report = sample_report()
    chosen = desk.upload("照片.docx", report)
    assert chosen.status_code == 201, chosen.text
    file_id = chosen.json()["id"]
    assert desk.upload("x.exe", b"MZ").status_code == 415
    assert problems_on(other.send(**COMPLAINT, attachments=file_id)) == {
        "attachments": "请在本页面重新上传附件"
    }

    number_on(desk.send(**COMPLAINT, attachments=file_id))

    world.deliver()
    (copy,) = world.received()
    (sent,) = copy.body["attachments"]
    assert (sent["attachment_id"], sent["name"]) == (file_id, "照片.docx")
    link = sent["url"].removeprefix("http://127.0.0.1")
    assert world.http.get(link).content == report


def test_a_browser_without_scripts_sends_its_files_along(world: World) -> None:
    desk = Desk(world)
    desk.open(address(world))

    page = desk.http.post(
        desk.action,
        data={"csrf_token": desk.key, **COMPLAINT},
        files=[
            ("attachments-upload", ("报告.docx", sample_report())),
            ("attachments-upload", ("x.exe", b"MZ")),
        ],
    )

    assert page.status_code == 422
    (problem,) = problems_on(page).values()
    assert problem.startswith("x.exe")
    kept = re.search(r'name="attachments" value="(att_\w+)"', page.text)
    assert kept
    number_on(desk.send(**COMPLAINT, attachments=kept[1]))


def test_the_simulator_opens_pages_and_shows_the_copy(world: World) -> None:
    client = world.simulator.test_client()
    opened = client.post("/page-calls", data={"ticket_type": "complaint", "display": "window"})
    assert opened.status_code == 303
    path = opened.headers["Location"].removeprefix("http://127.0.0.1")
    desk = Desk(world)
    page = desk.open(path)
    assert "未显示" in page.text

    number = number_on(desk.send(**{**COMPLAINT, "contact_phone": "13800001234"}))
    world.deliver()

    shown = client.get("/messages/1").text
    assert number in shown
    assert "页面工单副本" in shown
    assert "必填字段齐全" in shown
    refused = client.post("/page-calls", data={"ticket_type": "complaint", "display": "iframe"})
    assert (refused.status_code, "档案未登记页面来源" in refused.text) == (502, True)
    world.settings(page_origin=ORIGIN)
    framed = client.post("/page-calls", data={"ticket_type": "complaint", "display": "iframe"})
    assert re.search(r'<iframe class="form" src="http://127.0.0.1/page/complaint\?s=', framed.text)
    assert client.post("/page-calls", data={"ticket_type": "x"}).status_code == 422
