"""Settings that stop the start when they are wrong."""

import base64

import pytest

from app.config import SettingsError, from_environment

KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What every start needs."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/zhuanban")
    monkeypatch.setenv("HOTLINE_SECRET_KEY", "tests-only")
    monkeypatch.setenv("HOTLINE_DATA_KEYS", f"k1:{KEY}")
    monkeypatch.setenv("HOTLINE_HASH_KEY", KEY)
    return monkeypatch


def test_with_these_it_starts(environment: pytest.MonkeyPatch) -> None:
    assert from_environment().data_keys == {"k1": bytes(32)}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DATABASE_URL", None),
        ("HOTLINE_SECRET_KEY", None),
        ("HOTLINE_DATA_KEYS", "k1:AAAA"),
        ("HOTLINE_DATA_KEYS", KEY),
        ("HOTLINE_POOL_SIZE", "many"),
        ("HOTLINE_SESSION_IDLE_MINUTES", "1h"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    environment: pytest.MonkeyPatch, name: str, given: str | None
) -> None:
    if given is None:
        environment.delenv(name)
    else:
        environment.setenv(name, given)

    with pytest.raises(SettingsError, match=name):
        from_environment()
