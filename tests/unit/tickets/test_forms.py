"""The forms of the user tasks: what must be there, and what depends on what."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from marshmallow import Schema

from app.tickets import forms, report_forms

SIGN_IN, REVIEW = forms.SignInForm(), forms.ReviewForm()
DISPATCH, CITY = forms.DispatchForm(), forms.CityDecideForm()
AUDIT, COUNTY = forms.AuditForm(), forms.CountyDecideForm()
RETURN, PERMIT = forms.ReviewReturnForm(), forms.PermitForm()
INVESTIGATE, DECLARATION = report_forms.InvestigateForm(), report_forms.DeclarationForm()
ANSWER, SUGGESTION = report_forms.AnswerForm(), report_forms.SuggestionForm()
TEN = "理由须写满十个字以上"
TOLD = {"informed_at": "2026-11-24T10:00:00+08:00", "inform_method": 1}
TRIED = [{"at": f"2026-11-2{day}T10:00:00+08:00"} for day in (2, 3, 4)]


def report(**changed: Any) -> dict[str, Any]:
    """A good report; a value of None takes the field out."""
    whole = {
        "investigated_at": "2026-11-24",
        "verification_result": 2,
        "investigators": [{"name": "周明远", "position": "科员", "phone": "13800009999"}],
        "inform_status": 1,
        "informed_at": "2026-11-24T10:00:00+08:00",
        "inform_method": 1,
        "petitioner_feedback": "已电话告知核实情况。",
        "report_files": ["att_1"],
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (SIGN_IN, {}),
        (SIGN_IN, {"remark": None}),
        (SIGN_IN, {"remark": "已阅"}),
        (REVIEW, {"review": "accept"}),
        (REVIEW, {"review": "accept", "division_code": "520328104205", "opinion": "受理"}),
        (DISPATCH, {"route": "province"}),
        (DISPATCH, {"route": "down", "target_unit_id": 7, "instruction": "请核实"}),
        (DISPATCH, {"route": "down", "target_unit_id": "7"}),
        (CITY, {"city_route": "self"}),
        (COUNTY, {}),
        (COUNTY, {"county_route": "back", "return_reason": TEN}),
        (RETURN, {"decision": "agree"}),
        (PERMIT, {"permit": "accused", "permit_reason": TEN}),
        (CITY, {"city_route": "county", "target_unit_id": 7}),
        (AUDIT, {"decision": "approve"}),
        (AUDIT, {"decision": "reject", "opinion": "请补充票据"}),
        (INVESTIGATE, report()),
        (INVESTIGATE, report(amount_involved="0")),
        (INVESTIGATE, report(amount_involved="999999999999")),
        (INVESTIGATE, report(inform_status=2)),
        (
            INVESTIGATE,
            report(inform_status=3, informed_at=None, inform_method=None, contact_attempts=TRIED),
        ),
        (INVESTIGATE, report(inform_status=4, informed_at=None, inform_method=None)),
        (INVESTIGATE, report(verification_result="不属实", inform_status="匿名不适用")),
    ],
)
def test_a_complete_form_is_accepted(schema: Schema, values: dict[str, Any]) -> None:
    assert schema.validate(values) == {}


@pytest.mark.parametrize(
    ("schema", "values", "wrong"),
    [
        (SIGN_IN, {"remark": "好"}, {"remark"}),
        (SIGN_IN, {"remark": "字" * 1001}, {"remark"}),
        (SIGN_IN, {"unknown": 1}, {"unknown"}),
        (REVIEW, {}, {"review"}),
        (REVIEW, {"review": "refuse"}, {"review"}),
        (
            REVIEW,
            {"review": "return", "return_reason": "短"},
            {"return_reason_code", "return_reason"},
        ),
        (REVIEW, {"review": "supplement"}, {"supplement_request"}),
        (REVIEW, {"review": "merge"}, {"merged_into"}),
        (REVIEW, {"review": "accept", "ticket_type": "letter"}, {"ticket_type"}),
        (COUNTY, {"county_route": "back"}, {"return_reason"}),
        (CITY, {"city_route": "back", "return_reason": "不归我管"}, {"return_reason"}),
        (DISPATCH, {"route": "province", "cohandlers": [7]}, {"cohandle_request"}),
        (RETURN, {"decision": "refuse"}, {"opinion"}),
        (RETURN, {"decision": "p12345"}, {"return_reason_code", "return_reason"}),
        (PERMIT, {"permit": "anything", "permit_reason": "短"}, {"permit", "permit_reason"}),
        (REVIEW, {"review": "return"}, {"return_reason_code", "return_reason"}),
        (REVIEW, {"review": "transfer", "transfer_org": "x"}, {"transfer_org", "transfer_reason"}),
        (REVIEW, {"review": "accept", "division_code": "5" * 13}, {"division_code"}),
        (DISPATCH, {}, {"route"}),
        (DISPATCH, {"route": "down"}, {"target_unit_id"}),
        (DISPATCH, {"route": "down", "target_unit_id": "市局"}, {"target_unit_id"}),
        (DISPATCH, {"route": "sideways", "target_unit_id": 7}, {"route"}),
        (CITY, {"city_route": "county"}, {"target_unit_id"}),
        (CITY, {"city_route": "province"}, {"city_route"}),
        (INVESTIGATE, report(inform_status=2, inform_method=None), {"inform_method"}),
        (INVESTIGATE, report(inform_status=3), {"contact_attempts"}),
        (INVESTIGATE, report(inform_status=3, contact_attempts=TRIED[:2]), {"contact_attempts"}),
        (
            INVESTIGATE,
            report(inform_status=3, contact_attempts=TRIED[:1] * 3),
            {"contact_attempts"},
        ),
        (AUDIT, {}, {"decision"}),
        (AUDIT, {"decision": "reject"}, {"opinion"}),
        (AUDIT, {"decision": "reject", "opinion": "  "}, {"opinion"}),
        (AUDIT, {"decision": "maybe"}, {"decision"}),
        (
            INVESTIGATE,
            {},
            {
                "investigated_at",
                "verification_result",
                "investigators",
                "inform_status",
                "petitioner_feedback",
                "report_files",
            },
        ),
        (INVESTIGATE, report(inform_status=None), {"inform_status"}),
        (
            INVESTIGATE,
            report(informed_at=None, inform_method=None),
            {"informed_at", "inform_method"},
        ),
        (INVESTIGATE, report(inform_status=5), {"inform_status"}),
        (INVESTIGATE, report(verification_result=4), {"verification_result"}),
        (INVESTIGATE, report(report_files=[]), {"report_files"}),
        (INVESTIGATE, report(report_files=["att_1"] * 11), {"report_files"}),
        (INVESTIGATE, report(investigators=[]), {"investigators"}),
        (INVESTIGATE, report(petitioner_feedback="已告知"), {"petitioner_feedback"}),
        (INVESTIGATE, report(amount_involved="-1"), {"amount_involved"}),
        (INVESTIGATE, report(amount_involved="NaN"), {"amount_involved"}),
        (INVESTIGATE, report(amount_involved="Infinity"), {"amount_involved"}),
        (INVESTIGATE, report(amount_involved="一万二"), {"amount_involved"}),
        (INVESTIGATE, report(amount_involved="1000000000000"), {"amount_involved"}),
    ],
)
def test_a_form_names_what_is_wrong(
    schema: Schema, values: dict[str, Any], wrong: set[str]
) -> None:
    assert set(schema.validate(values)) == wrong


@pytest.mark.parametrize("missing", ["name", "position", "phone"])
def test_an_investigator_has_name_position_and_phone(missing: str) -> None:
    whole = {"name": "周明远", "position": "科员", "phone": "13800009999"}
    people = [whole, {k: v for k, v in whole.items() if k != missing}]

    assert INVESTIGATE.validate(report(investigators=people)) == {
        "investigators": {1: {missing: ["必填"]}}
    }


@pytest.mark.parametrize(
    ("given", "kept"), [("12000", "12000.00"), ("0.019", "0.02"), (12, "12.00"), ("0.5", "0.50")]
)
def test_an_amount_is_kept_in_yuan_and_fen(given: Any, kept: str) -> None:
    loaded = INVESTIGATE.load(report(amount_involved=given))

    assert f"{loaded['amount_involved']}" == kept


def test_a_report_is_read_into_days_moments_and_numbers() -> None:
    loaded = INVESTIGATE.load(report(informed_at="2026-11-24T10:00"))

    assert loaded["investigated_at"] == date(2026, 11, 24)
    assert loaded["informed_at"] == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert loaded["inform_status"] == 1


def outcome(**changed: Any) -> dict[str, Any]:
    """A good outcome of a declaration; a value of None takes the field out."""
    whole = {
        "outcome": 2,
        "inform_status": 2,
        **TOLD,
        "petitioner_feedback": "已电话告知结果。",
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def answer(**changed: Any) -> dict[str, Any]:
    """A good answer; a value of None takes the field out."""
    whole = {"answer": "请到乡镇便民中心办理小额信贷。", "answer_mode": "direct", **changed}
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (DECLARATION, outcome()),
        (DECLARATION, outcome(outcome=1, monitor_type="边缘易致贫户")),
        (DECLARATION, outcome(outcome=3, outcome_note="人均收入高于监测线")),
        (DECLARATION, outcome(outcome="其它", outcome_note="已迁往外省")),
        (DECLARATION, outcome(outcome=4)),
        (DECLARATION, outcome(outcome=5, inform_status=3, contact_attempts=TRIED)),
        (DECLARATION, outcome(inform_status=1, **TOLD)),
        (DECLARATION, outcome(report_files=["att_1"])),
        (DECLARATION, outcome(report_files=[])),
        (ANSWER, answer()),
        (ANSWER, answer(answer_mode="callback", inform_status=1, **TOLD)),
        (ANSWER, answer(answer_mode="callback", inform_status=3, contact_attempts=TRIED)),
        (SUGGESTION, answer(adopted=4)),
        (SUGGESTION, answer(adopted="部分采纳")),
    ],
)
def test_a_complete_result_of_the_other_types_is_accepted(
    schema: Schema, values: dict[str, Any]
) -> None:
    assert schema.validate(values) == {}


@pytest.mark.parametrize(
    ("schema", "values", "wrong"),
    [
        (DECLARATION, {}, {"outcome", "inform_status", "petitioner_feedback"}),
        (DECLARATION, outcome(outcome=6), {"outcome"}),
        (DECLARATION, outcome(outcome=1), {"monitor_type"}),
        (DECLARATION, outcome(outcome=3), {"outcome_note"}),
        (DECLARATION, outcome(outcome=9, outcome_note=" "), {"outcome_note"}),
        (
            DECLARATION,
            outcome(inform_status=1, informed_at=None, inform_method=None),
            {"informed_at", "inform_method"},
        ),
        (DECLARATION, outcome(report_files=["att_1"] * 11), {"report_files"}),
        (ANSWER, {}, {"answer", "answer_mode"}),
        (ANSWER, answer(answer="请到乡镇办理。"), {"answer"}),
        (ANSWER, answer(answer="字" * 2001), {"answer"}),
        (ANSWER, answer(answer_mode="letter"), {"answer_mode"}),
        (ANSWER, answer(answer_mode="callback"), {"inform_status"}),
        (
            ANSWER,
            answer(answer_mode="callback", inform_status=1),
            {"informed_at", "inform_method"},
        ),
        (ANSWER, answer(adopted=1), {"adopted"}),
        (SUGGESTION, answer(), {"adopted"}),
        (SUGGESTION, answer(adopted=5), {"adopted"}),
    ],
)
def test_a_result_of_the_other_types_names_what_is_wrong(
    schema: Schema, values: dict[str, Any], wrong: set[str]
) -> None:
    assert set(schema.validate(values)) == wrong


def test_codes_with_a_gap_are_listed_one_by_one() -> None:
    said = DECLARATION.validate(outcome(outcome=6))

    assert said == {"outcome": ["取值应为1、2、3、4、5、9或其中文名称"]}
