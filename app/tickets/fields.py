"""Fields of the data dictionary (REQUIREMENTS 3): clean, normalise, refuse in Chinese."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields

from app.core import clock
from app.security.text import clean, has_control_characters, normalise_digits
from app.tickets.codes import CodeTable
from app.tickets.rules import id_card_problem, is_phone

REQUIRED = "必填"
_YEARS = range(1900, 2200)
"""Beyond these a moment cannot be moved between zones, or a deadline would be counted for ages."""
_ODD_YEAR = "年份不合理"
REQUIRED_MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": REQUIRED,
    "null": REQUIRED,
}


class CleanText(fields.Field[str | None]):
    """Plain text, trimmed; a limit in characters, and no control characters but line breaks."""

    def __init__(
        self, *, most: int, least: int = 0, lines: bool = False, digits: bool = False, **kwargs: Any
    ) -> None:
        kwargs["metadata"] = {"maxlength": most, **kwargs.get("metadata", {})}
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)
        self.most, self.least, self.lines, self.digits = most, least, lines, digits

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        if not isinstance(value, str):
            raise ValidationError("应为文字")
        text = clean(normalise_digits(value) if self.digits else value)
        if has_control_characters(text) or (not self.lines and "\n" in text):
            raise ValidationError("含有不允许的控制字符")
        if not text:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        if len(text) < self.least:
            raise ValidationError(f"至少填写{self.least}个字")
        if len(text) > self.most:
            raise ValidationError(f"最多{self.most}个字，现有{len(text)}个字")
        return text


class PersonName(CleanText):
    """A person's name: Chinese characters, the dot of minority names, or letters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=50, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        name = super()._deserialize(value, attr, data, **kwargs)
        if name is None:
            return None
        name = name.replace("•", "·").replace("・", "·")
        if len(name) < 2 or not all(c.isalpha() or c in "·.* 　" for c in name):
            raise ValidationError("姓名应为2–50个汉字或字母")
        return name


class Phone(CleanText):
    """A mobile or landline number, kept without spaces and country prefix."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=24, digits=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        number = plain_number(text)
        if not is_phone(number):
            raise ValidationError("请填11位手机号或带区号的固定电话")
        return number


class CallerNumber(CleanText):
    """The number that called (来电号码): whatever the exchange showed; hidden becomes `unknown`."""

    UNKNOWN = frozenset({"unknown", "anonymous", "private", "未知", "隐藏", "无", "-", "0"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=32, digits=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None or text.lower() in self.UNKNOWN:
            return "unknown"
        number = plain_number(text)
        if not all(c in "0123456789-+" for c in number) or not 3 <= len(number) <= 20:
            raise ValidationError("来电号码应为3–20位数字，号码隐藏时填 unknown（未知）")
        return number


class IdCard(CleanText):
    """An ID card number (GB 11643-1999) with check character; x becomes X."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=32, digits=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        number = text.replace(" ", "").upper()
        if problem := id_card_problem(number, clock.now().astimezone(clock.BEIJING).date()):
            raise ValidationError(problem[1])
        return number


class DivisionCode(CleanText):
    """A division code (行政区划编码): twelve digits; the shorter official forms are filled up."""

    LENGTHS = frozenset({2, 4, 6, 9, 12})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=12, digits=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) in self.LENGTHS):
            raise ValidationError("行政区划编码应为12位数字（也可填2、4、6、9位）")
        return text.ljust(12, "0")


class CodeOf(fields.Field[int]):
    """A value of a code table, as number or as Chinese label."""

    def __init__(self, table: CodeTable, **kwargs: Any) -> None:
        kwargs["metadata"] = {"options": table.options(), **kwargs.get("metadata", {})}
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)
        self.table = table

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        return code_in(self.table, value)


class CodesOf(fields.Field[list[int]]):
    """One or several values of a code table; a single one may come without a list."""

    def __init__(self, table: CodeTable, **kwargs: Any) -> None:
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)
        self.table = table

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[int]:
        given = value if isinstance(value, list) else [value]
        if not given:
            raise ValidationError("至少选择一项")
        if len(given) > len(self.table.codes):
            raise ValidationError(f"最多{len(self.table.codes)}项")
        return sorted({code_in(self.table, each) for each in given})


class YesNo(fields.Field[bool]):
    """是否: true/false, 是/否, or 1/2 (1=是 2=否). 0 is refused: senders mean it both ways."""

    WORDS: Mapping[Any, bool] = {
        "是": True,
        "否": False,
        "1": True,
        "2": False,
        "true": True,
        "false": False,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = normalise_digits(str(value)).strip().lower()
        if word not in self.WORDS:
            raise ValidationError("应为 true/false、是/否或 1（是）/2（否）")
        return self.WORDS[word]


class Moment(fields.Field[datetime]):
    """A moment with offset (ISO 8601); a page's local time counts as Beijing's."""

    def __init__(self, *, local: bool = False, **kwargs: Any) -> None:
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)
        self.local = local

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(normalise_digits(str(value)).strip())
        except ValueError:
            raise ValidationError("时间格式应为 2026-11-23T09:30:00+08:00") from None
        if moment.tzinfo is None:
            if not self.local:
                raise ValidationError("时间须带时区，如 2026-11-23T09:30:00+08:00")
            moment = moment.replace(tzinfo=clock.BEIJING)
        if moment.year not in _YEARS:
            raise ValidationError(_ODD_YEAR)
        return moment


class Day(fields.Field[date]):
    """A date (2026-12-14); of a moment, the date as it is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(error_messages=REQUIRED_MESSAGES, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            day = datetime.fromisoformat(normalise_digits(str(value)).strip()).date()
        except ValueError:
            raise ValidationError("日期格式应为 2026-12-14") from None
        if day.year not in _YEARS:
            raise ValidationError(_ODD_YEAR)
        return day


def plain_number(text: str) -> str:
    """A phone number without spaces, brackets and +86."""
    number = "".join(c for c in text if c not in " ()（）").replace("—", "-").replace("–", "-")
    for prefix in ("+86-", "+86", "0086"):
        number = number.removeprefix(prefix)
    return number


def code_in(table: CodeTable, value: Any) -> int:
    """The code for a number, a Chinese label or `{"code": …}`; ValidationError names the range."""
    if isinstance(value, Mapping):
        value = value.get("code")
    if isinstance(value, str):
        value = normalise_digits(value).strip()
    code = None if isinstance(value, bool) else table.find(value)
    if code is None:
        raise ValidationError(f"取值应为{_range(table)}或其中文名称")
    return code


def _range(table: CodeTable) -> str:
    """“1–24”, or each code where some are left out."""
    known = [each.code for each in table.codes]
    if known == list(range(1, len(known) + 1)):
        return f"1–{known[-1]}"
    return "、".join(map(str, known))
