"""The staff pages over a running platform; a browser for anybody."""

from collections.abc import Callable

import pytest

from tests.journeys.conftest import world, world_of
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import Person

__all__ = ["browse", "world", "world_of"]


@pytest.fixture
def browse(world: World) -> Callable[[Person], Browser]:
    """A signed-in browser."""
    return lambda person: Browser(world.app, person)
