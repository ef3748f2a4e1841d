"""Signed links: one file of one ticket, for some minutes; and how files are sent."""

from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask

from app.core import clock as core_clock
from app.core.db import transact
from app.core.errors import NotFound
from app.files import links, responses, services
from app.files.models import Attachment
from tests.unit.files import samples


@pytest.fixture
def attached(upload, owner, number) -> Attachment:
    attachment_id, ticket_id = upload().id, number()
    return transact(lambda: services.attach([attachment_id], ticket_id, owner, core_clock.now())[0])


def query_of(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def test_a_link_opens_its_file_until_it_runs_out(attached, clock):
    path = links.signed_path(attached, core_clock.now(), minutes=15)
    query = query_of(path)

    assert path.startswith(f"/openapi/v1/attachments/{attached.id}/content?")
    clock.move(minutes=14)
    download = links.open_signed(attached.id, now=core_clock.now(), **query)
    assert download.path.read_bytes() == samples.PNG
    clock.move(minutes=1)
    with pytest.raises(NotFound):
        links.open_signed(attached.id, now=core_clock.now(), **query)


@pytest.mark.parametrize(
    "forgery",
    [
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "签名"},
        {"expires": "9999999999"},
        {"expires": "-1"},
        {"expires": ""},
        {"expires": "１７９９９９９９９９"},
        {"expires": "1e99"},
        {"expires": "9" * 400},
    ],
)
def test_a_forged_link_opens_nothing(attached, forgery):
    query = query_of(links.signed_path(attached, core_clock.now())) | forgery

    with pytest.raises(NotFound):
        links.open_signed(attached.id, now=core_clock.now(), **query)


def test_a_link_opens_no_other_file_ticket_or_installation(app: Flask, attached, upload):
    query = query_of(links.signed_path(attached, core_clock.now()))
    other, now = upload().id, core_clock.now()

    for wanted in (other, "att_unknown"):
        with pytest.raises(NotFound):
            links.open_signed(wanted, now=now, **query)
    assert links.verify_signed(attached.id, attached.ticket_id, now=now, **query)
    assert not links.verify_signed(attached.id, attached.ticket_id + 1, now=now, **query)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, secret_key="another")
    try:
        assert not links.verify_signed(attached.id, attached.ticket_id, now=now, **query)
    finally:
        app.config["SETTINGS"] = settings


def test_a_draft_is_never_linked_to(upload):
    with pytest.raises(ValueError, match="ticket"):
        links.signed_path(upload(), core_clock.now())


def test_a_link_holds_no_name(attached):
    assert "照片" not in links.signed_path(attached, core_clock.now())
    assert quote("照片") not in links.signed_path(attached, core_clock.now())


def send(app: Flask, attachment: Attachment, preview: bool = False):
    download = services.download_of(attachment)
    with app.test_request_context():
        response = responses.send(download, preview=preview)
        response.direct_passthrough = False
        return response, response.get_data()


def test_a_file_is_sent_as_a_download_the_browser_may_not_interpret(app, attached):
    response, content = send(app, attached)

    disposition = response.headers["Content-Disposition"]
    assert content == samples.PNG
    assert disposition.startswith("attachment")
    assert f"filename*=UTF-8''{quote('现场照片.png')}" in disposition
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.mimetype == "image/png"


@pytest.mark.parametrize(
    ("content", "name", "shown"),
    [(samples.PNG, "一.png", True), (samples.PDF, "一.pdf", False), (samples.ZIP, "一.zip", False)],
)
def test_only_pictures_are_shown_in_place(app, upload, content, name, shown):
    response, _ = send(app, upload(content, name), preview=True)

    assert response.headers["Content-Disposition"].startswith("inline") is shown
