"""The smallest honest file of each permitted type, and some dishonest ones."""

import io
import random
import struct
import zipfile
import zlib

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\5\0\1\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)
JPG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\0" * 32 + b"\xff\xd9"
GIF = b"GIF89a\1\0\1\0\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"
BMP = b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + struct.pack("<I", 40) + b"\0" * 40
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
RAR4 = bytes.fromhex("526172211a0700cf907300000d00000000000000") + b"\0" * 7
RAR5 = bytes.fromhex("526172211a0701003392b5e50a01050600050101808000") + b"\0" * 8
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" + b"\0" * 64
HTML = "<html><script>alert('你好')</script></html>".encode()


def ole(*streams: str) -> bytes:
    """A compound file's head and a directory with these names."""
    names = b"".join(name.encode("utf-16-le").ljust(64, b"\0") + b"\0" * 64 for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + names


DOC = ole("Root Entry", "WordDocument", "1Table")
DOC_WITH_MACROS = ole("Root Entry", "WordDocument", "Macros", "VBA", "_VBA_PROJECT")
XLS = ole("Root Entry", "Workbook")


def zipped(entries: dict[str, bytes]) -> bytes:
    """A zip file with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


_PARTS = {"[Content_Types].xml": b"<Types/>", "word/document.xml": "<w>你好</w>".encode()}
DOCX = zipped(_PARTS)
DOCX_WITH_MACROS = zipped({**_PARTS, "word/vbaProject.bin": b"\0"})
XLSX = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"})
ZIP = zipped({"照片/一.jpg": JPG, "说明.txt": "三组道路".encode()})


def seven_zip(header: bytes = b"\x01\x00") -> bytes:
    """A 7z file whose table of contents is this."""
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + header


SEVEN_ZIP = seven_zip()


def bomb(megabytes: int = 64) -> bytes:
    """A small zip file that unpacks to so many megabytes of zeros."""
    return zipped({"零.txt": b"\0" * megabytes * 2**20})


def overlapping() -> bytes:
    """A zip file whose directory lists the same content many times over."""
    once = zipped({"a.txt": b"x" * 1000})
    at = once.rindex(b"PK\1\2")
    end = once.rindex(b"PK\5\6")
    entry = once[at:end]
    closing = bytearray(once[end:])
    struct.pack_into("<HHI", closing, 8, 50, 50, len(entry) * 50)
    return once[:at] + entry * 50 + bytes(closing)


def lying_size(megabytes: int = 3000, packed: int = 1000) -> bytes:
    """A zip file of about `packed` bytes that says its entry unpacks to this."""
    data = bytearray(zipped({"a.txt": random.Random(1).randbytes(packed)}))
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 24, megabytes * 2**20)
    return bytes(data)


def encrypted() -> bytes:
    """A zip file whose entry is marked as encrypted."""
    data = bytearray(ZIP)
    at = 0
    while (at := data.find(b"PK\1\2", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data)
