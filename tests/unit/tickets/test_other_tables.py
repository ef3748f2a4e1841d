"""Seed tables 1 and 3: what a declaration and a consultation must say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.errors import Invalid
from app.tickets import intake
from app.tickets.intake import Intake
from app.tickets.schemas import ConsultationSchema, DeclarationSchema

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
CALL = {
    "external_ticket_no": "GZ12345-20261124-000982",
    "operator_no": "GZ12345-0231",
    "caller_number": "13800001234",
    "called_at": "2026-11-24T09:20:11+08:00",
    "division_code": "520328104205",
}
DECLARATION = {
    **CALL,
    "caller_name": "李某某",
    "contact_phone": "0851-85500001",
    "id_card_no": "11010519491231002x",
    "content": "户主突发疾病住院，申请纳入监测帮扶。",
    "poverty_risk": 1,
}
CONSULTATION = {
    **CALL,
    "caller_category": "社会公众",
    "service_type": 1,
    "problem_category": "小额信贷",
    "content_summary": "咨询小额信贷怎样申请。",
}
WHOLE = {"declaration": DECLARATION, "consultation": CONSULTATION}


def read(table: str, **changed: Any) -> Intake:
    """Read a submission; a value of None takes the field out."""
    sent = {name: value for name, value in (WHOLE[table] | changed).items() if value is not None}
    return intake.read(table, sent, now=NOW, anonymity_mode="named_requires_group")


def refused(table: str, **changed: Any) -> dict[str, tuple[str, str]]:
    """Field → (rule, message) of everything that is wrong."""
    with pytest.raises(Invalid) as caught:
        read(table, **changed)
    return {error.field: (error.rule, error.message) for error in caught.value.errors}


def test_a_declaration_is_taken_as_table_1_has_it() -> None:
    taken = read("declaration")

    assert (taken.ticket_type, taken.warnings) == ("declaration", [])
    assert taken.values["id_card_no"] == "11010519491231002X"
    assert taken.values["poverty_risk"] == [1]
    assert "is_anonymous" not in taken.values


@pytest.mark.parametrize(
    ("given", "risks"),
    [
        (1, [1]),
        ("1", [1]),
        ("因病", [1]),
        ([1], [1]),
        ([8, 1, "因学", 1], [1, 2, 8]),
        ([{"code": 3, "label": "因残"}], [3]),
        ("８", [8]),
    ],
)
def test_one_risk_or_several_by_number_or_label(given: Any, risks: list[int]) -> None:
    assert read("declaration", poverty_risk=given).values["poverty_risk"] == risks


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ([], "length"),
        ([1] * 10, "length"),
        (0, "code"),
        (10, "code"),
        ("因懒", "code"),
        ([1, "因懒"], "code"),
        (True, "code"),
        ([[1]], "code"),
        ({}, "code"),
    ],
)
def test_other_risks_are_refused(given: Any, rule: str) -> None:
    wrong = refused("declaration", poverty_risk=given)

    assert {field: each[0] for field, each in wrong.items()} == {"poverty_risk": rule}


@pytest.mark.parametrize("risk", [9, "其它", [1, 9]])
def test_another_risk_is_explained(risk: Any) -> None:
    assert refused("declaration", poverty_risk=risk) == {
        "poverty_risk_note": ("required", "风险含“其它”时须说明")
    }
    note = read("declaration", poverty_risk=risk, poverty_risk_note="房屋受潮")
    assert note.values["poverty_risk_note"] == "房屋受潮"


def test_a_household_says_who_it_is() -> None:
    gone = dict.fromkeys(("caller_name", "contact_phone", "id_card_no", "content", "poverty_risk"))

    assert refused("declaration", **gone) == dict.fromkeys(gone, ("required", "必填"))


def test_a_wrong_check_digit_is_named_in_chinese() -> None:
    assert refused("declaration", id_card_no="110105194912310021") == {
        "id_card_no": ("checksum", "身份证号校验位错误")
    }


def test_the_number_that_called_does_not_stand_in_for_the_phone_of_a_household() -> None:
    assert set(refused("declaration", contact_phone=None)) == {"contact_phone"}


@pytest.mark.parametrize(("given", "kind"), [(1, "consultation"), ("建议", "suggestion")])
def test_the_service_type_says_whether_it_is_a_question_or_a_suggestion(
    given: Any, kind: str
) -> None:
    assert read("consultation", service_type=given).ticket_type == kind


def test_a_consultation_is_stored_under_the_columns_of_a_ticket() -> None:
    values = read("consultation", callback_phone="+86 138 0000 1240").values

    assert values["content"] == "咨询小额信贷怎样申请。"
    assert values["contact_phone"] == "13800001240"
    assert (values["caller_category"], values["problem_category"]) == (2, 9)


def test_nobody_is_asked_who_they_are_for_a_question() -> None:
    assert read("consultation", caller_number="unknown").warnings == []


def test_an_incomplete_consultation_is_refused_at_once() -> None:
    gone = dict.fromkeys(("caller_category", "service_type", "problem_category", "content_summary"))

    assert refused("consultation", **gone) == dict.fromkeys(gone, ("required", "必填"))
    wrong = refused(
        "consultation",
        caller_category=4,
        service_type=3,
        content_summary="字" * 2001,
        callback_phone="12",
    )
    assert {field: rule for field, (rule, _) in wrong.items()} == {
        "caller_category": "code",
        "service_type": "code",
        "content_summary": "length",
        "callback_phone": "format",
    }


@pytest.mark.parametrize("table", WHOLE)
def test_what_is_common_to_all_tables_holds_here_too(table: str) -> None:
    late = "2026-11-24T09:40:00+08:00"

    assert refused(table, division_code=None, called_at=late, operator_no="一号") == {
        "division_code": ("required", "行政区划编码和行政区划文本至少填一项"),
        "called_at": ("future", "来电时间不能晚于当前时间"),
        "operator_no": ("format", "工号为1–32位字母、数字、_或-"),
    }
    assert [w.code for w in read(table, is_anonymous=True).warnings] == ["UNKNOWN_FIELD"]


def test_the_limits_are_those_of_the_data_dictionary() -> None:
    assert DeclarationSchema().fields["content"].most == 4000
    assert ConsultationSchema().fields["content_summary"].most == 2000
