"""Reads BPMN XML that came from a browser: UTF-8 only, no DTD, no entities, no network."""

import re
from functools import lru_cache
from typing import Any

from lxml import etree

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
MAX_BYTES = 2_000_000
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']+)["']""")


class BadDiagram(ValueError):
    """The text cannot be read as a diagram; the message (Chinese) tells the analyst why."""


def read(xml: bytes) -> Any:
    """The root element, fresh, without comments. Raises BadDiagram.

    A DTD is refused before the parser sees it: entity expansion (billion laughs) and external
    entities live there. Other encodings are refused because a DTD could hide in one.
    """
    if len(xml) > MAX_BYTES:
        raise BadDiagram(f"文件超过 {MAX_BYTES // 1_000_000} MB")
    text = xml.removeprefix(b"\xef\xbb\xbf").lstrip()
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in {b"utf-8", b"utf8", b"us-ascii"}:
        raise BadDiagram("文件编码必须是 UTF-8")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise BadDiagram("文件编码必须是 UTF-8") from None
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise BadDiagram("文件不得含有 DTD 或实体声明")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise BadDiagram(f"不是有效的 XML（第 {error.lineno or 1} 行）") from None
    if root.tag != f"{MODEL}definitions":
        raise BadDiagram("不是 BPMN 2.0 文件：根元素应为 definitions")
    return root


@lru_cache(maxsize=256)
def process_ids(xml: bytes) -> tuple[str, ...]:
    """Ids of the processes in one file."""
    return tuple(process.get("id", "") for process in read(xml).iterfind(f"{MODEL}process"))


def called_elements(xml: bytes) -> set[str]:
    """Process ids that call activities of this file name."""
    found = {call.get("calledElement") for call in read(xml).iter(f"{MODEL}callActivity")}
    return {name for name in found if name}


def tag_of(element: Any) -> str:
    """Local name of a BPMN element, empty for foreign ones."""
    tag: str = element.tag
    return tag.removeprefix(MODEL) if tag.startswith(MODEL) else ""


def properties_of(element: Any) -> dict[str, str]:
    """The `spiffworkflow:properties` of an element."""
    path = f"{MODEL}extensionElements/{SPIFF}properties/{SPIFF}property"
    return {item.get("name", ""): item.get("value", "") for item in element.iterfind(path)}
