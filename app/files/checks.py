"""Is a file what its name says, and fit to be opened? Extension and content must agree."""

import mmap
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import puremagic

from app.files import archives
from app.files.errors import FileTypeDenied

_HEAD = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_RAR4, _RAR5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True)
class Finding:
    """What a file turned out to be."""

    media_type: str
    flags: list[str] = field(default_factory=list)
    """`macros`: holds program code; `encrypted`, `unlisted`: nobody could look inside."""


def examine(path: Path, extension: str) -> Finding:
    """Check the content against the extension. Raises FileTypeDenied saying what is wrong."""
    if extension not in CHECKS:
        raise FileTypeDenied(f"不支持该类型的文件，允许的类型：{'、'.join(sorted(CHECKS))}")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return CHECKS[extension](path, head)


def _mismatch() -> FileTypeDenied:
    return FileTypeDenied("文件内容与扩展名不符，请核对后重新上传")


def _by_magic(extension: str, media_type: str) -> Callable[[Path, bytes], Finding]:
    def check(path: Path, head: bytes) -> Finding:
        try:
            found = puremagic.magic_string(head)
        except (puremagic.PureError, ValueError) as error:
            raise _mismatch() from error
        if extension not in {match.extension.lstrip(".") for match in found}:
            raise _mismatch()
        return Finding(media_type)

    return check


def _bmp(path: Path, head: bytes) -> Finding:
    """Two letters are a weak signature: the header's own sizes must fit too."""
    if len(head) < 26 or head[:2] != b"BM":
        raise _mismatch()
    pixels_at, header_size = struct.unpack_from("<II", head, 10)
    if header_size not in (12, 40, 52, 56, 64, 108, 124) or pixels_at > path.stat().st_size:
        raise _mismatch()
    return Finding("image/bmp")


def _pdf(path: Path, head: bytes) -> Finding:
    """Starts with its mark. Readers accept it later in the file; we do not: it may be two files."""
    if not head.startswith(b"%PDF-"):
        raise _mismatch()
    return Finding("application/pdf")


def _word(path: Path, head: bytes) -> Finding:
    """The old format of Word and WPS: a compound file with a text stream in its directory."""
    if not head.startswith(_OLE):
        raise _mismatch()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_stream("WordDocument")) < 0:
            raise _mismatch()
        macros = any(content.find(_stream(name)) >= 0 for name in ("_VBA_PROJECT", "Macros"))
    return Finding("application/msword", ["macros"] if macros else [])


def _stream(name: str) -> bytes:
    """A name as directory entries of a compound file hold it, with its terminator."""
    return name.encode("utf-16-le") + b"\0\0"


def _docx(path: Path, head: bytes) -> Finding:
    if not head.startswith(_ZIP):
        raise _mismatch()
    names = {entry.filename.lower() for entry in archives.entries(path)}
    if not {"[content_types].xml", "word/document.xml"} <= names:
        raise _mismatch()
    macros = any(name.endswith("vbaproject.bin") for name in names)
    return Finding(_DOCX, ["macros"] if macros else [])


def _wps(path: Path, head: bytes) -> Finding:
    """WPS writes either format under its own extension."""
    finding = _docx(path, head) if head.startswith(_ZIP) else _word(path, head)
    return Finding("application/wps-office.wps", finding.flags)


def _zip(path: Path, head: bytes) -> Finding:
    if not head.startswith(_ZIP):
        raise _mismatch()
    return Finding("application/zip", archives.check_contents(archives.entries(path)))


def _rar(path: Path, head: bytes) -> Finding:
    """The signature and the checksum of the first header block."""
    if head.startswith(_RAR5):
        size, used = _vint(head, 12)
        end = 12 + used + size
        sound = end <= len(head) and zlib.crc32(head[12:end]) == _u32(head, 8)
    elif head.startswith(_RAR4) and len(head) >= 20:
        size = struct.unpack_from("<H", head, 12)[0]
        sound = (
            head[9] == 0x73
            and size >= 13
            and zlib.crc32(head[9 : 7 + size]) & 0xFFFF == (struct.unpack_from("<H", head, 7)[0])
        )
    else:
        sound = False
    if not sound:
        raise _mismatch()
    return Finding("application/vnd.rar", ["unlisted"])


def _seven_zip(path: Path, head: bytes) -> Finding:
    """The signature, the checksum of the start header, and a table of contents inside the file."""
    if (
        not head.startswith(_SEVEN_ZIP)
        or len(head) < 32
        or zlib.crc32(head[12:32]) != _u32(head, 8)
    ):
        raise _mismatch()
    offset, size = struct.unpack_from("<QQ", head, 12)
    if size == 0 or 32 + offset + size > path.stat().st_size:
        raise _mismatch()
    return Finding("application/x-7z-compressed", ["unlisted"])


def _u32(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number of RAR 5 and how many bytes it takes."""
    value = 0
    for used, byte in enumerate(data[at : at + 3], 1):
        value |= (byte & 0x7F) << (7 * (used - 1))
        if not byte & 0x80:
            return value, used
    return 2**32, 3


CHECKS: dict[str, Callable[[Path, bytes], Finding]] = {
    "doc": _word,
    "docx": _docx,
    "wps": _wps,
    "jpg": _by_magic("jpg", "image/jpeg"),
    "jpeg": _by_magic("jpg", "image/jpeg"),
    "png": _by_magic("png", "image/png"),
    "gif": _by_magic("gif", "image/gif"),
    "webp": _by_magic("webp", "image/webp"),
    "bmp": _bmp,
    "pdf": _pdf,
    "zip": _zip,
    "rar": _rar,
    "7z": _seven_zip,
}
"""Permitted extensions (SEC-30) and how each is recognised."""
IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})
