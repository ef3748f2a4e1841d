"""Somebody at a window of their own: fails the test on any script error or policy violation."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.people import PASSWORD, Person

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
EXPECTED = ("409 (CONFLICT", "422 (UNPROCESSABLE")
"""Refusals that Chromium writes to the console although they are part of the story."""


class Desk:
    """A signed-in member of staff and the page before them."""

    def __init__(
        self, chromium: Browser, address: str, person: Person, size: dict[str, int] | None = None
    ) -> None:
        self.person = person
        self.problems: list[str] = []
        self.context = chromium.new_context(viewport=size or WIDE, base_url=address, locale="zh-CN")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto("/login")
        self.page.get_by_label("用户名").fill(person.username)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_text("全部待办")).to_be_visible()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            self.problems.append(message.text)

    @property
    def name(self) -> str:
        """As the pages show it."""
        return self.person.principal.display_name

    def find(self, number: str) -> Any:
        """The row of a ticket in the worklist, found by its number."""
        self.page.goto("/worklist")
        self.page.get_by_role("searchbox").fill(number)
        row = self.page.locator(".list tbody tr", has_text=number)
        expect(row).to_have_count(1)
        return row

    def open(self, number: str) -> None:
        """Open the ticket from the worklist."""
        self.find(number).locator(".title a").click()
        expect(self.page.locator("#task")).to_be_visible()

    def submit(self, label: str) -> None:
        """Send the form of the step and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.locator("#task").get_by_role("button", name=label, exact=True).click()
        expect(self.page.locator("#messages .flash.success")).to_contain_text("已提交")

    def says(self, text: str) -> None:
        """The message on top of the page."""
        expect(self.page.locator("#messages")).to_contain_text(text)

    def leave(self) -> None:
        """Close the window; whatever the console complained of fails the test."""
        self.context.close()
        assert self.problems == []

    def picture(self, folder: Path) -> None:
        """What is on the screen, for whoever looks into a failure."""
        self.page.screenshot(path=folder / f"{self.person.username}.png", full_page=True)
