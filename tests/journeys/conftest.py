"""The world of the stories: platform and simulator on real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from app.core.db import db, session, transact
from app.organisations import queries as organisations
from app.organisations.services import change_unit
from tests.support.journey import World, serving
from tests.support.people import GUIZHOU


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


@pytest.fixture
def seats(world: World) -> Iterator[World]:
    """贵州 joined by calls for the time of a test."""
    _set_mode(world, "call")
    yield world
    _set_mode(world, "ticket")


def _set_mode(world: World, mode: str) -> None:
    def work() -> None:
        unit = organisations.unit_of_division(GUIZHOU)
        assert unit is not None
        change_unit(session(), unit.id, mode=mode)

    with world.app.app_context():
        transact(work)
        db.session.remove()
