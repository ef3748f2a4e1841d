"""Every page template, drawn: safe under the security policy, complete, usable without JS."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import sample_pages

PAGES = ["/worklist", "/ticket", "/tickets", "/done", "/login?failed=1&code=1", "/error/404"]


@pytest.fixture
def pages() -> Flask:
    """The sample pages."""
    app = sample_pages.create()
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def browser(pages: Flask) -> FlaskClient:
    """A client of the sample pages."""
    return pages.test_client()


class Page(HTMLParser):
    """Elements of a page, and everything a content security policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self._inline = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.refused += [name for name in given if name == "style" or name.startswith("on")]
        self.refused += [tag] if tag == "style" else []
        self._inline = tag == "script" and "src" not in given
        for key, found in (("id", self.ids), ("name", self.names), ("for", self.labels)):
            if given.get(key):
                found.append(str(given[key]))
        if tag == "a":
            self.links.append(str(given.get("href")))

    def handle_data(self, data: str) -> None:
        if self._inline and data.strip():
            self.refused.append(f"script: {data[:40]}")


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_nothing_inline(browser: FlaskClient, address: str) -> None:
    page = Page(browser.get(address).text)

    assert page.refused == []


@pytest.mark.parametrize("address", PAGES)
def test_ids_are_unique_and_every_label_has_its_input(browser: FlaskClient, address: str) -> None:
    page = Page(browser.get(address).text)

    assert sorted(page.ids) == sorted(set(page.ids))
    assert set(page.labels) <= set(page.ids)


@pytest.mark.parametrize("address", PAGES)
def test_every_static_file_of_a_page_exists_and_is_kept(browser: FlaskClient, address: str) -> None:
    files = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', browser.get(address).text))

    assert files
    for file in files:
        answer = browser.get(file.replace("&amp;", "&"))
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True)


def test_scripts_that_scripts_import_are_asked_again(browser: FlaskClient) -> None:
    answer = browser.get("/static/js/http.js")

    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["ETag"]


def test_every_icon_that_a_page_shows_is_in_the_sprite(browser: FlaskClient) -> None:
    sprite = set(re.findall(r'symbol id="([^"]+)"', browser.get("/static/dist/icons.svg").text))

    shown = {
        name
        for address in PAGES
        for name in re.findall(r"icons\.svg[^#\"]*#([\w-]+)", browser.get(address).text)
    }

    assert shown
    assert shown <= sprite


def test_a_filter_gets_the_rows_alone(browser: FlaskClient) -> None:
    part = browser.get("/worklist?q=漏水", headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert part.count("<tr id=") == 2
    assert 'href="/worklist?light=red"' in part


def test_a_list_without_rows_says_so(browser: FlaskClient) -> None:
    assert "没有符合条件的待办" in browser.get("/worklist?q=没有这样的标题").text


def test_a_refused_form_keeps_what_was_filled_and_names_all_errors(browser: FlaskClient) -> None:
    posted = {
        "decision": "delegate",
        "investigated_at": "2026-11-23T09:30",
        "investigators-0-name": "<b>张敏</b>",
        "investigators-0-phone": "123",
        "petitioner_feedback": "太短",
        "report_files": "7",
    }

    answer = browser.post("/ticket", data=posted, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert "有 3 处需要修改" in answer.text
    assert 'href="#f-investigators-0-phone"' in answer.text
    assert 'value="2026-11-23T09:30"' in answer.text
    assert "&lt;b&gt;张敏&lt;/b&gt;" in answer.text
    assert 'value="delegate" checked' in answer.text
    assert '<input type="hidden" name="report_files" value="7">' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    page = Page(answer.text)
    targets = [link.removeprefix("#") for link in page.links if link.startswith("#f-")]
    assert set(targets) <= set(page.ids)


def test_a_file_is_listed_only_while_the_form_holds_its_id(browser: FlaskClient) -> None:
    answer = browser.post("/ticket", data={"decision": "handle"}, headers={"HX-Request": "true"})

    assert '<span class="name"><a' not in answer.text


def test_without_javascript_people_and_files_still_travel(browser: FlaskClient) -> None:
    page = Page(browser.get("/ticket").text)

    assert {"investigators-0-name", "investigators-2-phone", "report_files-upload"} <= set(
        page.names
    )


def test_somebody_elses_step_shows_its_holder_and_no_form(pages: Flask) -> None:
    from flask import render_template

    from tests.support.sample_contexts import ticket

    with pages.test_request_context("/ticket"):
        context = ticket()
        context["task"] |= {"claimed_by": "李建国", "mine": False, "can_complete": False}
        text = render_template("ticket/_task.html", **context)

    assert "此步骤已由李建国认领" in text
    assert "<form" not in text


def test_signed_out_pages_have_no_navigation(browser: FlaskClient) -> None:
    page = browser.get("/error/401").text

    assert "主导航" not in page
    assert "data-watermark" not in page
