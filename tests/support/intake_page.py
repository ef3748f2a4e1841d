"""A browser at 12345's desk, as far as HTTP goes: opens a page once, fills it in, sends it."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from app.core.db import db, session
from app.tickets.models import Ticket
from tests.support.journey import World

_KEY = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
_ACTION = re.compile(r'action="(/page/[^"]+)"')
_NUMBER = re.compile(r'id="acceptance-no">([A-Z0-9]+)<')
_PROBLEM = re.compile(r'<li><a href="#f-([^"]+)">([^<]+)</a>：([^<]+)</li>')
_LOOSE = re.compile(r"<li>([^<]+)</li>")


def wanted(**changed: Any) -> dict[str, Any]:
    """The body of I16 for a complaint."""
    return {
        "ticket_type": "complaint",
        "operator_no": "GZ12345-0231",
        "caller_number": "13800001234",
        "called_at": (datetime.now(UTC) - timedelta(minutes=2)).isoformat(timespec="seconds"),
        **changed,
    }


def address(world: World, **changed: Any) -> str:
    """Path and query of a new one-time address."""
    answer = world.partner.open_page(wanted(**changed))
    assert answer.status == 201, answer.envelope
    parts = urlsplit(answer.data["url"])
    return f"{parts.path}?{parts.query}"


class Desk:
    """One browser; with `frame` it keeps no cookie, as in a frame of another site."""

    def __init__(self, world: World, *, frame: bool = False) -> None:
        self.http = httpx.Client(base_url=world.address, trust_env=False, follow_redirects=True)
        self.frame = frame
        self.key = ""
        self.action = ""

    def open(self, path: str) -> httpx.Response:
        """Open an address and find the form in it."""
        return self._read(self.http.get(path))

    def again(self) -> httpx.Response:
        """Load the page anew."""
        return self._read(self.http.get(self.action))

    def send(self, **values: Any) -> httpx.Response:
        """Send the form."""
        return self._read(self.http.post(self.action, data={"csrf_token": self.key, **values}))

    def save(self, **values: Any) -> httpx.Response:
        """What the page's script sends while somebody types."""
        return self.http.post(
            f"{self.action}/draft",
            data={"csrf_token": self.key, **values},
            headers={"Accept": "application/json"},
        )

    def press(self, button: str, **values: Any) -> httpx.Response:
        """Press a button of the place: without scripts it brings the form back."""
        return self.send(**{"choose-place": button, **values})

    def find(self, words: str) -> list[dict[str, Any]]:
        """What the page's script asks while somebody types."""
        answer = self.http.post(
            f"{self.action}/places.json",
            data={"division_code-find": words},
            headers={"Accept": "application/json", "X-CSRFToken": self.key},
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def upload(self, name: str, content: bytes) -> httpx.Response:
        """Choose a file."""
        return self.http.post(
            f"{self.action}/files",
            files={"file": (name, content)},
            headers={"Accept": "application/json", "X-CSRFToken": self.key},
        )

    def _read(self, answer: httpx.Response) -> httpx.Response:
        if self.frame:
            self.http.cookies.clear()
        if found := _KEY.search(answer.text):
            self.key = found[1]
        if found := _ACTION.search(answer.text):
            self.action = found[1]
        return answer


def number_on(page: httpx.Response) -> str:
    """The acceptance number of a receipt."""
    assert page.status_code == 200, page.text
    found = _NUMBER.search(page.text)
    assert found, page.text
    return found[1]


def problems_on(page: httpx.Response) -> dict[str, str]:
    """What the page says is wrong, by field; under the empty name what no single field is."""
    text = html.unescape(page.text)
    found = {name: message for name, _label, message in _PROBLEM.findall(text)}
    if loose := _LOOSE.search(text):
        found[""] = loose[1]
    return found


def tickets(world: World) -> list[Ticket]:
    """Every ticket of this platform, detached."""
    with world.app.app_context():
        query = select(Ticket).where(Ticket.partner_id == world.partner_id).order_by(Ticket.id)
        found = list(session().scalars(query))
        session().expunge_all()
        db.session.remove()
    return found


COMPLAINT = {
    "is_anonymous": "false",
    "caller_name": "李某某",
    "division_code": "520328103000",
    "detail_address": "三组",
    "content": "来电反映危房改造补助资金未按标准发放。",
    "problem_category": "3",
    "urgency": "1",
    "is_confidential": "false",
}
DECLARATION = {
    "caller_name": "罗某某",
    "contact_phone": "13800001238",
    "id_card_no": "11010519491231002X",
    "content": "户主突发脑梗住院，自付医疗费约5.8万元，申请纳入监测帮扶。",
    "poverty_risk": ["1"],
    "household_head": "罗大某",
    "relation": "父子",
    "division_code": "520328103000",
    "urgency": "1",
    "is_confidential": "false",
}
CONSULTATION = {
    "caller_category": "2",
    "service_type": "2",
    "problem_category": "13",
    "content_summary": "建议在通组公路的急弯处加装护栏和反光镜。",
    "division_code": "520328103000",
    "urgency": "1",
    "is_confidential": "false",
}
FORMS = {"complaint": COMPLAINT, "declaration": DECLARATION, "consultation": CONSULTATION}
"""What an operator enters, by table."""
