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
    monkeypatch.delenv("HOTLINE_RETURN_WINDOW_DAYS", raising=False)
    return monkeypatch


@pytest.mark.parametrize(("given", "days"), [(None, 1), ("1", 1), ("5", 5)])
def test_units_may_hand_back_for_one_to_five_working_days(
    environment: pytest.MonkeyPatch, given: str | None, days: int
) -> None:
    if given is not None:
        environment.setenv("HOTLINE_RETURN_WINDOW_DAYS", given)

    assert from_environment().return_window_days == days


@pytest.mark.parametrize("given", ["0", "6", "-1", "one"])
def test_another_window_stops_the_start_and_is_named(
    environment: pytest.MonkeyPatch, given: str
) -> None:
    environment.setenv("HOTLINE_RETURN_WINDOW_DAYS", given)

    with pytest.raises(SettingsError, match="HOTLINE_RETURN_WINDOW_DAYS"):
        from_environment()
