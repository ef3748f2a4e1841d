"""Bombs and traps in zip files, seen without unpacking anything."""

import pytest

from app.files import archives
from app.files.checks import examine
from app.files.errors import FileTypeDenied
from tests.unit.files import samples


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (samples.bomb(), "压缩炸弹"),
        (samples.overlapping(), "压缩炸弹"),
        (samples.lying_size(), "压缩炸弹"),
        (samples.lying_size(1100, packed=16 * 2**20), "压缩炸弹"),
        (samples.zipped({f"{n}.txt": b"" for n in range(archives.MAX_ENTRIES + 1)}), "超过"),
        (samples.zipped({"里面.zip": samples.ZIP}), "压缩包内不得再含"),
        (samples.zipped({"深/里面.7Z": b"x"}), "压缩包内不得再含"),
        (samples.zipped({"安装.exe": samples.EXE}), "可执行"),
        (samples.zipped({"资料/打开我.LNK": b"x"}), "可执行"),
        (samples.zipped({"../../etc/cron.d/a": b"x"}), "不安全的路径"),
        (samples.zipped({"..\\..\\a.txt": b"x"}), "不安全的路径"),
        (samples.zipped({"/etc/a.txt": b"x"}), "不安全的路径"),
        (samples.zipped({"C:/a.txt": b"x"}), "不安全的路径"),
        (samples.zipped({}), "不符"),
    ],
)
def test_a_trap_is_refused_with_its_reason(tmp_path, content, reason):
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(FileTypeDenied, match=reason):
        examine(path, "zip")

    assert [file.name for file in tmp_path.iterdir()] == ["upload"]


def test_a_bomb_dressed_as_a_document_is_refused(tmp_path):
    path = tmp_path / "upload"
    parts = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b" " * 64 * 2**20}
    path.write_bytes(samples.zipped(parts))

    with pytest.raises(FileTypeDenied, match="压缩炸弹"):
        examine(path, "docx")


def test_a_small_document_of_repeated_text_is_no_bomb(tmp_path):
    path = tmp_path / "upload"
    parts = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b" " * 2**20}
    path.write_bytes(samples.zipped(parts))

    assert examine(path, "docx").flags == []


def test_names_with_two_dots_that_leave_nothing_are_fine(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(samples.zipped({"第一..章.txt": b"x", "照片/": b""}))

    assert examine(path, "zip").flags == []
