"""Acceptance numbers from the database: by type, province and day in Beijing, never twice."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from app.core.db import db, transact
from app.tickets.numbers import acceptance_number, is_well_formed

NIGHT = datetime(2031, 5, 6, 16, 30, tzinfo=UTC)
"""Half past midnight of the 7th in Beijing; a day no other test counts on."""


def test_numbers_count_by_type_province_and_day(context: None) -> None:
    later = datetime(2031, 5, 7, 16, 30, tzinfo=UTC)

    made = [
        transact(lambda k=kind, p=place, t=at: acceptance_number(k, p, t))
        for kind, place, at in (
            ("complaint", "990000", NIGHT),
            ("complaint", "990000", NIGHT),
            ("declaration", "990000", NIGHT),
            ("complaint", "980000000000", NIGHT),
            ("complaint", "990000", later),
        )
    ]

    assert [number[:21] for number in made] == [
        "TS9900002031050700001",
        "TS9900002031050700002",
        "SB9900002031050700001",
        "TS9800002031050700001",
        "TS9900002031050800001",
    ]
    assert all(is_well_formed(number) for number in made)


def test_eight_at_once_get_eight_numbers(app: Flask) -> None:
    made: list[str] = []

    def take() -> None:
        with app.app_context():
            for _ in range(5):
                made.append(transact(lambda: acceptance_number("complaint", "970000", NIGHT)))
            db.session.remove()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(int(number[16:21]) for number in made) == list(range(1, 41))


def test_a_rolled_back_number_may_come_again_but_is_never_given_twice(
    context: None, refused: Callable[[Callable[[], Any]], None]
) -> None:
    refused(lambda: acceptance_number("complaint", "960000", NIGHT))

    assert transact(lambda: acceptance_number("complaint", "960000", NIGHT))[16:21] == "00001"
