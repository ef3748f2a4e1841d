"""The whole shipped table in a database of its own, once."""

import time
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.core.db import db
from app.divisions.services import EVERYTHING, Part, load
from app.organisations.services import generate_units
from tests.support.database import Server


@pytest.fixture
def scratch(server: Server) -> Iterator[Session]:
    """A session on an empty database that has only the tables of divisions and units."""
    name = f"zb_test_divisions_{uuid.uuid4().hex[:8]}"
    server.create(name)
    engine = create_engine(server.url(name))
    tables = [db.metadata.tables[t] for t in ("divisions", "division_editions", "units")]
    db.metadata.create_all(engine, tables=tables)
    with Session(engine) as session:
        yield session
    engine.dispose()
    server.drop(name)


def scalar(session: Session, statement: str) -> object:
    return session.execute(text(statement)).scalar_one()


@pytest.mark.slow
def test_whole_table_loads_in_seconds_and_only_once(
    scratch: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    reported: list[int] = []

    started = time.perf_counter()
    loaded = load(scratch, EVERYTHING, reported.append)
    scratch.commit()
    seconds = time.perf_counter() - started
    again = load(scratch, EVERYTHING)
    units = generate_units(scratch)
    size = scalar(scratch, "select pg_total_relation_size('divisions') / 1000000")

    with capsys.disabled():
        print(f"\n665,271 divisions loaded in {seconds:.1f} s, {size} MB; {units} units")
    assert loaded == 665_271
    assert again == 0
    assert reported == sorted(reported)
    assert reported[-1] == 665_271
    assert scalar(scratch, "select count(*) from divisions") == 665_271
    assert orphans(scratch) == 0
    assert wrong_has_children(scratch) == 0


def test_loading_more_keeps_what_is_there_and_adds_the_rest(scratch: Session) -> None:
    load(scratch, Part(depth=1))
    scratch.execute(text("update divisions set valid_to = '2026-01-01' where code like '11%'"))
    scratch.execute(text("insert into divisions values ('999900000000', '试验省', 1, null, false)"))

    changed = load(scratch, Part(depth=2))

    assert changed == 31 + 342  # provinces now have children
    assert scalar(scratch, "select count(*) from divisions") == 31 + 342 + 1
    assert scalar(scratch, "select count(*) from divisions where valid_to is not null") == 1
    assert orphans(scratch) == 0
    assert wrong_has_children(scratch) == 0


def test_loading_a_smaller_part_later_takes_nothing_away(scratch: Session) -> None:
    load(scratch, Part(depth=2))

    changed = load(scratch, Part(depth=1))

    assert changed == 0
    assert scalar(scratch, "select count(*) from divisions") == 31 + 342
    assert wrong_has_children(scratch) == 0


def orphans(session: Session) -> object:
    return scalar(
        session,
        "select count(*) from divisions d where parent_code is not null"
        " and not exists (select from divisions p where p.code = d.parent_code)",
    )


def wrong_has_children(session: Session) -> object:
    return scalar(
        session,
        "select count(*) from divisions d where has_children <>"
        " exists (select from divisions c where c.parent_code = d.code)",
    )
