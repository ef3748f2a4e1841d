"""Counts every statement, commit, HTTP call and file operation of a process, and kills it at one.

The product knows nothing of this: SQLAlchemy's events, psycopg's commit, httpx's send and two
calls of `os` are hooked from outside, so that new code is covered as it is written.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine


class Failpoints:
    """The points a process passes, in order; at `kill_at` it dies without a last word.

    `kill_at` is a number, or the name of a point where the first of that name is meant.
    """

    def __init__(self, kill_at: int | str | None, died_at: Path) -> None:
        self.kill_at = kill_at
        self.passed: list[str] = []
        self._died_at = died_at

    def reach(self, name: str) -> None:
        """Pass a point, or die in it."""
        self.passed.append(name)
        if self.kill_at in (len(self.passed), name):
            self._died_at.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Hook this process. There is no way back: it is a child that ends soon."""
        event.listen(Engine, "before_cursor_execute", self._statement("before"))
        event.listen(Engine, "after_cursor_execute", self._statement("after"))
        psycopg.Connection.commit = self._around("commit", psycopg.Connection.commit)
        httpx.Client.send = self._around("http", httpx.Client.send)
        os.fsync = self._around("fsync", os.fsync)
        os.rename = self._around("rename", os.rename)

    def _statement(self, when: str) -> Callable[..., None]:
        def hook(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self.reach(f"{when} {_short(statement)}")

        return hook

    def _around(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.reach(f"before {name}")
            result = original(*args, **kwargs)
            self.reach(f"after {name}")
            return result

        return call


def _short(statement: str) -> str:
    """The verb and the table of a statement, for reports."""
    words = statement.split()
    verb = words[0].lower()
    before = {"insert": "into", "update": "update", "select": "from", "delete": "from"}.get(verb)
    lowered = [word.lower() for word in words]
    if before in lowered[:-1]:
        return f"{verb} {words[lowered.index(before) + 1]}"
    return " ".join(lowered[:2])
