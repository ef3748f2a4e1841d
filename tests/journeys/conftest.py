"""The world of the stories: platform and simulator on real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from tests.support.journey import World, serving


@pytest.fixture
def world_of(app: Flask, tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """A platform that serves, and the 12345 of any province that answers."""
    with ExitStack() as stack:
        address = stack.enter_context(serving(app))

        def make(province: str) -> World:
            made = World(app, address, tmp_path / province, province)
            made.point_callback(stack.enter_context(serving(made.simulator)))
            stack.callback(made.released.set)
            stack.callback(made.partner.close)
            stack.callback(made.http.close)
            return made

        yield make


@pytest.fixture
def world(world_of: Callable[[str], World]) -> World:
    """The world of 贵州."""
    return world_of("520000")
