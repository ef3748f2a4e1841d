"""Code tables: the seed's numbers and labels are the wire format."""

import pytest

from app.tickets import codes

SIZES = {
    "problem_category": 24,
    "poverty_risk": 9,
    "approved": 2,
    "verification_result": 3,
    "caller_category": 3,
    "service_type": 2,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_the_tables_of_the_seed_are_complete(name: str, size: int) -> None:
    table = codes.TABLES[name]

    assert [c.code for c in table.codes] == list(range(1, size + 1))
    assert len({c.label for c in table.codes}) == size


@pytest.mark.parametrize(
    ("number", "label"),
    [
        (1, "防返贫监测帮扶"),
        (3, "危房改造"),
        (8, "贪污腐败"),
        (14, "拖欠农民工工资"),
        (17, "其它"),
        (18, "防返贫监测帮扶：精准识别"),
        (24, "防返贫监测帮扶：其它"),
    ],
)
def test_a_category_is_found_by_number_text_and_label(number: int, label: str) -> None:
    table = codes.PROBLEM_CATEGORY

    assert table.label(number) == label
    assert table.find(number) == table.find(str(number)) == table.find(label) == number


def test_the_late_categories_are_children_of_the_first() -> None:
    parents = {c.code: c.parent for c in codes.PROBLEM_CATEGORY.codes}

    assert all(parents[n] == 1 for n in range(18, 25))
    assert all(parents[n] is None for n in range(1, 18))


@pytest.mark.parametrize("value", [0, 25, -1, "", "0", "危房", "３３"])
def test_other_values_are_no_category(value: int | str) -> None:
    assert codes.PROBLEM_CATEGORY.find(value) is None


def test_an_absent_code_has_an_empty_label() -> None:
    assert codes.VERIFICATION_RESULT.label(None) == ""
    assert codes.VERIFICATION_RESULT.label(2) == "部分属实"
