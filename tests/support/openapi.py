"""Writes `docs/reference/openapi-*.json` from the routes, without a database.

`--check` writes nothing and exits with 1 when a committed document differs.
"""

import sys
from pathlib import Path

from flask import Flask

from app.cli import openapi_documents
from app.factory import create_app
from tests.conftest import make_settings
from tests.support.database import ROOT

REFERENCE = ROOT / "docs" / "reference"


def offline_app() -> Flask:
    """The application with nothing behind it: enough to ask its routes and registries."""
    return create_app(make_settings("postgresql+psycopg://nowhere/none", Path("/nonexistent")))


def stale(folder: Path = REFERENCE) -> list[str]:
    """Names of committed documents that the routes no longer agree with."""
    return [
        name
        for name, text in openapi_documents(offline_app()).items()
        if not (folder / name).is_file() or (folder / name).read_text() != text
    ]


def main(arguments: list[str]) -> int:
    """Write both documents, or compare them."""
    if "--check" in arguments:
        names = stale()
        if names:
            print(f"out of date, run: make openapi ({', '.join(names)})", file=sys.stderr)
        return 1 if names else 0
    for name, text in openapi_documents(offline_app()).items():
        (REFERENCE / name).write_text(text)
        print(REFERENCE.relative_to(ROOT) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
