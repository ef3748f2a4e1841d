"""The password policy and its hashes."""

import pytest

from app.security import passwords


@pytest.mark.parametrize(
    "password",
    ["Guizhou12317", "guizhou-12317", "GUIZHOU-12317", "贵州热线-abc-1A", "a B c D e 1 2"],
)
def test_a_good_password_is_accepted(password):
    assert passwords.objections(password, "zunyi") == []


@pytest.mark.parametrize(
    ("password", "objection"),
    [
        ("Ab1-ab1-a", "长度"),
        ("Aa1-" * 33, "长度"),
        ("", "长度"),
        ("abcdefghijkl", "三类"),
        ("abcdefgh1234", "三类"),
        ("ABCDEFGH1234", "三类"),
        ("Zunyi-2026-x", "用户名"),
        ("xx-ZUNYI-123", "用户名"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password, objection):
    assert any(objection in text for text in passwords.objections(password, "zunyi"))


def test_all_objections_are_told_at_once():
    assert len(passwords.objections("zunyi", "zunyi")) == 3


def test_the_hash_is_argon2id_and_salted():
    first, second = (
        passwords.hash_password("Guizhou-12317"),
        passwords.hash_password("Guizhou-12317"),
    )

    assert first.startswith("$argon2id$")
    assert first != second
    assert not passwords.is_outdated(first)


@pytest.mark.parametrize(
    ("password", "fits"),
    [("Guizhou-12317", True), ("guizhou-12317", False), ("", False), ("x" * 1_000_000, False)],
    ids=["right", "wrong", "empty", "huge"],
)
def test_only_the_right_password_fits(password, fits):
    assert passwords.matches(passwords.hash_password("Guizhou-12317"), password) is fits


@pytest.mark.parametrize("password_hash", [None, "not a hash"])
def test_no_password_fits_where_there_is_no_hash(password_hash):
    assert not passwords.matches(password_hash, "no user has this password")
