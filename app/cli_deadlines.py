"""`flask deadlines` and `flask calendar`: try due dates out, import holidays, compute anew."""

import json
import sys
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.core import clock
from app.core.clock import BEIJING
from app.core.db import transact
from app.core.errors import HotlineError
from app.deadlines import calendar_file, calendars, plan, policies, recompute
from app.deadlines.calendar import Calendar, Hours
from app.deadlines.plan import Facts
from app.deadlines.policy import SOURCES, TYPES
from app.deadlines.published import EARLIEST, FIRST, LAST, LATEST, Day
from app.divisions import queries as divisions
from app.engine.registry import Actor
from app.workqueue import services as workqueue

ACTOR = Actor(None, "命令行")
_YEARS = click.IntRange(FIRST, LAST)

deadlines = AppGroup("deadlines", help="时限：试算、重新计算")
calendar = AppGroup("calendar", help="工作日历：导入、查看")


@deadlines.command("trial")
@click.option("--type", "ticket_type", type=click.Choice(TYPES), required=True, help="工单类型")
@click.option("--at", "received", required=True, help="收到时间，如 2026-02-13T10:00+08:00")
@click.option("--province", default=None, help="省级编码六位或十二位，用该省的政策与日历")
@click.option("--source", type=click.Choice(sorted(SOURCES)), default="p12345_api", help="来源")
@click.option(
    "--level",
    type=click.Choice(["province", "city", "county"]),
    default=None,
    help="办理层级；默认咨询由省级答复，其余由县级办理",
)
@click.option(
    "--final-audit", type=click.Choice(["province", "city"]), default="province", help="终审层级"
)
@click.option("--urgent", is_flag=True, help="紧急")
@click.option("--requested", default=None, help="来件要求的办结日期，如 2026-03-01")
def trial(
    ticket_type: str,
    received: str,
    province: str | None,
    source: str,
    level: str | None,
    final_audit: str,
    urgent: bool,
    requested: str | None,
) -> None:
    """Print every due date of such a ticket as JSON, each with its rule (试算)."""
    level = level or ("province" if ticket_type == "consultation" else "county")
    facts = Facts(
        ticket_type,
        source,
        _moment(received),
        urgent=urgent,
        delegated=level != "province",
        level=level,
        final_audit=final_audit,
        requested=_day(requested) if requested else None,
    )
    code = province.ljust(12, "0") if province else calendars.NATION

    def work() -> dict[str, Any]:
        if province and divisions.get(code) is None:
            raise click.BadParameter(f"没有行政区划 {province}")
        policy, days = policies.current(code or policies.NATIONAL), calendars.of(code)
        found = plan.compute(facts, policy, days)
        return {
            "type": ticket_type,
            "source": source,
            "received_at": facts.received_at.isoformat(),
            "counts_from": days.receipt(facts.received_at).isoformat(),
            "policy": policy.version,
            "deadlines": [_as_data(each) for each in found],
        }

    click.echo(json.dumps(_done(work), ensure_ascii=False, indent=1))


@deadlines.command("recompute")
@click.option("--kind", type=click.Choice(list(recompute.KINDS)), default=recompute.CALENDAR)
@click.option("--reason", required=True, help="写入每个时限的记录")
def recompute_open(kind: str, reason: str) -> None:
    """Compute open deadlines anew; goes on with an interrupted run, schedulers help along."""
    if not _done(recompute.running):
        total = _done(
            lambda: recompute.begin(kind, clock.now(), reason=reason, actor_name=ACTOR.name)
        )
        click.echo(f"{recompute.KINDS[kind]}：{total} 件")
    while True:
        taken = _done(lambda: workqueue.process_database_lane(recompute.LANE, now=clock.now()))
        for each in _done(recompute.running):
            _bar(each.done, each.total)
        if not taken:
            break
    click.echo("已完成")


@deadlines.command("policy")
@click.argument("scope", default=policies.NATIONAL)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="TOML：与默认政策不同的各行",
)
@click.option("--reason", default="导入", help="写入版本记录")
@click.option("--apply", "apply_it", is_flag=True, help="写入；不带此项时只显示差异")
def policy_lines(scope: str, file: Path | None, reason: str, apply_it: bool) -> None:
    """Show a policy (`national` or a province's code), or what a file of its lines would change.

    With --apply the lines are a new version, for new tickets.
    """
    scope = scope if scope == policies.NATIONAL else scope.ljust(12, "0")
    if file is None:
        found = _done(lambda: policies.current(scope))
        click.echo(json.dumps({"version": found.version, **found.values}, ensure_ascii=False))
        return
    try:
        lines = tomllib.loads(file.read_text("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.ClickException(f"不是有效的 TOML：{error}") from None

    def work() -> list[str]:
        if scope != policies.NATIONAL and divisions.get(scope) is None:
            raise click.BadParameter(f"没有行政区划 {scope}")
        shown = policies.preview(scope, lines)
        if apply_it:
            policies.save(
                scope,
                lines,
                follows=policies.latest(scope),
                reason=reason,
                actor=ACTOR,
                now=clock.now(),
            )
        return shown

    for line in _done(work):
        click.echo(line)
    click.echo("已写入，自新工单起生效" if apply_it else "未写入；确认后加 --apply")


@calendar.command("show")
@click.argument("year", type=_YEARS)
@click.option("--division", default=calendars.NATION, help="行政区划编码十二位")
def show(year: int, division: str) -> None:
    """Print the days of a year that differ from their weekday, and the working hours."""

    def work() -> dict[str, Any]:
        table, found = calendars.years().get(year), calendars.of(division)
        return {
            "year": year,
            "status": table.status if table else "none",
            "source": table.source if table else "周一至周五",
            "days": [
                {"date": str(day), "kind": "work" if works else "off"}
                for day, works in sorted(found.days.items())
                if day.year == year
            ],
            "hours": [calendar_file.hours_as_data(each) for each in found.hours],
            "working_days": _working_days(found, year),
        }

    click.echo(json.dumps(_done(work), ensure_ascii=False, indent=1))


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=_YEARS, default=None, help="全国某年的节假日安排")
@click.option("--division", default=None, help="某行政区划自己的假日与作息")
@click.option("--estimated", is_flag=True, help="预估，尚未公布")
@click.option("--source", default="", help="文号或出处")
@click.option("--reason", default="导入", help="写入变更记录")
@click.option("--apply", "apply_it", is_flag=True, help="写入；不带此项时只显示差异")
def import_file(
    file: Path,
    year: int | None,
    division: str | None,
    estimated: bool,
    source: str,
    reason: str,
    apply_it: bool,
) -> None:
    """Show what a CSV or JSON file would change; with --apply, change it and compute anew."""
    if (year is None) == (division is None):
        raise click.ClickException("--year 与 --division 须且只须指定一个")
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException("文件应为 UTF-8 编码") from None

    def work() -> dict[str, Any]:
        sheet = calendar_file.read(text)
        if not apply_it:
            return _difference(year, division, sheet.days, sheet.hours, estimated)
        if year is not None:
            made = calendars.import_year(
                year,
                sheet.days,
                source=source or file.name,
                reason=reason,
                actor=ACTOR,
                now=clock.now(),
                official=not estimated,
            )
        else:
            made = calendars.set_division(
                division or "",
                sheet.days,
                sheet.hours,
                reason=reason,
                actor=ACTOR,
                now=clock.now(),
            )
        recompute.begin(recompute.CALENDAR, clock.now(), reason=reason, actor_name=ACTOR.name)
        return made.difference

    found = _done(work)
    for title, lines in (("新增", "added"), ("删除", "removed"), ("变更", "changed")):
        for line in found[lines]:
            click.echo(f"{title}  {line}")
    click.echo(
        "已写入，未办结工单的时限将在后台重新计算" if apply_it else "未写入；确认后加 --apply"
    )


def _difference(
    year: int | None,
    division: str | None,
    days: Sequence[Day],
    hours: Sequence[Hours],
    estimated: bool,
) -> dict[str, list[str]]:
    if year is not None:
        return calendars.preview_year(year, days, official=not estimated)
    return calendars.preview_division(division or "", days, hours)


def _working_days(found: Calendar, year: int) -> int:
    return found.working_days_between(date(year - 1, 12, 31), date(year, 12, 31))


def _as_data(found: plan.Deadline) -> dict[str, Any]:
    moments = ("start_at", "due_at", "yellow_at", "orange_at")
    return {
        "stage": found.stage,
        "title": found.title,
        **{
            name: getattr(found, name).astimezone(BEIJING).isoformat(timespec="seconds")
            for name in moments
        },
        "limit": found.limit.title if found.limit else None,
        "basis": found.basis,
        "law": found.law,
        "provisional": found.provisional,
        "squeezed": found.squeezed,
        "adjusted": found.adjusted,
    }


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("应为 2026-02-13T10:00+08:00 这样的时间") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
    if not EARLIEST <= moment < LATEST:
        raise click.BadParameter("应在 2010 年至 2059 年之间")
    return moment


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("应为 2026-03-01 这样的日期") from None


def _done(work: Any) -> Any:
    """Run it as one transaction; a refusal becomes a message with every wrong field."""
    try:
        return transact(work)
    except HotlineError as refusal:
        lines = [f"{error.field}：{error.message}" for error in refusal.errors]
        raise click.ClickException("\n".join([refusal.message, *lines])) from None


def _bar(done: int, total: int) -> None:
    if sys.stdout.isatty():
        filled = int(done / total * 40) if total else 40
        print(f"\r  {'█' * filled}{'░' * (40 - filled)} {done:,}/{total:,}", end="", flush=True)
