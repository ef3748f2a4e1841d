"""A newer table from the customer. Nothing is committed: the tables are shared with other tests."""

from datetime import date

import pytest

from app.core.db import session
from app.core.errors import Invalid
from app.divisions import queries
from app.divisions.datafile import Row
from app.divisions.resolver import resolve
from app.divisions.revisions import Revision, apply, compare

pytestmark = pytest.mark.usefixtures("context")

ON = date(2026, 1, 1)
ZUNYI, MEITAN, YUQING = "520300000000", "520328000000", "520329000000"


def rows_of(code: str) -> list[Row]:
    return [Row(d.code, d.name, d.level, d.parent_code) for d in queries.children(code)]


def test_the_same_table_is_an_empty_revision() -> None:
    assert compare(session(), rows_of(ZUNYI)).is_empty


def test_a_list_of_additions_retires_nothing() -> None:
    new = Row("520399000000", "新蒲区", 3, ZUNYI)

    revision = compare(session(), [new])

    assert revision == Revision(added=(new,), changed=(), retired=())


def test_a_complete_list_retires_what_it_does_not_have() -> None:
    meitan = queries.get(MEITAN)
    assert meitan is not None
    kept = [Row(meitan.code, meitan.name, meitan.level, meitan.parent_code)]
    kept += rows_of(MEITAN)[1:]
    gone = rows_of(MEITAN)[0].code

    revision = compare(session(), kept, within=MEITAN)

    assert gone in revision.retired
    assert MEITAN not in revision.retired


def test_applied_revision_renames_adds_and_retires() -> None:
    before = queries.version()
    revision = Revision(
        added=(
            Row("520399000000", "新蒲区", 3, ZUNYI),
            Row("520399100000", "永乐镇", 4, "520399000000"),
        ),
        changed=(Row(MEITAN, "湄潭市", 3, ZUNYI),),
        retired=(YUQING,),
    )

    apply(session(), revision, ON, successors={YUQING: "520399000000"})

    names = [d.name for d in queries.children(ZUNYI)]
    added, successor = queries.get("520399000000"), queries.in_force(YUQING)
    assert "湄潭市" in names
    assert "余庆县" not in names
    assert added is not None
    assert (added.has_children, added.valid_from) == (True, ON)
    assert successor is added
    assert queries.get(YUQING) is not None
    assert queries.version() != before


def test_resolver_knows_a_revision_at_once() -> None:
    assert resolve("遵义市新蒲区").code == ZUNYI
    revision = Revision((Row("520399000000", "新蒲区", 3, ZUNYI),), (), ())

    apply(session(), revision, ON)

    assert resolve("遵义市新蒲区").code == "520399000000"


def test_a_retired_code_comes_back_when_the_table_has_it_again() -> None:
    apply(session(), Revision((), (), (YUQING,)), ON)

    revision = compare(session(), [Row(YUQING, "余庆县", 3, ZUNYI)])
    apply(session(), revision, ON)

    division = queries.get(YUQING)
    assert division is not None
    assert division.valid_to is None


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (Row("5203", "新蒲区", 3, ZUNYI), "code"),
        (Row("520399000000", " ", 3, ZUNYI), "name"),
        (Row("520399000000", "新蒲区", 3, None), "parent_code"),
        (Row("520399000000", "新蒲区", 3, "999900000000"), "parent_code"),
        (Row("520399000000", "新蒲区", 2, ZUNYI), "parent_code"),
        (Row("990000000000", "新省", 1, ZUNYI), "parent_code"),
    ],
)
def test_a_wrong_row_is_named_and_refused(row: Row, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        compare(session(), [row])

    assert [(error.field, error.rule) for error in refused.value.errors] == [(row.code, rule)]


def test_a_successor_must_exist_and_be_in_force() -> None:
    with pytest.raises(Invalid):
        apply(session(), Revision((), (), (YUQING,)), ON, successors={YUQING: "999999999999"})
