"""Signing in and out: one sentence for every failure, a lock, and no way to another site."""

import secrets
from urllib.parse import urlsplit

import pytest

from app.security.signin import LOCKED, WRONG
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import PASSWORD


def somewhere() -> str:
    """An address nobody else failed from."""
    return f"10.{secrets.randbelow(250)}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}"


def test_the_right_password_leads_to_the_worklist(world: World) -> None:
    person = world.chain().city
    browser = Browser(world.app, ip=somewhere())

    answer = browser.sign_in(person.username, PASSWORD)

    assert answer.status_code == 302
    page = browser.get("/worklist")
    assert page.status_code == 200
    assert person.principal.display_name in page.text
    assert person.principal.unit_name in page.text


def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence(world: World) -> None:
    person, browser = world.chain().city, Browser(world.app, ip=somewhere())

    answers = [
        browser.sign_in(person.username, "wrong-password"),
        browser.sign_in("nobody" + secrets.token_hex(4), "wrong-password"),
        browser.sign_in("", ""),
    ]

    assert {a.status_code for a in answers} == {401}
    assert all(WRONG in a.text for a in answers)
    assert "wrong-password" not in "".join(a.text for a in answers)


def test_five_failures_lock_the_account_even_for_the_right_password(world: World) -> None:
    person = world.chain().city
    for _ in range(5):
        assert WRONG in Browser(world.app, ip=somewhere()).sign_in(person.username, "x").text

    locked = Browser(world.app, ip=somewhere()).sign_in(person.username, PASSWORD)

    assert locked.status_code == 401
    assert LOCKED in locked.text


def test_five_failures_from_one_address_lock_the_address(world: World) -> None:
    ip, person = somewhere(), world.chain().city
    for _ in range(5):
        Browser(world.app, ip=ip).sign_in(f"guess{secrets.token_hex(4)}", "x")

    assert LOCKED in Browser(world.app, ip=ip).sign_in(person.username, PASSWORD).text
    elsewhere = Browser(world.app, ip=somewhere()).sign_in(person.username, PASSWORD)
    assert elsewhere.status_code == 302


def test_signing_out_ends_every_copy_of_the_session(world: World) -> None:
    browser = Browser(world.app, world.chain().city)
    copied = browser.cookies()

    answer = browser.post("/logout")

    assert answer.status_code == 302
    assert browser.get("/worklist").status_code == 302
    thief = Browser(world.app)
    thief.take_cookies(copied)
    assert thief.get("/worklist").status_code == 302


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("/tickets?status=handling", True),
        ("/worklist", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("/\t/evil.example/", False),
        ("\\\\evil.example", False),
        ("javascript:alert(1)", False),
        ("evil.example", False),
        ("https:evil.example", False),
        ("", False),
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(
    world: World, target: str, followed: bool
) -> None:
    browser = Browser(world.app, ip=somewhere())

    answer = browser.sign_in(world.chain().city.username, PASSWORD, next=target)

    assert answer.status_code == 302
    place = urlsplit(answer.location)
    assert (place.scheme, place.netloc) in {("", ""), ("http", "localhost")}
    assert (answer.location == target) is followed
    if not followed:
        assert place.path in {"/", "/worklist"}


@pytest.mark.parametrize(
    "path", ["/worklist", "/done", "/tickets", "/tickets/TS5200002026112300042S", "/account"]
)
def test_a_stranger_signs_in_first_and_then_goes_on(world: World, path: str) -> None:
    browser = Browser(world.app)

    answer = browser.get(path)
    fragment = browser.get(path, htmx=True)

    assert answer.status_code == 302
    assert answer.location == f"/login?next={path.replace('/', '%2F')}" or path in answer.location
    assert fragment.status_code == 401
    assert "/login" in fragment.headers["HX-Redirect"]


def test_a_form_without_its_token_is_refused(world: World) -> None:
    people, number = world.chain(), world.submit()
    (task,) = world.tasks(people.province, number)
    browser = Browser(world.app, people.province)
    stranger_token = Browser(world.app, people.province_auditor).token

    for path in ("claim", "complete", "draft", "files"):
        missing = browser.post(f"/tasks/{task['id']}/{path}", token=False)
        foreign = browser.post(
            f"/tasks/{task['id']}/{path}", token=False, csrf_token=stranger_token
        )
        assert (missing.status_code, foreign.status_code) == (400, 400)
        assert "页面已过期" in missing.text
    assert browser.post("/logout", token=False).status_code == 400

    assert world.tasks(people.province, number)[0]["version"] == task["version"]


def test_the_cookie_is_for_http_only_and_same_site(world: World) -> None:
    browser = Browser(world.app, ip=somewhere())

    answer = browser.sign_in(world.chain().city.username, PASSWORD)

    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
