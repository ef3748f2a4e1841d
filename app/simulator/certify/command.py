"""`flask simulator certify`: try the contract against a partner's endpoint, or against ours."""

import os
import sys
import uuid
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from app.core import clock
from app.core.errors import Invalid
from app.exchange import partners
from app.exchange.signature import ALGORITHMS
from app.simulator.certify import callbacks, platform, report
from app.simulator.certify.clauses import FAILED, Dialect, Finding, Trial, certify, tally
from app.simulator.certify.line import Line

SIDES = {
    "partner": ("12345平台回调接口符合性报告", callbacks.CLAUSES),
    "platform": ("12317平台开放接口符合性报告", platform.CLAUSES),
}
"""Who is tried: the title of the report, and the clauses."""


@click.command("certify")
@click.option("--url", required=True, help="12345 平台的回调地址，或 12317 平台的地址")
@click.option("--against", default="partner", type=click.Choice(list(SIDES)), help="检验哪一方")
@click.option("--app-id", required=True)
@click.option("--sign-method", default="HMAC-SHA256", type=click.Choice(list(ALGORITHMS)))
@click.option("--province", default="520000", help="检验 12317 时的省级编码六位")
@click.option(
    "--profile",
    default=None,
    type=click.File("rb"),
    help="JSON：档案中的 paths、field_names、boolean_mapping",
)
@click.option("--seconds", default=10.0, help="应答须在几秒内开始")
@click.option("--html", default=None, type=click.Path(path_type=Path), help="报告网页")
@click.option("--junit", default=None, type=click.Path(path_type=Path), help="报告 JUnit XML")
def certify_partner(
    url: str,
    against: str,
    app_id: str,
    sign_method: str,
    province: str,
    profile: BinaryIO | None,
    seconds: float,
    html: Path | None,
    junit: Path | None,
) -> None:
    """Try every clause of the contract; the secret is asked for, or read from CERTIFY_SECRET.

    Ends with 1 when a clause does not hold.
    """
    secret = os.environ.get("CERTIFY_SECRET") or click.prompt("密钥", hide_input=True)
    title, clauses = SIDES[against]
    try:
        # The other side has twice the limit, so that being late is told apart from being silent.
        line = Line(url, app_id, secret, sign_method=sign_method, patience=2 * seconds)
    except ValueError:
        raise click.BadParameter("应为http(s)://主机/路径，不带参数", param_hint="--url") from None
    at = clock.now().astimezone(clock.BEIJING)
    subject = report.Subject(title, url, app_id, sign_method, at)
    dialect = _dialect(profile.read()) if profile else Dialect()
    with line:
        findings = certify(clauses, Trial(line, _number, province, seconds, dialect))
    if html:
        html.write_text(report.html(subject, findings), encoding="utf-8")
    if junit:
        junit.write_bytes(report.junit(subject, findings))
    _print(findings)
    if tally(findings)[FAILED]:
        sys.exit(1)


def _dialect(raw: bytes) -> Dialect:
    """What the file says, refused as the page of the profile would refuse it."""
    try:
        said = orjson.loads(raw)
        partners.check(said)
        return Dialect(**said)
    except (ValueError, TypeError, AttributeError):
        told = "应为JSON对象，只含paths、field_names、boolean_mapping"
    except Invalid as refusal:
        told = "；".join(f"{error.field}：{error.message}" for error in refusal.errors)
    raise click.BadParameter(told, param_hint="--profile")


def _number() -> str:
    return f"CERT-{uuid.uuid4().hex[:16]}"


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        reason = f"：{finding.reason}" if finding.reason else ""
        click.echo(f"{finding.clause.no}\t{finding.title}\t{finding.clause.title}{reason}")
    counts = tally(findings)
    click.echo(f"共{len(findings)}条，不符合{counts[FAILED]}条")
