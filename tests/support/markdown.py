"""Small pieces of Markdown for the generated lists."""

from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` and line breaks inside cells are taken care of."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = (str(c).replace("|", "\\|").replace("\n", " ") for c in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def first_line(function: Any) -> str:
    """The first line of a docstring."""
    return (function.__doc__ or "").strip().partition("\n")[0]


def code(*names: str) -> str:
    """Names as code, or a dash."""
    return ", ".join(f"`{name}`" for name in names) or "—"
