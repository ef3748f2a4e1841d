"""What a holiday file may look like, and how each mistake in it is named."""

import json
from datetime import date

import pytest

from app.core.errors import Invalid
from app.deadlines import calendar_file
from app.deadlines.calendar import Period
from app.deadlines.calendar_file import difference, hours_of, read, year_problems
from app.deadlines.published import FESTIVALS, Day, years

CSV = "date,kind,name\n2027-01-01,off,元旦\n2027-01-03,班,元旦\n"


def rules(text: str) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read(text)
    return {(each.field, each.rule) for each in refused.value.errors}


def hour_rules(*rows: object) -> set[str]:
    with pytest.raises(Invalid) as refused:
        hours_of(rows)  # type: ignore[arg-type]
    return {each.rule for each in refused.value.errors}


def test_csv_and_json_say_the_same() -> None:
    wanted = (Day(date(2027, 1, 1), False, "元旦"), Day(date(2027, 1, 3), True, "元旦"))
    rows = [
        {"date": str(d.day), "kind": "work" if d.works else "off", "name": "元旦"} for d in wanted
    ]

    assert read("\ufeff" + CSV).days == wanted
    assert read("日期,类型,名称\n2027-01-01,放假,元旦\n2027-01-03,上班,元旦\n").days == wanted
    assert read(json.dumps({"days": list(reversed(rows))})).days == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {("file", "columns")}),
        ("date,name\n2027-01-01,元旦", {("file", "columns")}),
        ("{", {("file", "json")}),
        ('{"days": 1}', {("file", "json")}),
        ('{"days": [], "hours": []}', {("file", "json")}),
        ('{"days": ["2027-01-01"]}', {("days[0]", "form")}),
        ("x" * 200_001, {("file", "size")}),
        (CSV + f"2027-02-05,off,{'春' * 131_073}\n", {("file", "csv")}),
        (f'date,kind,name\n2027-02-05,off,"{"x" * 140_000}', {("file", "csv")}),
        ('{"hours": [{"periods": [[8, 12]]}]}', {("hours[0]", "form")}),
        ('{"hours": [{"periods": [["8:30", null]]}]}', {("hours[0]", "form")}),
        ('{"hours": [{"periods": 8}]}', {("hours[0]", "form")}),
        (f'{{"hours": [{",".join(["{}"] * 60_000)}]}}', {("hours", "many")}),
        (
            '{"days": [{"date": ["2027-01-01"], "kind": {}}]}',
            {("days[0].date", "date"), ("days[0].kind", "kind")},
        ),
        (CSV + "2027-01-01,off,元旦\n", {("2027-01-01", "duplicate")}),
        (
            "date,kind,name\n2027-02-30,off,\n2027-01-01,maybe,\n,,\n",
            {
                ("days[0].date", "date"),
                ("days[1].kind", "kind"),
                ("days[2].date", "date"),
                ("days[2].kind", "kind"),
            },
        ),
    ],
)
def test_each_wrong_row_is_named(text: str, found: set[tuple[str, str]]) -> None:
    assert rules(text) == found


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        ([{"periods": [["12:00", "08:30"]]}], {"reversed"}),
        ([{"periods": [["08:30", "24:01"]]}], {"reversed"}),
        ([{"periods": [["08:30", "12:00"], ["11:30", "18:00"]]}], {"overlap"}),
        ([{"periods": [["14:30", "18:00"], ["08:30", "12:00"]]}], {"order"}),
        ([{"periods": []}], {"empty"}),
        ([{"periods": [["8 o'clock", "12:00"]]}], {"form"}),
        ([{"periods": [["08:30", "12:61"]]}], {"form"}),
        ([{"periods": [[8, 12]]}], {"form"}),
        ([{"periods": [["08:30", None]]}], {"form"}),
        ([{"periods": [["08:30"]]}], {"form"}),
        ([{"from": ["05-01"], "periods": [["08:30", "12:00"]]}], {"form"}),
        ([{"from": "13-01", "periods": [["08:30", "12:00"]]}], {"form"}),
        (["always"], {"empty"}),
        (
            [
                {"from": "05-01", "until": "10-01", "periods": [["08:30", "12:00"]]},
                {"from": "10-01", "until": "04-30", "periods": [["09:00", "12:00"]]},
            ],
            {"overlap"},
        ),
    ],
)
def test_impossible_working_hours_are_refused(hours: list[object], found: set[str]) -> None:
    assert hour_rules(*hours) == found


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("", True),
        ("\ufeff \r\n\n", True),
        ("date,kind,name", True),
        (" date , kind\n\n", True),
        ("日期,类型,名称", True),
        (CSV, False),
        ("nonsense", False),
        ("2027-01-01,off,元旦", False),
        ('{"days": [{"date": "2027-01-01", "kind": "off"}]}', False),
        ('{"days": []}', False),
    ],
)
def test_only_no_text_and_the_names_of_the_columns_say_nothing(text: str, blank: bool) -> None:
    assert calendar_file.is_blank(text) is blank


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_ends_of_every_system_are_understood(end: str) -> None:
    assert read(CSV.replace("\n", end)).days == read(CSV).days


def test_hours_survive_being_written_and_read() -> None:
    row = {"from": "10-01", "until": "04-30", "periods": [["10:00", "13:30"], ["15:30", "19:30"]]}

    (hours,) = hours_of([row])

    assert hours.periods[0] == Period(600, 810)
    assert hours.apply_on(date(2027, 1, 1))
    assert not hours.apply_on(date(2027, 6, 1))
    assert calendar_file.hours_as_data(hours) == row


@pytest.mark.parametrize("year", range(2024, 2027))
def test_the_published_tables_are_whole(year: int) -> None:
    assert year_problems(year, years()[year].days) == []


@pytest.mark.parametrize("name", FESTIVALS)
def test_a_table_without_a_festival_has_a_gap(name: str) -> None:
    days = [day for day in years()[2026].days if day.name != name]

    assert name in {each.field for each in year_problems(2026, days) if each.rule == "gap"}


@pytest.mark.parametrize(
    ("missing", "rule"),
    [("2026-10-02", "gap"), ("2026-02-18", "gap"), ("2026-05-04", "gap")],
)
def test_a_hole_within_a_festival_is_found(missing: str, rule: str) -> None:
    days = [day for day in years()[2026].days if str(day.day) != missing]

    assert {(each.field, each.rule) for each in year_problems(2026, days)} >= {(missing, rule)}


def test_days_of_another_year_and_make_up_days_in_the_week_are_refused() -> None:
    days = [
        *years()[2026].days,
        Day(date(2027, 1, 2), False, "元旦"),
        Day(date(2026, 11, 24), True, "国庆节"),
    ]

    found = {(each.field, each.rule) for each in year_problems(2026, days)}

    assert found == {("2027-01-02", "year"), ("2026-11-24", "make_up")}


def test_a_difference_lists_what_an_import_would_change() -> None:
    old = [Day(date(2027, 1, 1), False, "元旦"), Day(date(2027, 2, 5), False, "春节")]
    new = [Day(date(2027, 1, 1), False, "元旦"), Day(date(2027, 2, 6), False, "春节"),
           Day(date(2027, 2, 5), True, "春节")]  # fmt: skip

    assert difference(old, new) == {
        "added": ["2027-02-06 放假 春节"],
        "removed": [],
        "changed": ["2027-02-05 放假 春节 → 2027-02-05 上班 春节"],
    }
