"""Debian's Chromium, and the real product to drive it against."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from tests.support.journey import World, serving

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser; every test opens windows of its own in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def world(app: Flask, tmp_path: Path) -> Iterator[World]:
    """A platform that serves, and a province's 12345 that answers."""
    with serving(app) as address:
        made = World(app, address, tmp_path)
        with serving(made.simulator) as callback:
            made.point_callback(callback)
            yield made
        made.partner.close()
        made.http.close()
