"""Look at the table of contents of a zip file. Nothing is ever unpacked on the server."""

import zipfile
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from app.files.errors import FileTypeDenied
from app.files.names import EXECUTABLE, extension_of

MAX_ENTRIES = 5000
MAX_UNPACKED = 1024 * 2**20
"""No archive may unpack to more, however well it is packed."""
MAX_RATIO = 100
RATIO_MATTERS_ABOVE = 20 * 2**20
"""Small documents of repeated text pack far better than 100:1 and harm nobody."""
_ARCHIVES = frozenset("zip rar 7z gz bz2 xz tar tgz cab zst lz lzma z arj".split())
_ENCRYPTED = 0x1


def entries(path: Path) -> list[ZipInfo]:
    """The contents of a sound zip file. Raises FileTypeDenied for a damaged file or a bomb."""
    try:
        with ZipFile(path) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, RuntimeError) as error:
        raise FileTypeDenied("文件已损坏，无法读取") from error
    if not found:
        raise FileTypeDenied("压缩包是空的")
    unpacked = sum(entry.file_size for entry in found)
    packed = sum(entry.compress_size for entry in found)
    size = path.stat().st_size
    if len(found) > MAX_ENTRIES:
        raise FileTypeDenied(f"压缩包内文件超过{MAX_ENTRIES}个")
    if packed > size or len({entry.header_offset for entry in found}) < len(found):
        raise FileTypeDenied("压缩包结构异常，疑似压缩炸弹")
    if unpacked > MAX_UNPACKED or (
        unpacked > RATIO_MATTERS_ABOVE and unpacked > MAX_RATIO * max(size, 1)
    ):
        raise FileTypeDenied("压缩包解压后过大，疑似压缩炸弹")
    return found


def check_contents(found: list[ZipInfo]) -> list[str]:
    """Judge what a person packed; the flags to show beside the file.

    Refused: archives inside archives, programs, and paths that leave the folder unpacked to.
    """
    for entry in found:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":" or "\0" in name:
            raise FileTypeDenied("压缩包内含有不安全的路径")
        extension = extension_of(name)
        if extension in _ARCHIVES:
            raise FileTypeDenied("压缩包内不得再含压缩包")
        if extension in EXECUTABLE:
            raise FileTypeDenied("压缩包内含有可执行文件")
    return ["encrypted"] if any(entry.flag_bits & _ENCRYPTED for entry in found) else []
