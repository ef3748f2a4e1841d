"""Pages that were lost and found again, and addresses that 12345 builds itself (PAGE-02)."""

import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text

from app.core.db import db, session, transact
from app.demo import sample_report
from app.exchange import partners
from app.pages import links
from app.simulator.client import PartnerClient
from tests.support.intake_page import COMPLAINT, Desk, address, number_on, tickets, wanted
from tests.support.journey import World
from tests.support.limits import forget_failures

ORIGIN = "https://12345.guizhou.example.gov.cn"


def link(world: World, **more: str) -> str:
    """An address that this platform signed; path and query."""
    values = {"table": "complaint", "caller_number": "13800001234", "operator_no": "GZ-7", **more}
    whole = world.partner.page_link(**values)
    return whole.removeprefix(world.address)


def test_a_signed_address_becomes_a_clean_one_with_what_it_said(world: World) -> None:
    path = link(world, external_ticket_no="GZ-LINK-1")
    desk = Desk(world)

    page = desk.open(path)

    assert "13800001234" not in path
    assert page.url.query == b""
    assert page.url.path.startswith("/page/complaint/")
    assert all(said in page.text for said in ("GZ-7", "13800001234", "GZ-LINK-1"))
    number_on(desk.send(**COMPLAINT))
    (ticket,) = tickets(world)
    assert (ticket.operator_no, ticket.external_ticket_no) == ("GZ-7", "GZ-LINK-1")
    assert ticket.caller_number == "13800001234"


def test_each_signing_method_and_both_live_secrets_open_a_page(world: World) -> None:
    with world.app.app_context():
        new = transact(lambda: partners.rotate_secret(world.partner_id))
        db.session.remove()
    for secret, method in ((world.secret, "HMAC-SM3"), (new, "HMAC-SHA256"), (new, "HMAC-SM3")):
        with PartnerClient(world.address, world.app_id, secret, method) as client:
            path = client.page_link("complaint", "13800001234", "GZ-7")
        page = Desk(world).open(path.removeprefix(world.address))
        assert (page.status_code, "13800001234" in page.text) == (200, True)


@pytest.mark.parametrize(
    ("spoilt", "status", "says"),
    [
        ({"sign": "0" * 64}, 401, "SIGNATURE_INVALID"),
        ({"operator_no": "GZ-8"}, 401, "SIGNATURE_INVALID"),
        ({"ts": "1000000000000"}, 401, "TIMESTAMP_SKEW"),
        ({"sign_method": "MD5"}, 401, "SIGNATURE_INVALID"),
        ({"nonce": ""}, 401, "SIGNATURE_INVALID"),
    ],
)
def test_a_spoilt_address_is_refused_on_a_page(
    world: World, spoilt: dict[str, str], status: int, says: str
) -> None:
    parts = urlsplit(link(world))
    query = {**{name: values[0] for name, values in parse_qs(parts.query).items()}, **spoilt}

    page = httpx.get(f"{world.address}{parts.path}", params=query, trust_env=False)

    assert (page.status_code, says in page.text) == (status, True)
    assert "13800001234" not in page.text


def test_a_signed_address_opens_once(world: World) -> None:
    path = link(world)
    assert Desk(world).open(path).status_code == 200

    again = Desk(world).open(path)

    assert (again.status_code, "NONCE_REPLAY" in again.text) == (401, True)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"operator_no": "工号 1"}, "工号为1–32位字母"),
        ({"display": "iframe"}, "档案未登记页面来源"),
        ({"return_url": "https://elsewhere.example/"}, "返回地址不在档案登记的页面来源之内"),
    ],
)
def test_what_a_signed_address_may_not_ask_is_said(
    world: World, more: dict[str, str], message: str
) -> None:
    page = Desk(world).open(link(world, **more))

    assert (page.status_code, message in page.text) == (422, True)


@pytest.mark.parametrize("number", ["13800001234", "AAAA", "A" * 60, "%%%"])
def test_a_number_that_cannot_be_decrypted_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setattr(links, "sealed", lambda *_: number)

    page = Desk(world).open(link(world))

    assert (page.status_code, "来电号码无法解密" in page.text) == (422, True)


def test_a_frame_by_a_signed_address_is_only_for_the_partners_origin(world: World) -> None:
    world.settings(page_origin=ORIGIN)
    desk = Desk(world, frame=True)

    page = desk.open(link(world, display="iframe"))

    assert f"frame-ancestors {ORIGIN}" in page.headers["Content-Security-Policy"]
    number_on(desk.send(**COMPLAINT))


def test_an_operators_browser_need_not_stand_in_the_networks_of_its_platform(world: World) -> None:
    world.settings(ip_allow_list=["10.9.0.0/16"])
    assert world.partner.divisions().status == 403

    assert Desk(world).open(link(world)).status_code == 200


def test_signed_addresses_count_against_the_rate_of_the_platform(world: World) -> None:
    world.settings(requests_per_minute=1, request_burst=1)
    assert Desk(world).open(link(world)).status_code == 200

    page = Desk(world).open(link(world))

    assert (page.status_code, int(page.headers["Retry-After"]) > 50) == (429, True)
    assert "RATE_LIMITED" in page.text


def test_a_frame_that_was_reloaded_shows_what_was_typed_and_after_that_its_receipt(
    world: World,
) -> None:
    world.settings(page_origin=ORIGIN)
    desk = Desk(world, frame=True)
    page = desk.open(address(world, display="iframe"))
    assert f'data-frame-url="{desk.action}"' in page.text
    assert desk.save(content="来电反映补助发放标准").status_code == 200

    shell = desk.http.get(desk.action)
    assert "来电反映" not in shell.text
    assert "13800001234" not in shell.text
    assert f"frame-ancestors {ORIGIN}" in shell.headers["Content-Security-Policy"]
    again = desk.http.post(f"{desk.action}/resume", data={"csrf_token": desk.key})
    assert "来电反映补助发放标准" in again.text
    number = number_on(desk.send(**COMPLAINT))

    receipt = desk.http.post(f"{desk.action}/resume", data={"csrf_token": desk.key})
    assert number_on(receipt) == number
    stranger = desk.http.post(f"{desk.action}/resume", data={"csrf_token": "0" * 64})
    assert stranger.status_code == 410


def test_a_new_address_for_the_same_call_brings_along_what_was_typed(world: World) -> None:
    own = f"GZ-{uuid.uuid4().hex[:12]}"
    lost, found = Desk(world), Desk(world)
    lost.open(address(world, external_ticket_no=own))
    file_id = lost.upload("照片.docx", sample_report()).json()["id"]
    lost.save(content="来电反映补助发放标准", attachments=file_id)

    page = found.open(address(world, external_ticket_no=own))

    assert "来电反映补助发放标准" in page.text
    assert f'name="attachments" value="{file_id}"' in page.text
    assert lost.save(content="别的").status_code == 410
    number_on(found.send(**COMPLAINT, attachments=file_id))


@pytest.mark.parametrize(
    "changed",
    [
        {"operator_no": "GZ12345-0999"},
        {"caller_number": "13900004321"},
        {"ticket_type": "consultation"},
        {"external_ticket_no": "GZ-OTHER"},
    ],
)
def test_another_call_operator_or_table_begins_with_an_empty_form(
    world: World, changed: dict[str, str]
) -> None:
    call = {"called_at": wanted()["called_at"]}
    desk = Desk(world)
    desk.open(address(world, **call))
    desk.save(content="来电反映补助发放标准")

    page = Desk(world).open(address(world, **{**call, **changed}))

    assert "来电反映补助发放标准" not in page.text
    assert desk.save(content="还在写").status_code == 200


def test_what_was_typed_more_than_an_hour_ago_is_not_brought_along(world: World) -> None:
    own = f"GZ-{uuid.uuid4().hex[:12]}"
    desk = Desk(world)
    desk.open(address(world, external_ticket_no=own))
    desk.save(content="来电反映补助发放标准")
    with world.app.app_context():
        session().execute(
            text("update page_sessions set created_at = created_at - interval '2 hours'")
        )
        session().commit()
        db.session.remove()

    page = Desk(world).open(address(world, external_ticket_no=own))

    assert "来电反映补助发放标准" not in page.text


def test_whoever_guesses_addresses_is_put_off_and_shuts_nobody_else_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.exchange.limits.FAILURES_PER_MINUTE", 2)
    forget_failures(world)
    told = [Desk(world).open(f"/page/complaint?s={n}").status_code for n in range(4)]
    neighbour = Desk(world).open(address(world))
    forget_failures(world)

    assert told == [410, 410, 429, 429]
    assert neighbour.status_code == 200
