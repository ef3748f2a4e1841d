"""What the suite needs beyond `pip install`: a Chromium with Chinese glyphs, for the browser tests.

`python -m tests.support.requirements` says what is missing and how to get it, and exits with 1, so
that `make test` stops before half an hour of tests and not at their end.
"""

import os
import subprocess
import sys
from pathlib import Path

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
"""Debian's package puts it there; `CHROMIUM` names another one."""

INSTALL = "apt-get install chromium fonts-noto-cjk"


def missing(chromium: Path = CHROMIUM) -> list[str]:
    """What is not there and how to get it, in Chinese and English; empty when all is well."""
    if not os.access(chromium, os.X_OK):
        return [
            f"缺少浏览器 {chromium}：请安装 Debian 的 chromium，或用环境变量 CHROMIUM 指定路径。\n"
            f"No browser at {chromium}: install Debian's chromium, or name one in CHROMIUM.\n"
            f"  {INSTALL}"
        ]
    return []


def version(chromium: Path = CHROMIUM) -> str:
    """What the browser says of itself; it fails here when its libraries are missing."""
    asked = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def main() -> int:
    """Report, and 1 when something is missing."""
    lines = missing()
    for line in lines:
        print(line, file=sys.stderr)
    if not lines:
        print(version())
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
