"""The house itself: rooms import downwards, no module grows too long."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.database import ROOT

MODULES = sorted((ROOT / "app").rglob("*.py"))
LONGEST = 400


def test_rooms_import_downwards_only() -> None:
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]

    done = subprocess.run(
        [*lint, "--config", "setup.cfg", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_stays_short(module: Path) -> None:
    source = module.read_text()

    assert len(source.splitlines()) <= LONGEST
    assert source == "" or source.startswith('"""')
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", source)
