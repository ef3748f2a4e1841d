"""The simulator's desk opens 12317's form with the mouse, in a window and in a frame."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, expect

from app.demo import sample_report
from tests.browser.desk import EXPECTED, PHONE, WIDE
from tests.support.journey import World, serving

pytestmark = pytest.mark.browser

Opened = Callable[[dict[str, int]], Page]


@pytest.fixture
def simulated(
    app: Flask, world: World, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opened]:
    """Open windows on the simulated 12345; any script error or policy violation fails the test."""
    settings = replace(app.config["SETTINGS"], public_url=world.address)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            problems.append(message.text)

    with serving(world.simulator) as address:
        world.settings(page_origin=address)
        contexts = []

        def take(size: dict[str, int]) -> Page:
            context = chromium.new_context(viewport=size, base_url=address, locale="zh-CN")
            context.on("console", note)
            context.on("weberror", lambda error: problems.append(str(error.error)))
            contexts.append(context)
            page = context.new_page()
            page.goto("/")
            return page

        yield take
        for context in contexts:
            context.close()
    assert problems == []


def ready(form: Any) -> Any:
    """The form, once its scripts have begun to listen."""
    expect(form.locator("html.js")).to_have_count(1)
    expect(form.locator("input[name=division_code]")).to_have_count(1)
    return form


def fill_in(form: Any) -> None:
    """A complaint as an operator enters it."""
    ready(form)
    expect(form.locator(".facts.known")).to_contain_text("13800001234")
    form.get_by_label("否", exact=True).first.check()
    form.get_by_label("姓名", exact=True).first.fill("李某某")
    form.get_by_label("市级区划").select_option(label="遵义市")
    form.get_by_label("县级区划").select_option(label="湄潭县")
    form.locator("textarea[name=content]").fill("来电反映危房改造补助资金未按标准发放。")
    form.get_by_label("问题类别").select_option("3")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_window_is_filled_in_refused_corrected_and_heard_of(
    simulated: Opened, world: World, size: dict[str, int]
) -> None:
    desk = simulated(size)
    with desk.expect_popup() as opening:
        desk.get_by_role("button", name="投诉", exact=True).click()
    page = opening.value
    expect(page).to_have_url(re.compile(r"/page/complaint/[0-9a-f-]{36}$"))
    fill_in(page)
    page.locator("input[name=id_card_no]").fill("110105194912310021")
    page.locator("input[type=file]").set_input_files(
        {"name": "材料.docx", "mimeType": "application/octet-stream", "buffer": sample_report()}
    )
    expect(page.locator("input[name=attachments]")).to_have_count(1)
    expect(page.locator("[data-draft-status]")).to_contain_text("已自动保存", timeout=8000)
    page.reload()
    expect(page.locator("textarea[name=content]")).to_have_value(re.compile("危房改造"))

    page.get_by_role("button", name="提交12317").click()
    expect(page.locator(".problems")).to_contain_text("身份证号校验位错误")
    expect(ready(page).get_by_label("县级区划")).to_have_value("520328000000")
    page.locator("input[name=id_card_no]").fill("11010519491231002X")
    page.get_by_role("button", name="提交12317").dblclick()

    expect(page.locator("#acceptance-no")).to_be_visible()
    number = page.locator("#acceptance-no").inner_text()
    assert re.fullmatch(r"TS520000\d+[0-9A-Z]", number)
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_text("已复制")).to_be_visible()
    expect(desk.locator("[data-hears]")).to_contain_text(f"受理编号 {number}")
    page.reload()
    expect(page.locator("#acceptance-no")).to_have_text(number)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]


def test_a_frame_tells_the_page_around_it(simulated: Opened, world: World) -> None:
    desk = simulated(WIDE)
    desk.get_by_label("打开方式").select_option("iframe")
    with desk.expect_popup() as opening:
        desk.get_by_role("button", name="投诉", exact=True).click()
    page = opening.value
    form = page.frame_locator("iframe")
    fill_in(form)

    form.get_by_role("button", name="提交12317").click()

    number = form.locator("#acceptance-no").inner_text()
    expect(page.locator("[data-hears]")).to_contain_text(f"受理编号 {number}")
    assert page.context.cookies() == []
    world.deliver()
    assert [message.operation for message in world.received()] == ["ticket-copies"]


def opened_in_frame(simulated: Opened) -> tuple[Page, FrameLocator]:
    """A complaint's form in a frame of the simulator."""
    desk = simulated(WIDE)
    desk.get_by_label("打开方式").select_option("iframe")
    with desk.expect_popup() as opening:
        desk.get_by_role("button", name="投诉", exact=True).click()
    return opening.value, opening.value.frame_locator("iframe")


def test_a_place_is_typed_or_pasted(simulated: Opened, world: World) -> None:
    desk = simulated(PHONE)
    with desk.expect_popup() as opening:
        desk.get_by_role("button", name="投诉", exact=True).click()
    page = opening.value
    finder = ready(page).get_by_label("查找区划")

    finder.fill("湄潭 马山")
    page.get_by_role("option", name="贵州省遵义市湄潭县马山镇", exact=True).click()
    expect(page.get_by_label("乡级区划")).to_have_value("520328103000")

    finder.focus()
    page.evaluate(
        "const box = document.activeElement;"
        "box.value = '贵州省遵义市湄潭县'; box.dispatchEvent(new ClipboardEvent('paste'))"
    )
    expect(page.get_by_label("县级区划")).to_have_value("520328000000")
    expect(page.get_by_label("乡级区划")).to_have_value("")
    expect(page.locator("input[name=division_code]")).to_have_value("520328000000")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_frame_saves_what_is_typed_and_shows_it_after_a_reload(
    simulated: Opened, world: World
) -> None:
    page, form = opened_in_frame(simulated)
    ready(form).locator("textarea[name=content]").fill("来电反映危房改造补助资金未按标准发放。")
    expect(form.locator("[data-draft-status]")).to_contain_text("已自动保存", timeout=8000)

    page.frames[1].evaluate("location.reload()")

    expect(form.locator("textarea[name=content]")).to_have_value(re.compile("危房改造"))
    assert page.context.cookies() == []
    fill_in(form)
    form.get_by_role("button", name="提交12317").click()
    number = form.locator("#acceptance-no").inner_text()
    page.frames[1].evaluate("location.reload()")
    expect(form.locator("#acceptance-no")).to_have_text(number)


def test_an_address_that_12345_signs_itself_opens_the_form(simulated: Opened, world: World) -> None:
    desk = simulated(WIDE)
    desk.get_by_label("打开方式").select_option("link")
    with desk.expect_popup() as opening:
        desk.get_by_role("button", name="投诉", exact=True).click()
    page = opening.value

    expect(page).to_have_url(re.compile(r"/page/complaint/[0-9a-f-]{36}$"))
    expect(page.locator(".facts.known")).to_contain_text("13800001234")


def test_without_scripts_the_levels_are_there(
    simulated: Opened, world: World, chromium: Browser
) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(world.partner.page_link("complaint", "13800001234", "GZ-7"))
    page.get_by_label("市级区划").select_option(label="遵义市")
    page.get_by_role("button", name="列出下一级").click()
    page.get_by_label("县级区划").select_option(label="湄潭县")
    page.get_by_label("查找区划").fill("马山镇")
    page.get_by_role("button", name="查找").click()

    expect(page.get_by_label("乡级区划")).to_have_value("520328103000")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
