"""The name a person gave a file: made harmless to show and to save, never used as a path here."""

import unicodedata

from app.files.errors import FileTypeDenied
from app.security.text import has_control_characters

EXECUTABLE = frozenset(
    "ade adp apk app bat chm cmd com cpl dll dmg elf exe hta htm html inf ins iso jar js jse jsp"
    " lnk mht msc msi msp php pif ps1 py reg scr sct sh svg swf url vb vbe vbs vhd ws wsc wsf wsh"
    " xhtml xll".split()
)
"""Kinds of file that can do something when opened; not even as the last but one suffix."""
LONGEST = 150


def display_name(filename: str) -> str:
    """The last part of the path, composed, without characters that systems or readers stumble over.

    Raises FileTypeDenied for names that hide what the file is (`a.exe.pdf`, reversed direction).
    """
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rsplit("/", 1)[-1])
    if has_control_characters(name) or "\n" in name or "\t" in name:
        raise FileTypeDenied("文件名含有不允许的字符，请改名后重新上传")
    name = "".join("_" if character in '<>:"|?*' else character for character in name)
    stem, dot, extension = name.strip(" .\u3000").rpartition(".")
    if not dot or not stem.strip(" ."):
        raise FileTypeDenied("文件名须带扩展名")
    if extension_of(stem) in EXECUTABLE:
        raise FileTypeDenied("文件名含有可执行文件的扩展名，请改名后重新上传")
    return f"{stem[: LONGEST - len(extension) - 1]}.{extension}"


def extension_of(name: str) -> str:
    """The last suffix in lower case, without the dot; empty when there is none."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""
