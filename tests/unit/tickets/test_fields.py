"""Fields of the data dictionary: cleaned, normalised, and refused in Chinese."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from app.core import clock
from app.tickets import codes
from app.tickets.fields import (
    CallerNumber,
    CleanText,
    CodeOf,
    Day,
    IdCard,
    Moment,
    PersonName,
    Phone,
    YesNo,
    plain_number,
)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    clock.set_source(lambda: datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    yield
    clock.set_source(None)


def read(field: fields.Field[Any], value: Any) -> Any:
    return Schema.from_dict({"it": field})().load({"it": value})["it"]


def refusal(field: fields.Field[Any], value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        read(field, value)
    (message,) = caught.value.normalized_messages()["it"]
    return str(message)


CONTENT = CleanText(most=4000, lines=True, required=True)
LINE = CleanText(most=20, least=2)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  三组　", "三组"),
        ("第一行\r\n第二行\r第三行", "第一行\n第二行\n第三行"),
        ("制表\t符", "制表\t符"),
        ("e\u0301", "é"),
        ("家庭👨‍👩‍👧", "家庭👨‍👩‍👧"),
        ("𠮷野家", "𠮷野家"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_text_is_trimmed_and_otherwise_kept(given: str, kept: str) -> None:
    assert read(CONTENT, given) == kept


@pytest.mark.parametrize(
    "text", ["空\x00字", "响\x07铃", "退\x08格", "\x1b[31m红", "删\x7f除", "反\u202e向", "下\x85行"]
)
def test_control_characters_are_refused(text: str) -> None:
    assert "控制字符" in refusal(CONTENT, text + "。")


def test_4000_characters_are_accepted_and_4001_refused_whatever_the_characters() -> None:
    rare = "𠀀𪚥㐀·\n字" * 800  # supplementary characters count as one

    assert read(CONTENT, rare[:3999] + "完") == rare[:3999] + "完"
    assert refusal(CONTENT, "字" * 4001) == "最多4000个字，现有4001个字"
    assert refusal(CONTENT, "𠀀" * 4001) == "最多4000个字，现有4001个字"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("一\n二", "控制字符"),
        ("一", "至少填写2个字"),
        (12, "应为文字"),
        (["一二"], "应为文字"),
        ({"a": 1}, "应为文字"),
        (None, "必填"),
    ],
)
def test_a_short_text_is_one_line_of_characters(value: Any, message: str) -> None:
    assert message in refusal(LINE, value)


@pytest.mark.parametrize("value", ["", "   ", "　", "\n"])
def test_a_blank_is_missing_where_the_text_is_required_and_none_elsewhere(value: str) -> None:
    optional = CleanText(most=20, lines=True, allow_none=True)

    assert refusal(CONTENT, value) == "必填"
    assert read(optional, value) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("李明", "李明"),
        ("吴·阿依", "吴·阿依"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
        ("𠮷某", "𠮷某"),  # extension B
        ("㐂龘", "㐂龘"),
        ("John Smith", "John Smith"),
        ("ཀྲ་ཤིས", None),
        ("扎西" * 25, "扎西" * 25),
        (" 王五 ", "王五"),
    ],
)
def test_names_of_every_people_are_accepted(given: str, kept: str | None) -> None:
    if kept is None:
        assert "姓名" in refusal(PersonName(), given)
    else:
        assert read(PersonName(), given) == kept


@pytest.mark.parametrize("name", ["李", "李3", "13800001234", "李-明", "<b>李明</b>", "李@明"])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert refusal(PersonName(), name) == "姓名应为2–50个汉字或字母"


def test_a_name_of_51_characters_is_refused() -> None:
    assert refusal(PersonName(), "扎" * 51) == "最多50个字，现有51个字"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13800001234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("+86 138 0000 1234", "13800001234"),
        ("+86-13800001234", "13800001234"),
        ("008613800001234", "13800001234"),
        ("(0851)85500001", "085185500001"),
        ("（0851）85500001", "085185500001"),
        ("0851—85500001", "0851-85500001"),
        ("0851－85500001－12", "0851-85500001-12"),
    ],
)
def test_a_phone_is_kept_in_one_form(given: str, kept: str) -> None:
    assert read(Phone(), given) == kept


@pytest.mark.parametrize("value", ["12345", "未知", "1380000123", "138000012345", "400-800-1234"])
def test_what_cannot_be_called_back_is_refused(value: str) -> None:
    assert refusal(Phone(), value) == "请填11位手机号或带区号的固定电话"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13800001234", "13800001234"),
        ("+8613800001234", "13800001234"),
        ("＋８６ １３８ ００００ １２３４", "13800001234"),
        ("02112317", "02112317"),
        ("０２１-１２３１７", "021-12317"),
        ("10086", "10086"),
        ("+12025550123", "+12025550123"),
        ("unknown", "unknown"),
        ("UNKNOWN", "unknown"),
        ("anonymous", "unknown"),
        ("未知", "unknown"),
        ("隐藏", "unknown"),
        ("-", "unknown"),
        ("0", "unknown"),
    ],
)
def test_the_number_that_called_is_kept_and_a_hidden_one_is_unknown(given: str, kept: str) -> None:
    assert read(CallerNumber(), given) == kept


@pytest.mark.parametrize("value", ["12", "1" * 21, "拨打者", "138x0001234", "138;drop"])
def test_what_no_exchange_shows_is_refused(value: str) -> None:
    assert "来电号码" in refusal(CallerNumber(), value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("11010519491231002x", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("110105 19491231 002X", "11010519491231002X"),
        (" 440524188001010014 ", "440524188001010014"),
    ],
)
def test_an_identity_number_is_kept_in_one_form(given: str, kept: str) -> None:
    assert read(IdCard(), given) == kept


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("110105194912310021", "身份证号校验位错误"),
        ("11010519491331002X", "身份证号中的出生日期不存在"),
        ("110105", "身份证号应为18位，末位可为X"),
        ("护照E12345678", "身份证号应为18位，末位可为X"),
    ],
)
def test_a_wrong_identity_number_is_refused(value: str, message: str) -> None:
    assert refusal(IdCard(), value) == message


@pytest.mark.parametrize(
    "value", [3, "3", "３", " 3 ", "危房改造", {"code": 3}, {"code": "3", "label": "危房改造"}]
)
def test_a_code_is_read_from_number_label_and_pair(value: Any) -> None:
    assert read(CodeOf(codes.PROBLEM_CATEGORY), value) == 3


@pytest.mark.parametrize("value", [0, 25, "危房", "", True, {"label": "危房改造"}, [3], 3.5, {}])
def test_what_is_no_code_is_refused_with_the_range(value: Any) -> None:
    assert refusal(CodeOf(codes.PROBLEM_CATEGORY), value) == "取值应为1–24或其中文名称"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, True),
        (False, False),
        ("是", True),
        ("否", False),
        (1, True),
        (2, False),
        ("1", True),
        ("２", False),
        ("true", True),
        ("False", False),
        (" 是 ", True),
    ],
)
def test_yes_and_no_in_every_agreed_form(given: Any, meant: bool) -> None:
    assert read(YesNo(), given) is meant


@pytest.mark.parametrize("value", [0, "0", 3, "", "Y", "有", [], {}, 1.5])
def test_other_booleans_are_refused_since_senders_mean_different_things(value: Any) -> None:
    assert refusal(YesNo(), value) == "应为 true/false、是/否或 1（是）/2（否）"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T09:30:00+08:00",
        "2026-11-24T01:30:00Z",
        "2026-11-24 09:30:00+08:00",
        "2026-11-24T10:30:00+09:00",
        "２０２６-11-24T09:30:00+08:00",
    ],
)
def test_a_moment_is_read_in_any_zone(text: str) -> None:
    assert read(Moment(), text) == datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def test_a_page_gives_beijing_time_and_an_interface_must_say_the_zone() -> None:
    assert "须带时区" in refusal(Moment(), "2026-11-24T09:30")
    assert read(Moment(local=True), "2026-11-24T09:30") == datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", ["昨天", "2026-13-01T00:00:00+08:00", "", 1795000000, None, {}])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    assert refusal(Moment(), value) in {"时间格式应为 2026-11-23T09:30:00+08:00", "必填"}


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_year_no_calendar_can_hold_is_refused(value: str) -> None:
    assert refusal(Moment(), value) == "年份不合理"
    assert refusal(Day(), value) == "年份不合理"


@pytest.mark.parametrize("value", ["2026-12-14", "2026-12-14T18:00:00+08:00", "２０２６-12-14"])
def test_a_day_is_read_from_a_date_or_a_moment(value: str) -> None:
    assert read(Day(), value) == date(2026, 12, 14)


@pytest.mark.parametrize("value", ["12月14日", "2026-02-30", "20261", "", "2026-12-14号"])
def test_what_is_no_day_is_refused(value: Any) -> None:
    assert refusal(Day(), value) == "日期格式应为 2026-12-14"


def test_the_country_prefix_goes_once() -> None:
    assert plain_number("+86 (0851) 85500001") == "085185500001"
