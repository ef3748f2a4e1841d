"""What may be a variable of an instance (流程变量): flat scalars that JSON carries unchanged.

SpiffWorkflow copies and merges task data at every step; nested values are aliased between history
tasks and can crash a join. Refused at every entry: start, forms, messages, handlers, scripts.
"""

import math
from collections.abc import Mapping
from typing import Any

Scalar = str | int | float | bool | None

MAX_TEXT = 20_000
"""Characters a single value may have."""
_MAX_INTEGER = 2**63


class NotFlat(ValueError):
    """A value that is no flat scalar was to enter the task data; names the key, never the value."""


def flat(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """A copy of `values`, or NotFlat."""
    checked: dict[str, Scalar] = {}
    for key, value in values.items():
        if not (isinstance(key, str) and key.isidentifier()) or key.startswith("_"):
            raise NotFlat(f"变量名 {key!r} 不合法：须为不以下划线开头的标识符")
        checked[key] = flat_value(key, value)
    return checked


def flat_value(key: str, value: Any) -> Scalar:
    """The value itself, or NotFlat naming `key`."""
    kind = type(value)
    if value is None or kind is bool:
        return value  # type: ignore[no-any-return]
    if kind is str:
        if len(value) > MAX_TEXT:
            raise NotFlat(f"变量 {key} 超过 {MAX_TEXT} 个字符")
        try:
            value.isascii() or value.encode()
        except UnicodeEncodeError:
            raise NotFlat(f"变量 {key} 含有无法编码的字符") from None
        return value  # type: ignore[no-any-return]
    if kind is int and -_MAX_INTEGER <= value < _MAX_INTEGER:
        return value  # type: ignore[no-any-return]
    if kind is float and math.isfinite(value):
        return value  # type: ignore[no-any-return]
    raise NotFlat(f"变量 {key} 的类型 {kind.__name__} 不允许：只能是文本、64 位数值、真假或空")
