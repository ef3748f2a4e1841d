"""The report of a certification run: a page to read and JUnit XML for a build server."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader

from app.simulator.certify.clauses import FAILED, SKIPPED, VERDICTS, Finding, tally

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True)
class Subject:
    """Who was tried, when, and against which half of the contract."""

    title: str
    url: str
    app_id: str
    sign_method: str
    at: datetime


def html(subject: Subject, findings: Sequence[Finding]) -> str:
    """One page without scripts or outside files; every text of the other side is escaped."""
    pages = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    pages.filters["pretty"] = _pretty
    return pages.get_template("certificate.html").render(
        subject=subject, findings=findings, tally=tally(findings), verdicts=VERDICTS
    )


def junit(subject: Subject, findings: Sequence[Finding]) -> bytes:
    """A test case a clause, named by its number and title."""
    counts = tally(findings)
    suite = ElementTree.Element(
        "testsuite",
        name=f"{subject.title} {subject.app_id}",
        tests=str(len(findings)),
        failures=str(counts[FAILED]),
        errors="0",
        skipped=str(counts[SKIPPED]),
        time=f"{sum(finding.seconds for finding in findings):.3f}",
        timestamp=subject.at.isoformat(timespec="seconds"),
    )
    for finding in findings:
        clause = finding.clause
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"12317.{subject.app_id}",
            name=f"{clause.no} {clause.title}",
            time=f"{finding.seconds:.3f}",
        )
        if finding.verdict == FAILED:
            failure = ElementTree.SubElement(case, "failure", message=_plain(finding.reason))
            failure.text = _plain("\n".join(f"{e.sent} → {e.received}" for e in finding.exchanges))
        elif finding.verdict == SKIPPED:
            ElementTree.SubElement(case, "skipped", message=_plain(finding.reason))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _plain(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
