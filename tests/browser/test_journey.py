"""Acceptance scenario 1 with the mouse: each at a window of their own, down and back up again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo import sample_report
from tests.browser.desk import PHONE, WIDE, Desk
from tests.support.journey import CHAIN, World, complaint
from tests.support.people import Person

pytestmark = pytest.mark.browser

Seat = Callable[..., Desk]


@pytest.fixture
def seat(
    chromium: Browser, world: World, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Seat]:
    """Open windows; after a failure each leaves a picture, otherwise none."""
    taken: list[Desk] = []

    def take(person: Person, size: dict[str, int] = WIDE) -> Desk:
        taken.append(Desk(chromium, world.address, person, size))
        return taken[-1]

    failed = request.session.testsfailed
    yield take
    if request.session.testsfailed > failed:
        for desk in taken:
            desk.picture(tmp_path)
    for desk in taken:
        desk.leave()


def submit_complaint(world: World) -> str:
    receipt = world.partner.submit_complaint(complaint(caller_name="欧阳小明"))
    assert receipt.status == 201, receipt.envelope
    return str(receipt.data["acceptance_no"])


def at_the_province(desk: Desk, number: str, city: Person) -> None:
    page = desk.page
    row = desk.find(number)
    expect(row).to_contain_text("未认领")
    row.get_by_role("link", name="办理").click()
    expect(page.locator(".facts")).to_contain_text("138****1234")
    expect(page.locator("main")).not_to_contain_text("欧阳小明")
    page.get_by_role("button", name="认领").click()
    expect(page.locator("#task")).to_contain_text("我已认领")
    desk.submit("签收")
    expect(page.locator(".cascade select").nth(2)).to_have_value(re.compile("^520328"))
    page.get_by_label("初审意见").fill("符合受理范围，予以受理。")
    desk.submit("提交初审")
    page.get_by_label("转办下级").check()
    box = page.get_by_role("combobox", name="承办单位")
    box.fill("遵义")
    page.locator(".combo li").first.click()
    expect(box).to_have_value(city.principal.unit_name)
    page.get_by_label("转办意见").fill("请核实补助发放情况。")
    desk.submit("确认分派")
    desk.says(city.principal.unit_name)


def at_the_city(desk: Desk, number: str, county: Person) -> None:
    page = desk.page
    desk.open(number)
    page.get_by_label("转办县级").check()
    box = page.get_by_role("combobox", name="承办单位")
    box.click()
    box.fill("湄潭")
    box.press("Enter")
    expect(box).to_have_value(county.principal.unit_name)
    desk.submit("确认")


def sign_in_at_the_county(desk: Desk, number: str) -> None:
    desk.find(number).get_by_label(f"选择 {number}").check()
    desk.page.get_by_role("button", name="批量签收").click()
    desk.says("已签收 1 件")


def report_at_the_county(desk: Desk, number: str, feedback: str) -> None:
    page = desk.page
    desk.open(number)
    page.get_by_label("调查核实时间").fill(page.evaluate("new Date().toLocaleDateString('sv')"))
    page.get_by_label("部分属实").check()
    people = [("周明远", "科员", "13800009999"), ("吴·阿依", "驻村干部", "0851-85500002")]
    for row, person in enumerate(people):
        for part, text in zip(("name", "position", "phone"), person, strict=True):
            page.locator(f"[name=investigators-{row}-{part}]").fill(text)
    page.locator("[name=inform_status][value='2']").check()
    page.get_by_label("告知时间").fill(page.evaluate(NOW))
    page.get_by_label("告知方式").select_option("1")
    page.get_by_label("反馈信访人情况").fill(feedback)
    page.get_by_label("涉及金额").fill("12000")
    page.locator("#f-report_files").set_input_files(
        {"name": "调查报告.docx", "mimeType": DOCX, "buffer": sample_report()}
    )
    expect(page.locator("input[name=report_files]")).to_have_count(1)
    desk.submit("提交审核")


NOW = "new Date().toLocaleString('sv', {timeZone: 'Asia/Shanghai'}).slice(0, 16).replace(' ', 'T')"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def audit(desk: Desk, number: str, verdict: str, opinion: str = "") -> None:
    desk.open(number)
    desk.page.get_by_label(verdict, exact=True).check()
    if opinion:
        desk.page.get_by_label("审核意见").fill(opinion)
    desk.submit("提交")


def test_a_complaint_is_clicked_down_to_the_county_and_its_result_returns(
    world: World, seat: Seat
) -> None:
    province, province_auditor, city, city_auditor, county, _ = world.hire(*CHAIN)
    number = submit_complaint(world)
    handler, auditor = seat(county), seat(city_auditor)

    at_the_province(seat(province), number, city)
    at_the_city(seat(city), number, county)
    sign_in_at_the_county(handler, number)
    report_at_the_county(handler, number, "已电话告知初步核实情况。")
    audit(auditor, number, "驳回", "请补充差额的计算依据。")
    handler.open(number)
    expect(handler.page.locator(".reports")).to_contain_text("请补充差额的计算依据。")
    report_at_the_county(handler, number, "已补充计算依据并告知来电人。")
    audit(auditor, number, "同意")
    last = seat(province_auditor)
    audit(last, number, "同意", "同意办理意见。")
    assert world.deliver() == 1

    page = last.page
    page.goto(f"/tickets/{number}")
    expect(page.locator(".tags")).to_contain_text("待回访")
    expect(page.locator(".timeline").last).to_contain_text("已送达")
    expect(page.locator(".reports .report summary")).to_have_count(2)
    coloured(page)
    (message,) = world.received()
    assert message.body["acceptance_no"] == number
    assert message.body["petitioner_feedback"] == "已补充计算依据并告知来电人。"
    assert [file["name"] for file in message.body["report_files"]] == ["调查报告.docx"]


def coloured(page: Page) -> None:
    """The diagrams show the way the ticket went, and that only the callback is open."""
    ways = {
        "ticket_transfer": ("sign_in", "review", "handling", "push_result"),
        "handling": ("city_decide", "handle_by_county", "audit_by_province"),
    }
    for key, passed in ways.items():
        page.goto(f"{page.url.split('?')[0]}?diagram={key}")
        diagram = page.locator("[data-bpmn-src][data-ready]")
        diagram.wait_for()
        for element in passed:
            shape = diagram.locator(f"g[data-element-id={element}]")
            expect(shape).to_have_class(re.compile("is-done"))
    expect(diagram.locator(".is-current")).to_have_count(0)


def test_a_county_reports_from_a_phone(world: World, seat: Seat) -> None:
    province, _, city, _, county, _ = world.hire(*CHAIN)
    number = submit_complaint(world)
    hand_to(world, number, province, city, county)
    desk = seat(county, PHONE)

    desk.open(number)
    task, diagram = (box(desk.page, of) for of in ("#task", ".progress-panel"))
    desk.submit("签收")
    report_at_the_county(desk, number, "已电话告知核实情况，来电人表示认可。")

    assert task["y"] < diagram["y"]
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    desk.says("市级审核")


def box(page: Page, selector: str) -> dict[str, Any]:
    found = page.locator(selector).bounding_box()
    assert found
    return dict(found)


def hand_to(world: World, number: str, province: Person, city: Person, county: Person) -> None:
    world.complete(province, number)
    world.complete(province, number, review="accept")
    world.complete(province, number, route="down", target_unit_id=city.principal.unit_id)
    world.complete(city, number, city_route="county", target_unit_id=county.principal.unit_id)


def test_who_was_slower_reads_who_was_faster_and_keeps_the_text(world: World, seat: Seat) -> None:
    province, colleague, *_ = world.hire(*CHAIN)
    number = submit_complaint(world)
    desk = seat(province)
    desk.open(number)
    desk.page.get_by_label("备注").fill("已电话核对工单内容。")
    world.complete(colleague, number)

    desk.page.get_by_role("button", name="签收", exact=True).click()

    desk.says(f"已由{colleague.principal.display_name}办理")
    expect(desk.page.get_by_label("备注")).to_have_value("已电话核对工单内容。")
    expect(desk.page.locator("#messages .flash")).to_be_focused()


def test_a_revealed_telephone_number_is_masked_again_by_a_reload(world: World, seat: Seat) -> None:
    province, *_ = world.hire(*CHAIN)
    number = submit_complaint(world)
    desk = seat(province)
    page = desk.page
    desk.open(number)

    page.get_by_text("查看脱敏信息").click()
    page.locator(".reveal").get_by_label("联系电话").check()
    page.get_by_label("查看理由").fill("核实")
    page.get_by_role("button", name="查看", exact=True).click()
    expect(page.locator(".reveal")).to_contain_text("请说明查看理由")
    page.get_by_label("查看理由").fill("联系诉求人核实情况")
    page.get_by_role("button", name="查看", exact=True).click()

    expect(page.locator(".facts")).to_contain_text("13800001234")
    assert f"/tickets/{number}?task=" in page.url
    page.reload()
    expect(page.locator(".facts").first).to_be_visible()
    expect(page.locator(".facts").first).not_to_contain_text("13800001234")
