"""Writes the generated parts of the documents, between their markers; `--check` compares only.

    <!-- generated: handlers -->
    …
    <!-- end generated -->

A list in a document has either been made here or is held against the code by
`tests/architecture/test_documents.py`, so that it cannot drift.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.database import ROOT
from tests.support.openapi import offline_app
from tests.support.reference_lists import LISTS

_PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end generated -->)",
    re.DOTALL,
)


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def names_in(text: str) -> list[str]:
    """Generated parts of one document."""
    return [found["name"] for found in _PART.finditer(text)]


def refreshed(text: str) -> str:
    """The document with its generated parts made anew. KeyError for a list nobody makes."""
    return _PART.sub(lambda m: f"{m['begin']}{LISTS[m['name']]()}\n{m['end']}", text)


def stale() -> Iterator[Path]:
    """Documents whose generated parts differ from the code; call it inside `offline_app`."""
    for file in documents():
        text = file.read_text()
        if refreshed(text) != text:
            yield file


def main(arguments: list[str]) -> int:
    """Write or compare; 1 when a comparison fails."""
    with offline_app().app_context():
        files = list(stale())
        if "--check" in arguments:
            for file in files:
                print(f"out of date, run: make docs ({file.relative_to(ROOT)})", file=sys.stderr)
            return 1 if files else 0
        for file in files:
            file.write_text(refreshed(file.read_text()))
            print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
