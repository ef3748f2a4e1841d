"""`flask deadlines` and `flask calendar`, as an operator types them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import cli_deadlines
from app.core.clock import now as system_now
from app.core.db import transact
from app.deadlines import calendars, policies, recompute
from tests.integration.deadlines.conftest import ADMIN, Room, at
from tests.integration.deadlines.test_editing import table_2027

pytestmark = pytest.mark.usefixtures("context", "edited")


REFUSALS = {(1, SystemExit), (2, SystemExit)}
"""A refusal ends the command; an exception that nobody caught would be of another type."""


def run(app: Flask, command: Any, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(command, arguments)


def trial(app: Flask, *arguments: str) -> dict[str, Any]:
    result = run(app, cli_deadlines.deadlines, "trial", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def due(found: dict[str, Any]) -> dict[str, str]:
    return {each["stage"]: each["due_at"] for each in found["deadlines"]}


def file_2027(folder: Path) -> str:
    rows = [f"{d.day},{'work' if d.works else 'off'},{d.name}" for d in table_2027()]
    file = folder / "2027.csv"
    file.write_text("date,kind,name\n" + "\n".join(rows), "utf-8")
    return str(file)


def test_a_trial_prints_every_due_date_with_its_rule(app: Flask) -> None:
    found = trial(app, "--type", "complaint", "--at", "2026-02-13T10:00+08:00")

    assert due(found)["total"] == "2026-03-12T18:00:00+08:00"
    assert due(found)["handle"] == "2026-03-10T18:00:00+08:00"
    assert len(found["deadlines"]) == 11
    assert all(each["basis"] and each["limit"] and each["law"] for each in found["deadlines"])
    assert found["policy"] == "1"


@pytest.mark.parametrize(
    ("arguments", "total"),
    [
        (("--type", "consultation", "--at", "2026-11-24T09:30"), "2026-11-26"),
        (("--type", "consultation", "--at", "2026-11-24T09:30", "--level", "county"), "2026-12-01"),
        (("--type", "suggestion", "--at", "2026-11-24T10:00:01Z"), "2026-12-09"),
        (("--type", "complaint", "--at", "2026-11-23T09:00", "--source", "letter"), "2027-01-22"),
        (
            ("--type", "complaint", "--at", "2026-11-23T09:00", "--requested", "2026-12-01"),
            "2026-12-01",
        ),
    ],
)
def test_a_trial_asks_what_a_policy_asks(
    app: Flask, arguments: tuple[str, ...], total: str
) -> None:
    assert due(trial(app, *arguments))["total"] == f"{total}T18:00:00+08:00"


def test_a_trial_of_a_province_uses_its_policy(app: Flask) -> None:
    lines = {"limits": {"total": {"suggestion": "12wd"}}}
    transact(
        lambda: policies.save(
            "520000000000", lines, follows=0, reason="", actor=ADMIN, now=system_now()
        )
    )
    asked = ("--type", "suggestion", "--at", "2026-11-24T09:30")

    assert due(trial(app, *asked, "--province", "520000"))["total"][:10] == "2026-12-10"
    assert due(trial(app, *asked))["total"][:10] == "2026-12-08"


def test_a_province_s_lines_are_shown_first_and_then_apply_to_new_tickets(
    app: Flask, tmp_path: Path, room: Room, rooms: type[Room]
) -> None:
    file = tmp_path / "guizhou.toml"
    file.write_text('[limits.total]\nsuggestion = "12wd"\n', "utf-8")
    room.open(kind="suggestion")
    asked = ("policy", "520000", "--file", str(file))

    shown = run(app, cli_deadlines.deadlines, *asked)
    assert shown.output.startswith("limits.total.suggestion：10wd → 12wd\n未写入")
    written = run(app, cli_deadlines.deadlines, *asked, "--apply", "--reason", "省里规定")
    later = rooms()
    later.open(kind="suggestion")

    assert written.exit_code == 0, written.output
    assert (room.due(), later.due()) == (at("2026-12-08 18:00"), at("2026-12-10 18:00"))
    told = json.loads(run(app, cli_deadlines.deadlines, "policy", "520000").output)
    assert told["limits"]["total"]["suggestion"] == "12wd"


@pytest.mark.parametrize(
    ("text", "scope", "told"),
    [
        ('[limits.total]\nsuggestion = "1wd"\n', "national", "超过总时限"),
        ('[limits.siesta]\nany = "1wd"\n', "national", "没有名为 siesta 的环节"),
        ("[limits", "national", "不是有效的 TOML"),
        ('[limits.total]\nsuggestion = "12wd"\n', "990000", "没有行政区划"),
    ],
)
def test_a_wrong_policy_file_is_refused_and_the_old_policy_stays(
    app: Flask, tmp_path: Path, text: str, scope: str, told: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text, "utf-8")

    result = run(app, cli_deadlines.deadlines, "policy", scope, "--file", str(file), "--apply")

    assert result.exit_code != 0
    assert told in result.output
    assert json.loads(run(app, cli_deadlines.deadlines, "policy").output)["version"] == "1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--type", "complaint", "--at", "yesterday"),
        ("--type", "complaint", "--at", "2026-11-24", "--requested", "soon"),
        ("--type", "complaint", "--at", "2026-11-24", "--province", "990000"),
        ("--type", "praise", "--at", "2026-11-24"),
        ("--type", "complaint", "--at", "9999-12-31T10:00"),
        ("--type", "complaint", "--at", "0001-01-01T00:00"),
        ("--type", "complaint", "--at", "2009-12-31T23:59"),
        ("--type", "complaint", "--at", "2060-01-01T00:00"),
    ],
)
def test_a_trial_of_nonsense_says_so(app: Flask, arguments: tuple[str, ...]) -> None:
    result = run(app, cli_deadlines.deadlines, "trial", *arguments)

    assert (result.exit_code, type(result.exception)) in REFUSALS
    assert result.output


@pytest.mark.parametrize(
    ("received", "wanted", "adjusted"),
    [
        ("2059-12-31T10:00", "9999-12-31", True),
        ("2010-01-01T10:00", "0001-01-01", True),
        ("2059-12-31T10:00", "2060-03-01", False),
    ],
)
def test_a_trial_counts_at_the_ends_of_its_years(
    app: Flask, received: str, wanted: str, adjusted: bool
) -> None:
    found = trial(app, "--type", "complaint", "--at", received, "--requested", wanted)

    assert found["deadlines"][0]["adjusted"] is adjusted


@pytest.mark.parametrize("year", ["-1", "0", "1", "2003", "2060", "99999999999"])
def test_a_calendar_of_no_such_year_is_refused(app: Flask, tmp_path: Path, year: str) -> None:
    asked = ("import", file_2027(tmp_path), "--year", year)

    for arguments in (("show", "--", year), asked):
        result = run(app, cli_deadlines.calendar, *arguments)
        assert (result.exit_code, type(result.exception)) in REFUSALS


def test_an_import_shows_the_difference_first_and_recomputes_when_applied(
    app: Flask, room: Room, tmp_path: Path
) -> None:
    room.open("2026-12-28 10:00", kind="consultation", delegated=True)
    file = file_2027(tmp_path)

    shown = run(app, cli_deadlines.calendar, "import", file, "--year", "2027")

    assert "新增  2027-01-04 放假 元旦" in shown.output
    assert "未写入" in shown.output
    assert calendars.years()[2027].status == "estimated"

    applied = run(app, cli_deadlines.calendar, "import", file, "--year", "2027", "--apply")
    done = run(app, cli_deadlines.deadlines, "recompute", "--reason", "2027 年安排")

    assert applied.exit_code == done.exit_code == 0, applied.output + done.output
    assert room.due() == at("2027-01-06 18:00")
    assert recompute.running() == []
    year = json.loads(run(app, cli_deadlines.calendar, "show", "2027").output)
    assert (year["status"], year["source"]) == ("official", "2027.csv")


def test_a_division_s_hours_are_imported_and_shown(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "xinjiang.json"
    file.write_text(json.dumps({"hours": [{"periods": [["10:00", "14:00"], ["16:00", "20:00"]]}]}))
    where = ("--division", "650000000000")

    result = run(app, cli_deadlines.calendar, "import", str(file), *where, "--apply")

    assert "变更  作息时间 同上级 →" in result.output
    shown = json.loads(run(app, cli_deadlines.calendar, "show", "2026", *where).output)
    assert shown["hours"][0]["periods"] == [["10:00", "14:00"], ["16:00", "20:00"]]
    assert shown["working_days"] == 248


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("date,kind,name\n2027-01-01,off,元旦", ("--year", "2027"), "缺少春节"),
        ("date,kind,name\n2027-01-01,siesta,", ("--year", "2027"), "kind 应为"),
        ("date,kind,name\n2027-01-01,off,", (), "须且只须指定一个"),
        ('{"hours": [{"periods": [["18:00", "08:00"]]}]}', ("--division", "65"), "颠倒"),
    ],
)
def test_a_wrong_file_is_refused_with_every_reason(
    app: Flask, tmp_path: Path, text: str, arguments: tuple[str, ...], told: str
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(text, "utf-8")

    result = run(app, cli_deadlines.calendar, "import", str(file), *arguments, "--apply")

    assert result.exit_code == 1
    assert told in result.output


def test_a_file_of_another_encoding_is_refused(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "gbk.csv"
    file.write_bytes("date,kind,name\n2027-01-01,off,元旦".encode("gbk"))

    result = run(app, cli_deadlines.calendar, "import", str(file), "--year", "2027")

    assert (result.exit_code, "UTF-8" in result.output) == (1, True)


def test_every_year_can_be_shown(app: Flask) -> None:
    for year, status in ((2026, "official"), (2027, "estimated"), (2059, "none")):
        assert (
            json.loads(run(app, cli_deadlines.calendar, "show", str(year)).output)["status"]
            == status
        )
