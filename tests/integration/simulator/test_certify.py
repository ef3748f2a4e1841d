"""The certification kit: green against who keeps the contract, red for the one broken clause."""

import itertools
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from click.testing import CliRunner
from flask import Flask, jsonify, request

from app.core import clock
from app.simulator.certify import callbacks, report
from app.simulator.certify.clauses import FAILED, PASSED, SKIPPED, Finding, Trial, certify
from app.simulator.certify.command import certify_partner
from app.simulator.certify.line import Line
from tests.support.database import ROOT
from tests.support.flawed import APP_ID, FLAWS, PATIENCE, SECRET, flawed
from tests.support.journey import serving

_numbers = itertools.count(1)


def tried(flaw: str = "") -> list[Finding]:
    with serving(flawed(flaw)) as url, Line(f"{url}/callbacks", APP_ID, SECRET) as line:
        trial = Trial(line, lambda: f"N{next(_numbers)}", patience=PATIENCE)
        return certify(callbacks.CLAUSES, trial)


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {finding.clause.no: finding.verdict for finding in findings}


def test_every_clause_has_a_number_of_its_own_in_order() -> None:
    numbers = [clause.no for clause in callbacks.CLAUSES]
    assert numbers == sorted(set(numbers))
    assert set(FLAWS.values()) | {f"1.{n}" for n in range(1, 10)} == set(numbers)


def test_a_platform_that_keeps_the_contract_passes_every_clause() -> None:
    assert set(verdicts(tried()).values()) == {PASSED}


@pytest.mark.parametrize(("flaw", "clause"), FLAWS.items())
def test_a_broken_promise_turns_exactly_its_clause_red(flaw: str, clause: str) -> None:
    findings = tried(flaw)
    assert [no for no, verdict in verdicts(findings).items() if verdict == FAILED] == [clause]
    reason = next(finding.reason for finding in findings if finding.verdict == FAILED)
    assert "应" in reason


def test_what_rests_on_a_broken_clause_is_not_tried() -> None:
    found = verdicts(tried("gives no receipt"))
    assert {no for no, verdict in found.items() if verdict == SKIPPED} == {"5.1", "5.2", "5.3"}


def test_a_platform_that_does_not_answer_fails_and_the_run_ends() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        with Line(f"http://127.0.0.1:{taken.getsockname()[1]}", APP_ID, SECRET) as line:
            findings = certify(callbacks.CLAUSES, Trial(line, lambda: "N"))
    assert PASSED not in verdicts(findings).values()
    assert "无法连接" in findings[0].reason


def test_the_reports_show_each_clause_and_neither_secret_nor_contents() -> None:
    findings = tried("refuses with a page")
    at = clock.now()
    subject = report.Subject("符合性报告", "https://<b>.example", APP_ID, "HMAC-SM3", at)
    page = report.html(subject, findings)
    xml = report.junit(subject, findings)
    for clause in callbacks.CLAUSES:
        assert clause.title in page
        assert clause.no in page
    assert "https://&lt;b&gt;.example" in page
    for hidden in (SECRET, "13800001299", "测试人员", "X-Signature"):
        assert hidden not in page
        assert hidden not in xml.decode()
    suite = ElementTree.fromstring(xml)[0]
    assert [(case.get("name") or "")[:3] for case in suite if case.find("failure") is not None] == [
        "4.3"
    ]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(findings)), "1")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(150):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SM3"])
def test_our_own_simulator_as_a_process_is_certified(method: str, tmp_path: Path) -> None:
    port = _free_port()
    simulator = subprocess.Popen(
        [
            *(sys.executable, "-m", "app.simulator", "--port", str(port), "--app-id", APP_ID),
            *("--journal", str(tmp_path / "journal.jsonl")),
        ],
        cwd=ROOT,
        env={**os.environ, "SIMULATOR_SECRET": SECRET},
    )
    try:
        _wait_for(port)
        page, xml = tmp_path / "report.html", tmp_path / "report.xml"
        run = CliRunner().invoke(
            certify_partner,
            [
                *("--url", f"http://127.0.0.1:{port}/api", "--app-id", APP_ID),
                *("--sign-method", method, "--html", str(page), "--junit", str(xml)),
            ],
            env={"CERTIFY_SECRET": SECRET},
        )
    finally:
        simulator.terminate()
        simulator.wait(10)
    assert run.exit_code == 0, run.output
    assert "不符合0条" in run.output
    assert ElementTree.parse(xml).getroot()[0].get("failures") == "0"
    assert "符合" in page.read_text()


def test_the_command_asks_for_the_secret_and_ends_with_1_when_a_clause_is_broken() -> None:
    with serving(flawed("gives no receipt")) as url:
        run = CliRunner().invoke(
            certify_partner,
            ["--url", f"{url}/callbacks", "--app-id", APP_ID],
            input=f"{SECRET}\n",
            env={"CERTIFY_SECRET": ""},
        )
    assert run.exit_code == 1
    assert SECRET not in run.output
    assert "2.2\t不符合" in run.output


def test_an_address_with_parameters_is_refused_before_anything_is_sent() -> None:
    given = ["--url", "https://a.example/x?y=1", "--app-id", APP_ID]
    run = CliRunner().invoke(certify_partner, given, env={"CERTIFY_SECRET": SECRET})
    assert run.exit_code == 2


def test_a_platform_is_tried_at_its_own_paths_and_in_its_own_words(tmp_path: Path) -> None:
    heard: dict[str, dict[str, Any]] = {}
    app = Flask("own words")

    @app.post("/<path:path>")
    def receive(path: str) -> Any:
        heard[path] = request.get_json(silent=True)
        return jsonify(code="0", message="成功", data={"receipt_no": "R-1"})

    profile = tmp_path / "profile.json"
    names = {"acceptance_no": "slbh", "is_anonymous": "sfnm", "name": "xm"}
    said = {"paths": {"results/complaints": "jg/ts"}, "field_names": names}
    profile.write_bytes(orjson.dumps({**said, "boolean_mapping": {"1": True, "0": False}}))
    with serving(app) as url:
        given = ["--url", url, "--app-id", APP_ID, "--profile", str(profile)]
        CliRunner().invoke(certify_partner, given, env={"CERTIFY_SECRET": SECRET})
    assert "results/complaints" not in heard
    assert heard["jg/ts"]["investigators"][0]["xm"]
    assert heard["ticket-copies"]["sfnm"] == "1"
    assert heard["ticket-copies"]["slbh"]


@pytest.mark.parametrize(
    "said", ["[]", "{", '{"paths": {"nothing": "x"}}', '{"enabled": true}', '{"other": 1}']
)
def test_a_profile_that_makes_no_sense_is_refused(said: str, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(said)
    given = ["--url", "https://a.example", "--app-id", APP_ID, "--profile", str(profile)]
    run = CliRunner().invoke(certify_partner, given, env={"CERTIFY_SECRET": SECRET})
    assert run.exit_code == 2
    assert "--profile" in run.output
