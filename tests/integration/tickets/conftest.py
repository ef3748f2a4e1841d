"""What the tests of the tickets room share."""

from collections.abc import Callable
from typing import Any

import pytest

from app.core.db import transact
from tests.journeys.conftest import world, world_of

__all__ = ["refused", "world", "world_of"]


class Change(Exception):
    pass


@pytest.fixture
def refused(context: None) -> Callable[[Callable[[], Any]], None]:
    """Do something in a transaction that is rolled back."""

    def run(work: Callable[[], Any]) -> None:
        def then_fail() -> None:
            work()
            raise Change

        with pytest.raises(Change):
            transact(then_fail)

    return run
