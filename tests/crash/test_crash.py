"""The bounded sweep in a process of its own: forks need a parent without threads or connections."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from fasteners import InterProcessLock

from tests.support.database import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcomes(
    template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """One bounded run, also when workers share these tests.

    Another `CRASH_SEED` in each build makes it meet other points.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    found = folder / "crash.json"
    with InterProcessLock(folder / "crash.lock"):
        if not found.exists():
            command = [sys.executable, "-m", "tests.crash.sweep", "--json", str(found)]
            command += ["--seed", os.environ.get("CRASH_SEED", "1")]
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)
            assert found.exists(), run.stdout + run.stderr
    return {each["name"]: each for each in json.loads(found.read_text())["outcomes"]}


def test_a_node_killed_anywhere_leaves_nothing_lost_doubled_or_stuck(outcomes):
    sweeps = [each for name, each in outcomes.items() if name.startswith("A")]

    assert [each["violations"] for each in sweeps] == [[]] * 10
    assert all(each["kills"] >= 3 for each in sweeps)


def test_three_nodes_racing_and_dying_leave_every_ticket_as_one_would(outcomes):
    race = outcomes["B, three nodes"]

    assert race["violations"] == []
    assert race["kills"] > 0


@pytest.mark.parametrize("story", ["late", "late overnight"])
def test_three_schedulers_racing_and_dying_take_each_step_of_a_time_limit_once(outcomes, story):
    race = outcomes[f"C, three schedulers, {story}"]

    assert race["violations"] == []
    assert race["kills"] > 0


@pytest.mark.parametrize(
    "mutant", ["send after the commit", "finish before the step", "lock nothing"]
)
def test_a_planted_bug_is_seen(outcomes, mutant):
    assert outcomes[f"mutant: {mutant}"]["violations"]
