"""What an uploaded file may be called, and what is left of its name."""

import pytest

from app.files.errors import FileTypeDenied
from app.files.names import LONGEST, display_name, extension_of


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("调查报告.docx", "调查报告.docx"),
        ("关于三组道路的情况说明（终稿）.pdf", "关于三组道路的情况说明（终稿）.pdf"),
        ("照片.JPG", "照片.JPG"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\windows\\system32\\a.pdf", "a.pdf"),
        ("C:\\Users\\张三\\桌面\\现场.png", "现场.png"),
        ("/absolute/一.png", "一.png"),
        ("a<b>:c|d?.pdf", "a_b__c_d_.pdf"),
        ('引"号*.pdf', "引_号_.pdf"),
        (" 空格 .pdf ", "空格 .pdf"),
        ("结尾的点.pdf.", "结尾的点.pdf"),
        ("2026.11.24.会议纪要.doc", "2026.11.24.会议纪要.doc"),
        ("完成80%.docx", "完成80%.docx"),
        ("𠮷野家.png", "𠮷野家.png"),
    ],
)
def test_an_honest_name_is_kept_without_its_path(given, kept):
    assert display_name(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "没有扩展名",
        ".pdf",
        "...",
        "../..",
        "a\0.pdf",
        "a\n.pdf",
        "a\t.pdf",
        "\u202efdp.exe.pdf",
        "照片\u202egnp.exe",
        "发票.exe.pdf",
        "发票.HTML.png",
        "发票.js.docx",
    ],
)
def test_a_name_that_hides_something_is_refused(given):
    with pytest.raises(FileTypeDenied):
        display_name(given)


def test_a_long_name_is_cut_and_keeps_its_extension():
    kept = display_name("长" * 500 + ".docx")

    assert len(kept) == LONGEST
    assert kept.endswith("长.docx")


@pytest.mark.parametrize(
    ("name", "extension"), [("a.PDF", "pdf"), ("a.tar.gz", "gz"), ("a", ""), ("a.", "")]
)
def test_the_extension_is_the_last_suffix(name, extension):
    assert extension_of(name) == extension
