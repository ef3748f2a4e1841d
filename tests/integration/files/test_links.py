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

MESSAGE = "0b0f3c0e-1c1e-4a53-9c55-0d5a4d7b8a10"


@pytest.fixture
def attached(upload, owner, number) -> Attachment:
    attachment_id, ticket_id = upload().id, number()
    return transact(lambda: services.attach([attachment_id], ticket_id, owner, core_clock.now())[0])


def query_of(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def link(attached: Attachment) -> dict[str, str]:
    return query_of(links.signed_path(attached, MESSAGE))


def always(message: str) -> bool:
    return message == MESSAGE


def test_a_link_opens_its_file_while_its_message_is_current(attached):
    path = links.signed_path(attached, MESSAGE)
    query = query_of(path)

    assert path.startswith(f"/openapi/v1/attachments/{attached.id}/content?")
    download = links.open_signed(attached.id, is_open=always, **query)
    assert download.path.read_bytes() == samples.PNG
    with pytest.raises(NotFound):
        links.open_signed(attached.id, is_open=lambda message: False, **query)


def test_a_link_is_the_same_whenever_it_is_signed(attached, clock):
    first = links.signed_path(attached, MESSAGE)
    clock.move(hours=3)

    assert links.signed_path(attached, MESSAGE) == first


@pytest.mark.parametrize(
    "forgery",
    [
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "签名"},
        {"message": "another"},
        {"message": ""},
        {"message": "９"},
        {"message": "9" * 400},
    ],
)
def test_a_forged_link_opens_nothing_and_asks_for_no_message(attached, forgery):
    def never(message: str) -> bool:
        raise AssertionError("asked for a message we have not signed")

    with pytest.raises(NotFound):
        links.open_signed(attached.id, is_open=never, **(link(attached) | forgery))


def test_a_link_opens_no_other_file_ticket_or_installation(app: Flask, attached, upload):
    query, other = link(attached), upload().id

    for wanted in (other, "att_unknown"):
        with pytest.raises(NotFound):
            links.open_signed(wanted, is_open=always, **query)
    assert links.verify_signed(attached.id, attached.ticket_id, **query)
    assert not links.verify_signed(attached.id, attached.ticket_id + 1, **query)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, secret_key="another")
    try:
        assert not links.verify_signed(attached.id, attached.ticket_id, **query)
    finally:
        app.config["SETTINGS"] = settings


def test_a_draft_is_never_linked_to(upload):
    with pytest.raises(ValueError, match="ticket"):
        links.signed_path(upload(), MESSAGE)


def test_a_link_holds_no_name(attached):
    path = links.signed_path(attached, MESSAGE)

    assert "照片" not in path
    assert quote("照片") not in path


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
