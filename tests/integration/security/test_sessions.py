"""Browser sessions and bearer tokens over HTTP, and the security headers of every answer."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import clock as core_clock
from app.core.db import db, session, transact
from app.security import headers, services, sessions, signin, tokens
from app.security.models import ApiToken, LoginSession, User
from app.security.principal import SYSTEM
from app.security.queries import principal_for_user
from tests.integration.security.conftest import PASSWORD


@pytest.fixture(scope="module")
def web(app: Flask) -> Iterator[Flask]:
    """A small site on this worker's database that uses nothing but the security room."""
    site = Flask("site")
    site.config.update(app.config)
    db.init_app(site)
    sessions.init_app(site)
    headers.init_app(site)

    @site.post("/login")
    def login():
        def work() -> str:
            form = request.form
            outcome = signin.authenticate(
                form["username"], form["password"], form["ip"], core_clock.now()
            )
            if outcome.principal:
                sessions.sign_in(outcome.principal, form["ip"])
            return outcome.refusal

        return transact(work) or "ok"

    @site.post("/logout")
    def logout():
        transact(lambda: sessions.sign_out("::1"))
        return "bye"

    @site.get("/who")
    def who():
        principal = sessions.current_principal()
        assert sessions.current_principal() is principal
        return principal.username if principal else "nobody"

    @site.get("/dirty")
    def dirty():
        principal = sessions.current_principal()
        session().get_one(User, principal.user_id).display_name = "不该保存"
        session().flush()
        return "ok"

    @site.get("/framed")
    def framed():
        policy = headers.policy(frame_ancestors="https://12345.example")
        return "", 200, {"Content-Security-Policy": policy}

    yield site
    with site.app_context():
        db.engine.dispose()


@pytest.fixture
def browser(web: Flask) -> FlaskClient:
    return web.test_client()


@pytest.fixture
def signed_in(browser: FlaskClient, make_user, fresh_ip) -> User:
    user = make_user()
    form = {"username": user.username, "password": PASSWORD, "ip": fresh_ip}
    assert browser.post("/login", data=form).text == "ok"
    return user


def who(client: FlaskClient, **more: object) -> str:
    return client.get("/who", **more).text


def rows_of(user: User) -> list[LoginSession]:
    query = select(LoginSession).where(LoginSession.user_id == user.id)
    return list(session().scalars(query.execution_options(populate_existing=True)))


def test_nobody_is_signed_in_at_first_and_it_costs_no_statement(browser, clock, statements):
    assert who(browser) == "nobody"
    assert statements == []


def test_signing_in_lasts_over_requests(browser, signed_in):
    assert who(browser) == signed_in.username


def test_who_it_is_costs_one_statement_per_request(browser, signed_in, statements):
    statements.clear()

    who(browser)

    assert [statement.split()[0] for statement in statements] == ["SELECT"]


def test_a_wrong_password_opens_no_session(browser, make_user, fresh_ip):
    user = make_user()
    form = {"username": user.username, "password": "Wrong-12317-x", "ip": fresh_ip}

    assert browser.post("/login", data=form).text == signin.WRONG
    assert who(browser) == "nobody"


def test_fifteen_idle_minutes_end_the_session(browser, signed_in, clock):
    clock.move(minutes=14)
    assert who(browser) == signed_in.username
    clock.move(minutes=14)
    assert who(browser) == signed_in.username
    clock.move(minutes=15)
    assert who(browser) == "nobody"


def test_requests_a_page_makes_by_itself_do_not_keep_it_alive(browser, signed_in, clock):
    background = {sessions.BACKGROUND_HEADER: "1"}
    clock.move(minutes=10)
    assert who(browser, headers=background) == signed_in.username
    clock.move(minutes=5)

    assert who(browser, headers=background) == "nobody"


def test_twelve_hours_end_the_session_however_busy(browser, signed_in, clock):
    for _ in range(71):
        clock.move(minutes=10)
        assert who(browser) == signed_in.username
    clock.move(minutes=10)

    assert who(browser) == "nobody"


def test_signing_out_ends_every_copy_of_the_cookie(web, browser, signed_in):
    copy = web.test_client()
    name = web.config["SESSION_COOKIE_NAME"]
    copy.set_cookie(name, browser.get_cookie(name).value)
    assert who(copy) == signed_in.username

    browser.post("/logout")

    assert who(browser) == "nobody"
    assert who(copy) == "nobody"
    assert rows_of(signed_in) == []


def test_signing_out_twice_is_fine(browser, signed_in):
    assert browser.post("/logout").text == "bye"
    assert browser.post("/logout").text == "bye"


def test_signing_in_again_gives_the_session_a_new_id(browser, signed_in, fresh_ip):
    with browser.session_transaction() as before:
        old, before["planted"] = before["login"], "by somebody"

    form = {"username": signed_in.username, "password": PASSWORD, "ip": fresh_ip}
    browser.post("/login", data=form)

    with browser.session_transaction() as after:
        assert after["login"] != old
        assert "planted" not in after


def test_the_database_holds_no_token_that_would_sign_in(browser, signed_in):
    with browser.session_transaction() as cookie:
        token = cookie["login"]

    assert [row.token_hash for row in rows_of(signed_in)] == [tokens.token_hash(token)]
    assert token.encode() not in rows_of(signed_in)[0].token_hash


def test_a_disabled_user_is_out_at_once(browser, signed_in):
    now = core_clock.now()

    transact(lambda: services.set_enabled(signed_in.id, False, by=SYSTEM, ip=None, now=now))

    assert who(browser) == "nobody"


def test_a_forged_cookie_is_nobody(web, context):
    forger = web.test_client()
    forger.set_cookie(
        web.config["SESSION_COOKIE_NAME"], "eyJsb2dpbiI6ImFiYyJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"
    )

    assert who(forger) == "nobody"


def test_noting_the_use_does_not_save_what_a_view_left_uncommitted(browser, signed_in, clock):
    clock.move(minutes=2)

    assert browser.get("/dirty").text == "ok"

    session().expire_all()
    assert session().get_one(User, signed_in.id).display_name == "张三"
    assert rows_of(signed_in)[0].last_seen_at == core_clock.now()


@pytest.fixture
def bearer(make_user) -> Callable[[], dict[str, str]]:
    user = make_user()

    def make() -> dict[str, str]:
        principal = principal_for_user(user.id, core_clock.now())
        token = transact(
            lambda: tokens.create_token(replace(principal), "程序", core_clock.now(), 30)
        )
        return {"Authorization": f"Bearer {token}", "expected": user.username}

    return make


def test_a_bearer_token_signs_a_request_in_and_its_use_is_noted(browser, bearer):
    given = bearer()
    expected = given.pop("expected")

    assert who(browser, headers=given) == expected

    key = tokens.token_hash(given["Authorization"].removeprefix("Bearer "))
    row = session().scalars(select(ApiToken).where(ApiToken.token_hash == key)).one()
    assert row.last_used_at == core_clock.now()


def test_a_token_counts_before_the_cookie(browser, signed_in, bearer):
    given = bearer()

    assert who(browser, headers=given) == given["expected"]
    assert who(browser, headers={"Authorization": "Bearer zb_wrong"}) == "nobody"
    assert who(browser, headers={"Authorization": "Basic abc"}) == "nobody"


def test_every_answer_carries_the_security_headers(browser, clock):
    for path in ("/who", "/does-not-exist"):
        given = browser.get(path).headers
        policy = given["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert given["X-Content-Type-Options"] == "nosniff"
        assert given["Referrer-Policy"] == "same-origin"
        assert given["X-Frame-Options"] == "DENY"
        assert given["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in given


def test_over_https_the_browser_is_told_to_stay_there(web, browser, clock):
    plain = web.config["SETTINGS"]
    web.config["SETTINGS"] = replace(plain, secure_cookies=True)
    try:
        assert "max-age=31536000" in browser.get("/who").headers["Strict-Transport-Security"]
    finally:
        web.config["SETTINGS"] = plain


def test_a_page_for_a_partner_s_frame_names_the_partner_only(browser, clock):
    given = browser.get("/framed").headers

    assert "frame-ancestors https://12345.example" in given["Content-Security-Policy"]
    assert "X-Frame-Options" not in given
    with pytest.raises(ValueError, match="origins only"):
        headers.policy(frame_ancestors="*; script-src *")
