"""Takes the pictures of the documents from the running product.

With `make run` in another window: `.venv/bin/python -m tests.support.screenshots`. It signs in with
the sample accounts and looks; it changes nothing. `HOTLINE_PORT` is the one of `make run`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.database import ROOT
from tests.support.requirements import CHROMIUM

IMAGES = ROOT / "docs" / "images"
WEB = f"http://127.0.0.1:{os.environ.get('HOTLINE_PORT', '5000')}"
WIDTH = 1440
LARGEST = 300_000
DIAGRAMS = sorted((ROOT / "bpmn").glob("*.bpmn"))


def password() -> str:
    """Of the sample accounts of this checkout."""
    if given := os.environ.get("DEMO_PASSWORD"):
        return given
    lines = (ROOT / "instance" / "dev.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["DEMO_PASSWORD"]


@contextmanager
def signed_in(browser: Browser, username: str) -> Iterator[Page]:
    """A window of 1440 px in which this person has signed in."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900}, base_url=WEB, locale="zh-CN"
    )
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password())
    page.get_by_role("button", name="登录").click()
    expect(page).not_to_have_url(f"{WEB}/login")
    page.goto("/worklist")  # once more: without the greeting
    yield page
    context.close()


def save(page: Page, name: str) -> None:
    """Write the window."""
    page.evaluate("document.fonts.ready")
    keep(page.screenshot(animations="disabled"), name)


def keep(picture: bytes, name: str) -> None:
    """Write a PNG; one that would burden the repository is refused."""
    if len(picture) > LARGEST:
        raise SystemExit(f"{name} would have {len(picture)} bytes, more than {LARGEST}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / name).write_bytes(picture)
    print(f"docs/images/{name} {len(picture)}")


def worklist(browser: Browser) -> None:
    """What a province's operator sees first."""
    with signed_in(browser, "p520000a") as page:
        page.set_viewport_size({"width": WIDTH, "height": 840})
        save(page, "worklist.png")


def ticket(browser: Browser) -> None:
    """An anonymous complaint on a county's desk: sealed caller, report form, clocks, history."""
    with signed_in(browser, "x522633a") as page:
        page.goto("/worklist?step=handle_by_county")
        page.locator("a[href^='/tickets/']").first.click()
        expect(page.locator("[data-bpmn-src]")).to_have_attribute("data-ready", "yes")
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        save(page, "ticket.png")
        address = page.url.partition("?")[0]
    with signed_in(browser, "c522600a") as page:
        page.goto(address)
        expect(page.locator("[data-bpmn-src]")).to_have_attribute("data-ready", "yes")
        page.locator("[data-bpmn-src]").scroll_into_view_if_needed()
        save(page, "progress.png")


def duplicates(browser: Browser) -> None:
    """A ticket under review beside another about the same."""
    with signed_in(browser, "p520000a") as page:
        page.goto("/worklist?step=review")
        links = page.locator("td.title a").evaluate_all("all => all.map(e => e.href)")
        section = page.locator("#duplicates")
        for link in links:
            page.goto(link)
            if section.count():
                break
        section.locator("details:not([open])").evaluate_all("all => all.forEach(e => e.remove())")
        page.locator(".top, .action-bar").evaluate_all("all => all.forEach(e => e.remove())")
        keep(section.screenshot(animations="disabled"), "duplicates.png")


def overdue(browser: Browser) -> None:
    """Stages that are late, in all of the province."""
    with signed_in(browser, "super520000") as page:
        page.goto("/overdue?by=stage")
        save(page, "overdue.png")


def trial(browser: Browser) -> None:
    """Every due date of a complaint that comes before the Spring Festival, on the calendar."""
    with signed_in(browser, "analyst520000") as page:
        page.goto("/deadlines/trial?ticket_type=complaint&received_at=2026-02-13T10:00")
        save(page, "trial.png")


def diagrams(browser: Browser) -> None:
    """Every diagram as people drew it, at a size that can be read on paper."""
    for file in DIAGRAMS:
        context = browser.new_context(viewport={"width": 2000, "height": 1000})
        page = context.new_page()
        page.set_content("<div id=d style='width:2000px;height:1000px'></div>")
        static = ROOT / "app" / "ui" / "static" / "dist"
        page.add_style_tag(path=static / "bpmn-viewer.css")
        page.add_script_tag(path=static / "bpmn-viewer.js")
        page.set_viewport_size(page.evaluate(_WHOLE, file.read_text()))
        picture = page.screenshot(full_page=True)
        (IMAGES / f"{file.stem}.png").write_bytes(picture)
        print(f"docs/images/{file.stem}.png {len(picture)}")
        context.close()


_WHOLE = """async xml => {
    const {viewer} = await DiagramViewer.show(document.getElementById('d'), xml);
    const box = viewer.get('canvas').viewbox().inner;
    const holder = document.getElementById('d');
    holder.style.width = `${Math.ceil(box.width) + 40}px`;
    holder.style.height = `${Math.ceil(box.height) + 70}px`;
    viewer.get('canvas').resized();
    viewer.get('canvas').viewbox(
        {x: box.x - 20, y: box.y - 20, width: box.width + 40, height: box.height + 70});
    document.querySelectorAll('button').forEach(b => b.remove());
    document.body.style.margin = '0';
    return {width: Math.ceil(box.width) + 40, height: Math.ceil(box.height) + 70};
}"""


def main() -> int:
    """Take every picture."""
    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        for take in (worklist, ticket, duplicates, overdue, trial, diagrams):
            take(browser)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
