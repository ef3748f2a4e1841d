"""The world of the stories: platform and simulator on real HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.journey import World, serving


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
