"""Content against extension, for every permitted type and many forgeries."""

from pathlib import Path

import pytest

from app.files.checks import CHECKS, Finding, examine
from app.files.errors import FileTypeDenied
from tests.unit.files import samples

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def write(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


HONEST = [
    ("doc", samples.DOC, Finding("application/msword")),
    ("doc", samples.DOC_WITH_MACROS, Finding("application/msword", ["macros"])),
    ("docx", samples.DOCX, Finding(_DOCX)),
    ("docx", samples.DOCX_WITH_MACROS, Finding(_DOCX, ["macros"])),
    ("wps", samples.DOC, Finding("application/wps-office.wps")),
    ("wps", samples.DOCX_WITH_MACROS, Finding("application/wps-office.wps", ["macros"])),
    ("jpg", samples.JPG, Finding("image/jpeg")),
    ("jpeg", samples.JPG, Finding("image/jpeg")),
    ("png", samples.PNG, Finding("image/png")),
    ("gif", samples.GIF, Finding("image/gif")),
    ("webp", samples.WEBP, Finding("image/webp")),
    ("bmp", samples.BMP, Finding("image/bmp")),
    ("pdf", samples.PDF, Finding("application/pdf")),
    ("zip", samples.ZIP, Finding("application/zip")),
    ("zip", samples.encrypted(), Finding("application/zip", ["encrypted"])),
    ("rar", samples.RAR4, Finding("application/vnd.rar", ["unlisted"])),
    ("rar", samples.RAR5, Finding("application/vnd.rar", ["unlisted"])),
    ("7z", samples.SEVEN_ZIP, Finding("application/x-7z-compressed", ["unlisted"])),
]


@pytest.mark.parametrize(("extension", "content", "finding"), HONEST)
def test_an_honest_file_is_recognised(tmp_path, extension, content, finding):
    assert examine(write(tmp_path, content), extension) == finding


def test_every_permitted_type_has_an_honest_example():
    assert {extension for extension, _, _ in HONEST} == CHECKS.keys()


FORGERIES = {
    "a program": samples.EXE,
    "a page": samples.HTML,
    "text": "你好".encode(),
    "one byte": b"%",
    "zeros": b"\0" * 1000,
    "a spreadsheet": samples.XLSX,
    "an old spreadsheet": samples.XLS,
}


CASES = [(extension, forgery) for extension in sorted(CHECKS) for forgery in sorted(FORGERIES)]
CASES.remove(("zip", "a spreadsheet"))  # it is a zip file, and renamed does no harm


@pytest.mark.parametrize(("extension", "forgery"), CASES)
def test_a_forged_file_is_refused_under_every_extension(tmp_path, extension, forgery):
    with pytest.raises(FileTypeDenied):
        examine(write(tmp_path, FORGERIES[forgery]), extension)


@pytest.mark.parametrize("actual", ["pdf", "png", "zip", "doc"])
@pytest.mark.parametrize("claimed", sorted(CHECKS))
def test_one_permitted_type_does_not_pass_as_another(tmp_path, actual, claimed):
    content = next(content for extension, content, _ in HONEST if extension == actual)
    path = write(tmp_path, content)

    if claimed in {actual, *({"wps"} if actual == "doc" else ())}:
        assert examine(path, claimed)
    else:
        with pytest.raises(FileTypeDenied):
            examine(path, claimed)


@pytest.mark.parametrize("extension", ["exe", "html", "svg", "xlsx", "docm", "txt", "", "pdf "])
def test_other_extensions_are_refused_whatever_the_content(tmp_path, extension):
    with pytest.raises(FileTypeDenied, match="不支持"):
        examine(write(tmp_path, samples.PDF), extension)


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        ("pdf", samples.HTML + samples.PDF),
        ("pdf", b"\n" + samples.PDF),
        ("bmp", b"BMW is a car" + b" " * 40),
        ("bmp", b"BM" + samples.HTML),
        ("rar", samples.RAR4[:-20] + b"\1" * 20),
        ("rar", samples.RAR5[:9] + b"\0" + samples.RAR5[10:]),
        ("rar", samples.RAR5[:12]),
        ("rar", samples.RAR4[:8]),
        ("7z", samples.SEVEN_ZIP[:-1]),
        ("7z", samples.SEVEN_ZIP[:20] + b"\1" + samples.SEVEN_ZIP[21:]),
        ("7z", samples.seven_zip(b"")),
        ("zip", samples.ZIP[:-10]),
        ("zip", samples.ZIP[: len(samples.ZIP) // 2]),
        ("zip", b"PK\5\6" + b"\0" * 18),
        ("zip", b"PK\3\4" + b"\0" * 100),
        ("docx", samples.DOCX[:-30]),
        ("docx", samples.ZIP),
    ],
)
def test_a_damaged_or_two_faced_file_is_refused(tmp_path, extension, content):
    with pytest.raises(FileTypeDenied):
        examine(write(tmp_path, content), extension)
