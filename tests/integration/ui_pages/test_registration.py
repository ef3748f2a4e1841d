"""Staff register a letter at a desk: choose, fill, be corrected, get a number."""

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.journey import World
from tests.support.pages import Browser, inline_code
from tests.support.people import MEITAN, Person

Browse = Callable[[Person], Browser]
LETTER = "/register/letter/complaint"


def entered(**changed: Any) -> dict[str, Any]:
    """What a clerk types from a letter."""
    return {
        "token": str(uuid.uuid4()),
        "called_at": "2026-11-20T09:00",
        "is_anonymous": "false",
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "division_code": MEITAN,
        "content": "来信反映村级公益岗位补助发放不及时。",
        "problem_category": "6",
        **changed,
    }


def number_in(address: str) -> str:
    """The acceptance number at the end of an address."""
    return address.rpartition("/")[2]


@pytest.mark.parametrize(
    ("place", "roles", "offered", "missing"),
    [
        ("520000000000", ["province_operator"], ["来信", "来访", "来邮"], ["国家转办件"]),
        ("520300000000", ["city_operator"], ["来信", "来访", "来邮"], ["01012317"]),
        ("000000000000", ["national"], ["国家转办件", "01012317 来电"], ["来信"]),
    ],
)
def test_each_level_is_offered_what_it_registers(
    world: World,
    browse: Browse,
    place: str,
    roles: list[str],
    offered: list[str],
    missing: list[str],
) -> None:
    page = browse(world.employ(place, *roles)).get("/register").text

    assert [word for word in offered if word not in page] == []
    assert [word for word in missing if word in page] == []
    assert inline_code(page) == []


def test_a_county_has_no_intake_of_its_own(world: World, browse: Browse) -> None:
    browser = browse(world.chain().county)

    assert browser.get("/register").status_code == 403
    assert "/register" not in browser.get("/worklist").text


def test_a_letter_is_registered_and_its_number_can_be_copied(world: World, browse: Browse) -> None:
    clerk = world.chain().province
    browser = browse(clerk)
    form = browser.get(LETTER).text
    for shown in ("来信日期", "是否匿名", "实名须填姓名和联系电话", "问题类别"):
        assert shown in form, shown
    for absent in ('name="caller_number"', 'name="external_ticket_no"', 'name="operator_no"'):
        assert absent not in form, absent
    assert inline_code(form) == []

    done = browser.post(LETTER, entered())

    assert done.status_code == 302
    receipt = browser.get(done.location).text
    assert number_in(done.location) in receipt
    assert "data-copy" in receipt
    assert re.search(r"<dd>\d{6}</dd>", receipt)
    ticket = browser.get(f"/tickets/{number_in(done.location)}").text
    assert "来信" in ticket
    assert clerk.username in ticket


def test_every_mistake_is_shown_and_nothing_is_lost(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)
    browser.get(LETTER)
    wrong = entered(caller_name="", id_card_no="110105194912310021", problem_category="")

    refused = browser.post(LETTER, wrong)

    assert refused.status_code == 422
    for said in ("有 3 处需要修改", "实名投诉须填写姓名", "身份证号校验位错误", "必填"):
        assert said in refused.text, said
    assert "来信反映村级公益岗位补助发放不及时。" in refused.text
    assert wrong["token"] in refused.text


def test_a_double_click_registers_once(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)
    browser.get(LETTER)
    twice = entered()

    first, second = browser.post(LETTER, twice), browser.post(LETTER, twice)

    assert first.location == second.location


def test_a_scan_of_the_letter_is_kept_with_the_ticket(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)
    browser.get(LETTER)
    token = str(uuid.uuid4())
    scan = io.BytesIO(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")

    kept = browser.post(f"/register/files/{token}", {"file": (scan, "来信扫描件.pdf")})
    assert kept.status_code == 201, kept.text
    done = browser.post(LETTER, entered(token=token, attachments=[kept.json["id"]]))

    assert "来信扫描件.pdf" in browser.get(f"/tickets/{number_in(done.location)}").text


def test_a_file_without_scripts_comes_inside_the_form(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)
    browser.get(LETTER)
    bad = {"attachments-upload": (io.BytesIO(b"MZ"), "木马.exe")}

    refused = browser.post(LETTER, entered(**bad))

    assert refused.status_code == 422
    assert "木马.exe" in refused.text


def test_the_nation_chooses_the_province(world: World, browse: Browse) -> None:
    people = world.chain()
    nation = world.employ("000000000000", "national")
    browser = browse(nation)
    page = browser.get("/register/national/complaint").text
    assert people.province.principal.unit_name in page

    missing = browser.post("/register/national/complaint", entered())
    assert missing.status_code == 422
    unit = str(people.province.principal.unit_id)
    done = browser.post("/register/national/complaint", entered(province_unit_id=unit))

    assert done.status_code == 302
    assert "国家转办件" in browser.get(f"/tickets/{number_in(done.location)}").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/register/national/complaint", 403),
        ("/register/fax/complaint", 404),
        ("/register/letter/gossip", 404),
        ("/register/receipt/TS5200002026112300042S", 404),
    ],
)
def test_what_is_not_there_is_refused(world: World, browse: Browse, path: str, status: int) -> None:
    assert browse(world.chain().province).get(path).status_code == status


def test_a_form_without_its_token_has_expired(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)
    browser.get(LETTER)

    assert browser.post(LETTER, entered(token="old")).status_code == 400
