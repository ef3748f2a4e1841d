"""A browser of a member of staff, as far as HTTP goes: signs in, keeps cookies, fills forms."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.people import PASSWORD, Person

HTMX = {"HX-Request": "true"}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """One browser; with a person it is signed in."""

    def __init__(self, app: Flask, person: Person | None = None, ip: str = "127.0.0.1") -> None:
        self._client = app.test_client()
        self._ip = {"REMOTE_ADDR": ip}
        self.token = ""
        if person is not None:
            answer = self.sign_in(person.username, PASSWORD)
            assert answer.status_code == 302, answer.text
            self.get("/account")  # a page with a token of this session

    def cookies(self) -> list[tuple[str, str]]:
        """Names and values of the cookies this browser holds."""
        return [(c.key, c.value) for c in self._client._cookies.values()]

    def take_cookies(self, cookies: list[tuple[str, str]]) -> None:
        """Hold the cookies of another browser."""
        for name, value in cookies:
            self._client.set_cookie(name, value)

    def sign_in(self, username: str, password: str, **more: str) -> TestResponse:
        """Fill the sign-in page."""
        self.get("/login")
        return self.post("/login", username=username, password=password, **more)

    def get(self, path: str, *, htmx: bool = False, **query: Any) -> TestResponse:
        """Open an address; remembers the form token of the page."""
        answer = self._client.get(
            path, query_string=query or None, headers=HTMX if htmx else {}, environ_base=self._ip
        )
        found = _TOKEN.search(answer.text) if answer.mimetype == "text/html" else None
        if found:
            self.token = found[1]
        return answer

    def post(
        self,
        path: str,
        values: dict[str, Any] | None = None,
        *,
        htmx: bool = False,
        token: bool = True,
        **more: Any,
    ) -> TestResponse:
        """Send a form with the token of the last page."""
        data = {**(values or {}), **more}
        if token:
            data["csrf_token"] = self.token
        return self._client.post(
            path, data=data, headers=HTMX if htmx else {}, environ_base=self._ip
        )

    def find(self, text: str, *, htmx: bool = False, **filters: Any) -> TestResponse:
        """Type something into the worklist's filter."""
        self.get("/worklist")
        return self.post("/worklist", {"q": text, **filters}, htmx=htmx)


@dataclass(frozen=True)
class Element:
    """A start tag."""

    tag: str
    attributes: dict[str, str | None]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, dict(attrs)))


def elements(html: str) -> list[Element]:
    """Every start tag of a page."""
    parser = _Elements()
    parser.feed(html)
    return parser.found


def inline_code(html: str) -> list[Element]:
    """What a strict content security policy forbids: style and event attributes, inline scripts."""
    return [
        e
        for e in elements(html)
        if "style" in e.attributes
        or any(name.startswith("on") for name in e.attributes)
        or (e.tag == "script" and not e.attributes.get("src"))
        or e.tag == "style"
        or (e.attributes.get("href") or "").lower().startswith("javascript:")
    ]
