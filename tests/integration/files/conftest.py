"""A clean files folder and owners nobody else has."""

import io
import itertools
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.core import clock as core_clock
from app.core.db import transact
from app.files import services
from app.files.models import Attachment
from app.files.services import Owner
from tests.unit.files import samples

_numbers = itertools.count(uuid.uuid4().int % 10**9 + 10**9)


@pytest.fixture
def number() -> Callable[[], int]:
    """A ticket, user or partner id no other test uses."""
    return lambda: next(_numbers)


@pytest.fixture
def owner(number: Callable[[], int]) -> Owner:
    return Owner(user_id=number())


@pytest.fixture
def root(app: Flask) -> Path:
    return app.config["SETTINGS"].files_dir


@pytest.fixture
def upload(context: None, clock: object, owner: Owner) -> Callable[..., Attachment]:
    """Store a small honest file; keywords go to `store`."""

    def send(content: bytes = samples.PNG, name: str = "现场照片.png", **wanted: object):
        values = {"owner": owner, "now": core_clock.now(), **wanted}
        return transact(lambda: services.store(io.BytesIO(content), name, None, **values))

    return send
