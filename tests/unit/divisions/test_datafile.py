from collections import Counter
from pathlib import Path

import pytest

from app.divisions import datafile
from app.divisions.datafile import Row
from app.divisions.services import EVERYTHING, Part

GUIZHOU = "520000000000"


@pytest.fixture(scope="module")
def shipped() -> list[Row]:
    return list(datafile.read())


def test_shipped_file_has_every_division_once(shipped: list[Row]) -> None:
    levels = Counter(row.level for row in shipped)

    assert len(shipped) == 665_271
    assert len({row.code for row in shipped}) == 665_271
    assert levels == {1: 31, 2: 342, 3: 2_975, 4: 41_351, 5: 620_572}


def test_shipped_file_has_no_orphan_and_parents_come_first(shipped: list[Row]) -> None:
    level_of: dict[str, int] = {}

    for row in shipped:
        if row.parent_code is None:
            assert row.level == 1
        else:
            assert level_of[row.parent_code] < row.level
        level_of[row.code] = row.level


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("441900000000", "东莞市", 2),
        ("442000000000", "中山市", 2),
        ("460400000000", "儋州市", 2),
        ("350527000000", "金门县", 3),
    ],
)
def test_repeated_codes_keep_the_highest_level(
    shipped: list[Row], code: str, name: str, level: int
) -> None:
    found = [(row.name, row.level) for row in shipped if row.code == code]

    assert found == [(name, level)]


def test_parents_survive_the_file_although_digits_say_otherwise(tmp_path: Path) -> None:
    rows = [
        Row("100000000000", "甲省", 1, None),
        Row("990100000000", "乙市", 2, "100000000000"),
        Row("200000000000", "丙省", 1, None),
        Row("100101000000", "丁镇", 4, "990100000000"),
    ]

    datafile.write(rows, tmp_path / "small.xz")

    assert set(datafile.read(tmp_path / "small.xz")) == set(rows)


def test_same_rows_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [Row("100000000000", "甲省", 1, None), Row("110000000000", "乙省", 1, None)]

    datafile.write(rows, tmp_path / "one.xz")
    datafile.write(reversed(rows), tmp_path / "two.xz")

    assert datafile.digest(tmp_path / "one.xz") == datafile.digest(tmp_path / "two.xz")


def test_an_orphan_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parent"):
        datafile.write([Row("110100000000", "乙市", 2, "110000000000")], tmp_path / "bad.xz")


def test_a_part_keeps_whole_provinces_and_the_upper_levels_of_the_rest(
    shipped: list[Row],
) -> None:
    part = Part(depth=2, whole_provinces=frozenset({GUIZHOU}))

    kept = list(part.select(shipped))

    assert {row.level for row in kept if not row.code.startswith("52")} == {1, 2}
    assert Counter(r.level for r in kept if r.code.startswith("52")) == {
        1: 1, 2: 9, 3: 88, 4: 1_510, 5: 17_964,
    }  # fmt: skip


def test_the_digest_of_a_part_names_file_and_part() -> None:
    parts = [EVERYTHING, Part(depth=3), Part(depth=3, whole_provinces=frozenset({GUIZHOU}))]

    assert len({part.digest(datafile.SHIPPED) for part in parts}) == 3
    assert EVERYTHING.digest(datafile.SHIPPED) == Part().digest(datafile.SHIPPED)
