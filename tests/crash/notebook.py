"""What the outside world remembers of one ticket: each request it sent and the answer it got.

A line is written before a request leaves and after its answer came, to a file that outlives the
node. A request without an answer is repeated word for word, as 12345 and a browser would.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]


class Notebook:
    """Requests and answers by name; a later notebook on the same file goes on where this ended."""

    def __init__(self, path: Path) -> None:
        self.sent: dict[str, Json] = {}
        self.answers: dict[str, Json] = {}
        if path.exists():
            for line in path.read_bytes().splitlines():
                entry = orjson.loads(line)
                kept = self.sent if entry["kind"] == "sent" else self.answers
                kept[entry["name"]] = entry["value"]
        self._file = path.open("ab", buffering=0)

    def request(self, name: str, make: Callable[[], Json | None]) -> Json | None:
        """The request of that name, made once and then always the same; None when there is none."""
        if name not in self.sent:
            made = make()
            if made is None:
                return None
            self._write("sent", name, made)
            self.sent[name] = made
        return self.sent[name]

    def answered(self, name: str, answer: Json) -> None:
        """Note what the platform said."""
        self._write("answer", name, answer)
        self.answers[name] = answer

    def _write(self, kind: str, name: str, value: Json) -> None:
        self._file.write(orjson.dumps({"kind": kind, "name": name, "value": value}) + b"\n")
