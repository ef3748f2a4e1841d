"""The account page: one's own password and tokens, and nothing else while the password is old."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from app.security.models import AccessLog
from tests.integration.ui.conftest import Desk, Employ
from tests.support.people import GUIZHOU, PASSWORD

NEW = "Another-2026-word"
Log = Callable[..., list[AccessLog]]


def test_a_new_password_ends_every_other_session_and_keeps_this_one(
    app: Flask, employ: Employ, log_of: Log
) -> None:
    desk = employ(GUIZHOU)
    elsewhere = Desk(app, desk.person)

    answer = desk.post("/account/password", old_password=PASSWORD, new_password=NEW, new_again=NEW)

    assert answer.status_code == 302
    assert desk.get("/worklist").status_code == 200
    assert elsewhere.get("/worklist").headers["Location"].startswith("/login")
    assert Desk(app, desk.person, NEW)
    assert len(log_of(desk.person, "account.password")) == 1


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong-Password-1", NEW, NEW, "原密码错误"),
        (PASSWORD, "short", "short", "密码长度须为10至128个字符"),
        (PASSWORD, PASSWORD, PASSWORD, "不能使用最近5次用过的密码"),
        (PASSWORD, NEW, NEW + "x", "两次输入的新密码不一致"),
    ],
)
def test_a_refused_password_says_why_and_changes_nothing(
    app: Flask, employ: Employ, old: str, new: str, again: str, said: str
) -> None:
    desk = employ(GUIZHOU)

    answer = desk.post("/account/password", old_password=old, new_password=new, new_again=again)

    assert answer.status_code == 422
    assert said in answer.text
    assert new not in answer.text
    assert Desk(app, desk.person)


@pytest.mark.parametrize("path", ["/", "/worklist", "/done", "/tickets", "/operations"])
def test_with_an_outdated_password_only_the_account_page_opens(
    employ: Employ, change_user: Callable[..., None], path: str
) -> None:
    desk = employ(GUIZHOU)
    change_user(desk.person, must_change_password=True)

    answer = desk.get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/account"
    page = desk.get("/account").text
    assert "请先修改密码" in page
    assert 'href="/worklist"' not in page
    assert "访问令牌" not in page


def test_with_an_outdated_password_no_form_is_taken_but_its_own_and_sign_out(
    employ: Employ, change_user: Callable[..., None]
) -> None:
    desk = employ(GUIZHOU)
    change_user(desk.person, must_change_password=True)

    refused = desk.post("/account/tokens", name="程序", days=30)
    script = desk.get("/divisions.json", Accept="application/json")
    changed = desk.post("/account/password", old_password=PASSWORD, new_password=NEW, new_again=NEW)

    assert refused.headers["Location"] == "/account"
    assert (script.status_code, script.json["code"]) == (403, "PASSWORD_CHANGE_REQUIRED")
    assert changed.headers["Location"] == "/"
    assert desk.get("/worklist").status_code == 200


def test_sign_out_is_open_with_an_outdated_password(
    employ: Employ, change_user: Callable[..., None]
) -> None:
    desk = employ(GUIZHOU)
    change_user(desk.person, must_change_password=True)

    assert desk.post("/logout").headers["Location"] == "/login"


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(
    employ: Employ, log_of: Log
) -> None:
    desk = employ(GUIZHOU)

    made = desk.post("/account/tokens", name="报表程序", days=30)
    token = re.search(r"data-token>(zb_[\w-]+)<", made.text)
    later = desk.get("/account").text

    assert made.status_code == 201
    assert token
    assert "报表程序" in later
    assert token[1] not in later
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert desk.client.get("/api/v1/tasks", headers=headers).status_code == 200
    first = re.search(r'action="(/account/tokens/\d+/revoke)"', later)
    assert first
    desk.post(first[1])
    assert desk.client.get("/api/v1/tasks", headers=headers).status_code == 401
    assert len(log_of(desk.person, "token.create")) == 2  # one was made when the person was hired
    assert len(log_of(desk.person, "token.revoke")) == 1


def test_a_token_without_purpose_is_refused(employ: Employ) -> None:
    answer = employ(GUIZHOU).post("/account/tokens", name=" ", days=30)

    assert answer.status_code == 422
    assert "请填写令牌用途" in answer.text


def test_an_outsider_cannot_revoke_somebody_s_token(employ: Employ) -> None:
    owner, outsider = employ(GUIZHOU), employ(GUIZHOU)
    own = re.search(r'action="(/account/tokens/\d+/revoke)"', owner.get("/account").text)
    assert own

    answer = outsider.post(own[1])

    assert answer.status_code == 404
    assert own[1] in owner.get("/account").text


@pytest.mark.parametrize(
    "path", ["/account/password", "/account/tokens", "/worklist/sign-in", "/logout"]
)
def test_a_form_of_another_site_is_refused(employ: Employ, path: str) -> None:
    answer = employ(GUIZHOU).client.post(path, data={"name": "x", "days": "30"})

    assert answer.status_code == 400
    assert "页面已过期" in answer.text


def test_an_administrator_without_business_lands_on_a_page_that_exists(employ: Employ) -> None:
    desk = employ(GUIZHOU, "audit_admin")

    assert desk.get("/").headers["Location"] == "/account"
    assert "访问令牌" not in desk.get("/account").text
    assert desk.post("/account/tokens", name="程序", days=30).status_code == 403
