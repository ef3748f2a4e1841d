"""Schedulers in processes of their own: the real jobs, until a round of them finds nothing."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event, Timer
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import scheduler
from app.core.db import db, session
from app.factory import create_app
from tests.conftest import make_settings

_SPAWN = get_context("spawn")


def application(url: str) -> Flask:
    """The application on this database."""
    return create_app(make_settings(url, Path(tempfile.gettempdir())))


@dataclass(frozen=True)
class Schedulers:
    """Processes that wait, all set, for `go`."""

    processes: list[SpawnProcess]
    go: Any

    @classmethod
    def of(cls, url: str, jobs: Sequence[str], *, number: int, seconds: float) -> "Schedulers":
        """So many of them; each stops by itself after these seconds of work."""
        go, ready = _SPAWN.Event(), _SPAWN.Queue()
        processes = [
            _SPAWN.Process(target=_schedule, args=(url, jobs, seconds, go, ready))
            for _ in range(number)
        ]
        for process in processes:
            process.start()
        for _ in processes:
            ready.get()
        return cls(processes, go)

    def work(self) -> float:
        """Let them go and wait for all; the seconds it took."""
        began = time.perf_counter()
        self.go.set()
        for process in self.processes:
            process.join()
        return time.perf_counter() - began


def _schedule(url: str, names: Sequence[str], seconds: float, go: Any, ready: Any) -> None:
    app, stop = application(url), Event()
    jobs = [job for job in scheduler.jobs() if job.name in names]
    with app.app_context():
        session().execute(text("select 1"))
        session().rollback()
        ready.put(True)
        go.wait()
        timer = Timer(seconds, stop.set)
        timer.start()
        while sum(scheduler.drain(app, job, stop) for job in jobs) and not stop.is_set():
            pass
        timer.cancel()
        db.engine.dispose()
