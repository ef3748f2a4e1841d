"""Files on disk: written once under a random name, outside the web root, two folders deep.

A file is complete and on the disk before anybody learns its name. A crash leaves at most a file
without a row, which the sweep finds; never a row without a file.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives import hashes

from app.files.errors import FileEmpty, FileTooLarge

_CHUNK = 2**20
_INCOMING = "incoming"


@dataclass(frozen=True)
class Written:
    """A file on disk and its digests in hexadecimal."""

    path: Path
    size: int
    sha256: str
    sm3: str


def write_incoming(root: Path, stream: BinaryIO, max_bytes: int) -> Written:
    """Copy the stream to a temporary file, synchronised to the disk. Never reads past the limit."""
    path = root / _INCOMING / secrets.token_hex(16)
    path.parent.mkdir(parents=True, exist_ok=True)
    size, sha256, sm3 = 0, hashlib.sha256(), hashes.Hash(hashes.SM3())
    try:
        with path.open("xb") as file:
            while chunk := stream.read(min(_CHUNK, max_bytes + 1 - size)):
                size += len(chunk)
                if size > max_bytes:
                    raise FileTooLarge(max_bytes)
                sha256.update(chunk)
                sm3.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if size == 0:
            raise FileEmpty
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Written(path, size, sha256.hexdigest(), sm3.finalize().hex())


def keep(root: Path, incoming: Path) -> str:
    """Move a checked file to its place and return its storage name."""
    name = secrets.token_hex(16)
    target = locate(root, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    incoming.rename(target)
    for folder in (target.parent, target.parent.parent, root):
        _synchronise(folder)
    return name


def locate(root: Path, name: str) -> Path:
    """Where a file lies. Refuses anything that is not a storage name."""
    if len(name) != 32 or not set(name) <= set("0123456789abcdef"):
        raise ValueError("not a storage name")
    return root / name[:2] / name[2:4] / name


def discard(root: Path, name: str) -> None:
    """Delete a file; it may be gone already."""
    locate(root, name).unlink(missing_ok=True)


def names_before(root: Path, moment: datetime) -> Iterator[str]:
    """Storage names of files last written before the moment, in no particular order."""
    for path in root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
        if _is_older(path, moment):
            yield path.name


def clear_incoming(root: Path, moment: datetime) -> int:
    """Delete what uploads broken off before the moment left behind."""
    removed = 0
    for path in (root / _INCOMING).glob("*"):
        if _is_older(path, moment):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_older(path: Path, moment: datetime) -> bool:
    """Whether it is still there (another node may be sweeping too) and that old."""
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


def _synchronise(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
