"""Two versions of a report side by side: what is the same, what is marked."""

import pytest

from app.ui.compare import Piece, compared

SAME = "已电话告知核实情况。"


@pytest.mark.parametrize(
    ("left", "right", "lefts", "rights"),
    [
        (SAME, SAME, [(SAME, False)], [(SAME, False)]),
        ("", "", [], []),
        (
            "补发1000元",
            "补发2000元",
            [("补发", False), ("1", True), ("000元", False)],
            [("补发", False), ("2", True), ("000元", False)],
        ),
        (
            "已告知",
            "已当面告知",
            [("已", False), ("告知", False)],
            [("已", False), ("当面", True), ("告知", False)],
        ),
        ("甲乙丙丁", "子丑寅卯", [("甲乙丙丁", True)], [("子丑寅卯", True)]),
        ("", "新增", [], [("新增", True)]),
        ("删去", "", [("删去", True)], []),
        ("字" * 4001, "字", [("字" * 4001, True)], [("字", True)]),
    ],
)
def test_differences_are_marked_and_nothing_is_lost(
    left: str, right: str, lefts: list[Piece], rights: list[Piece]
) -> None:
    (row,) = compared([("处理意见", left)], [("处理意见", right)])

    assert (row.left, row.right) == (lefts, rights)
    assert row.changed is (left != right)
    assert "".join(text for text, _ in row.left) == left
    assert "".join(text for text, _ in row.right) == right


def test_a_fact_that_only_one_version_has_stands_beside_nothing() -> None:
    rows = compared([("附件", "甲.docx"), ("旧项", "有")], [("附件", "甲.docx"), ("新项", "有")])

    assert [(row.label, row.changed) for row in rows] == [
        ("附件", False),
        ("新项", True),
        ("旧项", True),
    ]
