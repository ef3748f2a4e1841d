"""What the pages' scripts do, in a real Chromium under the product's content security policy."""

from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.serving import make_server

from tests.support import sample_pages

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
EXPECTED = ("415 (UNSUPPORTED", "422 (UNPROCESSABLE")


@pytest.fixture
def pages() -> Iterator[tuple[Flask, str]]:
    """The sample pages, served; the application and its address."""
    app = sample_pages.create()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield app, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, pages: tuple[Flask, str]) -> Iterator[Page]:
    """A window that fails the test when a script fails or the security policy refuses something."""
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            problems.append(message.text)

    context = chromium.new_context(viewport=WIDE, base_url=pages[1], locale="zh-CN")
    window = context.new_page()
    window.on("console", note)
    window.on("pageerror", lambda error: problems.append(str(error)))
    yield window
    context.close()
    assert problems == []


@pytest.fixture
def posted(pages: tuple[Flask, str]) -> dict:
    """What arrived at the server."""
    return pages[0].extensions["posted"]


def fill(page: Page) -> None:
    """Everything that the form requires, but the files."""
    page.get_by_label("自行办理").check()
    page.get_by_label("部分属实").check()
    page.locator("[name=investigated_at]").fill("2026-11-23T09:30")
    page.locator("[name=investigators-0-name]").fill("张敏")
    page.locator("[name=petitioner_feedback]").fill("已入户告知核查结果，诉求人表示满意。")


@pytest.mark.parametrize("size", [WIDE, {"width": 1366, "height": 768}, PHONE], ids=str)
@pytest.mark.parametrize(
    "address", ["/worklist", "/ticket", "/tickets", "/done", "/login", "/error/404", "/error/401"]
)
def test_pages_fit_their_window(page: Page, address: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)

    page.goto(address, wait_until="networkidle")

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_filled_form_is_submitted_with_its_files(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    fill(page)
    page.locator("#f-report_files").set_input_files(
        [
            {"name": "核查报告.docx", "mimeType": "application/msword", "buffer": b"x" * 3000},
            {"name": "工具.exe", "mimeType": "application/octet-stream", "buffer": b"x"},
        ]
    )
    expect(page.locator(".files .failed")).to_contain_text("不支持此类文件")
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/worklist")

    assert posted["files"] == [("report_files", "核查报告.docx")]
    assert posted["complete"]["report_files"] == ["7", "101"]
    assert posted["complete"]["investigators"] == [{"name": "张敏"}]


def test_a_refused_form_stays_filled_and_its_summary_has_the_focus(page: Page) -> None:
    page.goto("/ticket")
    page.locator("[name=investigators-0-phone]").fill("123")
    page.get_by_role("button", name="提交审核").click()

    expect(page.locator(".problems")).to_be_focused()
    expect(page.locator(".problems")).to_contain_text("调查人员第1行姓名")
    expect(page.locator("[name=investigators-0-phone]")).to_have_value("123")
    page.get_by_role("link", name="调查人员第1行联系电话").click()
    expect(page.locator("[name=investigators-0-phone]")).to_be_in_viewport()
    expect(page.locator("[name=contact]")).to_have_value("张敏")
    expect(page.locator(".cascade select")).to_have_count(1)  # widgets work again after the swap


def test_what_is_typed_is_kept_without_a_click(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    page.locator("[name=contact]").fill("李建国")

    expect(page.locator("[data-draft-status]")).to_have_text("已自动保存 09:31", timeout=8000)
    assert posted["drafts"][-1]["contact"] == "李建国"
    assert posted["drafts"][-1]["report_files"] == ["7"]


def test_the_draft_button_saves_at_once_and_stays(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    page.locator("[name=contact]").fill("李建国")
    page.get_by_role("button", name="暂存").click()

    expect(page.locator("[data-draft-status]")).to_have_text("已自动保存 09:31")
    assert len(posted["drafts"]) == 1
    assert page.url.endswith("/ticket")


def test_leaving_the_page_saves_what_is_not_saved_yet(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    page.locator("[name=contact]").fill("李建国")
    page.goto("/done", wait_until="networkidle")

    assert posted["drafts"][-1]["contact"] == "李建国"


def test_a_removed_file_is_no_longer_part_of_the_form(page: Page) -> None:
    page.goto("/ticket")
    page.get_by_role("button", name="移除 调查报告（盖章）.pdf").click()

    expect(page.locator("input[name=report_files]")).to_have_count(0)


def test_rows_of_people_can_be_added_and_removed(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    fill(page)
    page.get_by_role("button", name="添加一行").click()
    page.locator("[name=investigators-3-name]").fill("王晓")
    page.get_by_role("button", name="删除此行").first.click()
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/worklist")

    assert posted["complete"]["investigators"] == [{"name": "王晓"}]


def test_a_unit_is_found_by_parts_of_its_name_with_the_keyboard(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    expect(page.locator("[name=target]")).to_be_disabled()
    fill(page)
    page.get_by_label("转办下级").check()
    box = page.get_by_role("combobox", name="转办单位")
    box.click()
    expect(page.locator(".combo li")).to_have_count(4)
    box.press_sequentially("潢川 农业")
    expect(page.locator(".combo li")).to_have_text(["信阳市潢川县农业农村局"])
    box.press("Enter")
    expect(box).to_have_value("信阳市潢川县农业农村局")
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/worklist")

    assert posted["complete"]["target"] == "411522"


def test_a_field_of_another_answer_is_hidden_and_not_sent(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    fill(page)
    page.get_by_label("转办下级").check()
    page.locator("select[name=target]").select_option("411520", force=True)
    page.get_by_label("自行办理").check()
    expect(page.get_by_role("combobox", name="转办单位")).to_be_hidden()
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/worklist")

    assert "target" not in posted["complete"]


def test_a_division_is_chosen_level_by_level(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    fill(page)
    for level, name in (("省", "河南省"), ("市", "信阳市"), ("县", "固始县"), ("乡", "陈淋子镇")):
        page.get_by_label(f"{level}级区划").select_option(name)
    expect(page.locator(".cascade select")).to_have_count(4)
    page.get_by_label("市级区划").select_option("")
    expect(page.locator(".cascade select")).to_have_count(2)
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/worklist")

    assert posted["complete"]["division"] == "410000000000"


def test_the_counter_counts_characters_and_warns(page: Page) -> None:
    page.goto("/ticket")
    counter = page.locator("[data-count=f-petitioner_feedback]")
    page.locator("[name=petitioner_feedback]").fill("𠮷" * 3)
    expect(counter).to_have_text("3 / 2000 字")
    page.locator("[name=petitioner_feedback]").fill("字" * 2001)

    expect(counter).to_have_class("counter js-only over")


def test_an_action_asks_before_it_acts(page: Page, posted: dict) -> None:
    page.goto("/ticket")
    page.get_by_role("button", name="催办").click()
    page.get_by_role("button", name="取消").click()
    assert "urged" not in posted

    page.get_by_role("button", name="催办").click()
    with page.expect_navigation():
        page.get_by_role("button", name="确定").click()

    assert posted["urged"]


def test_the_diagram_is_marked_and_keeps_its_watermark(page: Page) -> None:
    page.goto("/ticket")
    diagram = page.locator("[data-bpmn-src][data-ready]")
    diagram.wait_for()

    assert diagram.locator(".is-done").count() == 6
    expect(diagram.locator(".is-overdue")).to_have_attribute("data-element-id", "handle")
    expect(diagram.locator(".diagram-badge").first).to_be_visible()
    expect(diagram.locator(".bjs-powered-by")).to_be_visible()
    mark = diagram.locator(".bjs-powered-by").bounding_box()
    tools = diagram.locator(".diagram-tools").bounding_box()
    assert tools["x"] + tools["width"] < mark["x"]

    step = diagram.locator("[data-element-id=handle]")
    near = step.bounding_box()["width"]
    page.get_by_role("button", name="全图").click()
    assert step.bounding_box()["width"] < near
    page.get_by_role("button", name="定位当前").click()
    assert step.bounding_box()["width"] == pytest.approx(near)


def test_a_filter_keeps_the_cursor_and_the_address(page: Page) -> None:
    page.goto("/worklist")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("漏水")

    expect(page.locator(".list tbody tr")).to_have_count(2)
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("漏水")
    assert "q=" not in page.url  # a word may be a citizen's: it stays out of addresses


def test_a_light_filters_without_loading_the_page(page: Page) -> None:
    page.goto("/worklist")
    page.evaluate("window.sameDocument = true")
    page.locator(".lights .red").click()
    page.wait_for_url("**light=red*")

    expect(page.locator(".lights .red")).to_have_attribute("aria-current", "true")
    assert page.evaluate("window.sameDocument") is True


def test_the_interface_documentation_works_under_the_policy(page: Page) -> None:
    page.goto("/docs")

    expect(page.get_by_text("提交投诉工单")).to_be_visible()
    page.get_by_text("提交投诉工单").click()
    expect(page.get_by_text("已受理")).to_be_visible()
