"""Where a callback may go."""

import pytest

from app.exchange import guard
from app.exchange.errors import CallbackRefused


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (
            "https://hotline.example.gov.cn/12317/",
            ("https", "hotline.example.gov.cn", 443, "/12317"),
        ),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080, "")),
        ("https://[2400:3200::1]:8443/a/b", ("https", "2400:3200::1", 8443, "/a/b")),
    ],
)
def test_a_callback_address_is_taken_apart(address: str, parts: tuple[object, ...]) -> None:
    target = guard.take_apart(address)

    assert (target.scheme, target.host, target.port, target.base_path) == parts


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://host/",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@host/",
        "https://host/?a=1",
        "https://host/#x",
        "https://host/a/../b",
        "https://host/%2e%2e/",
        "https://host:99999/",
        "https://主机.example/",
        "host/path",
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        guard.take_apart(address)


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("https://h.example/", "h.example"),
        ("https://h.example:8443/", "h.example:8443"),
        ("http://[::1]:80/", "[::1]"),
    ],
)
def test_host_header_is_the_name_not_the_address(address: str, header: str) -> None:
    assert guard.take_apart(address).host_header == header


@pytest.mark.parametrize(
    ("address", "networks", "private", "code"),
    [
        ("http://127.0.0.1:9/", [], False, "CALLBACK_HOST_PRIVATE"),
        ("https://10.3.4.5/", [], False, "CALLBACK_HOST_PRIVATE"),
        ("https://169.254.169.254/", ["10.0.0.0/8"], False, "CALLBACK_HOST_PRIVATE"),
        ("http://8.8.8.8/", [], False, "CALLBACK_NOT_HTTPS"),
        ("https://8.8.8.8/", [], False, None),
        ("https://10.3.4.5/", ["10.3.0.0/16"], False, None),
        ("http://10.3.4.5/", ["10.3.0.0/16"], False, None),
        ("http://127.0.0.1:9/", [], True, None),
        ("https://nowhere.invalid/", [], True, "CALLBACK_HOST_UNKNOWN"),
    ],
)
def test_inner_networks_are_closed_unless_allowed(
    address: str, networks: list[str], private: bool, code: str | None
) -> None:
    target = guard.take_apart(address)

    if code is None:
        assert guard.permitted_address(target, networks, allow_private=private) == target.host
    else:
        with pytest.raises(CallbackRefused) as refused:
            guard.permitted_address(target, networks, allow_private=private)
        assert refused.value.code == code
