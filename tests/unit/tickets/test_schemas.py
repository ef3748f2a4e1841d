"""The intake tables of the seed: all errors at once, hints beside a success, anonymity."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.errors import Invalid
from app.tickets import intake
from app.tickets.intake import Intake
from app.tickets.rules import ANONYMITY_MODES, CALLER_FIELDS
from app.tickets.schemas import ComplaintSchema

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
PERSON = {
    "caller_name": "李某某",
    "contact_phone": "13800001234",
    "caller_address": "湄潭县马山镇三组",
    "id_card_no": "11010519491231002X",
}
HIDDEN_NUMBER = {"caller_number": "unknown"}


def complaint(**changed: Any) -> dict[str, Any]:
    """A complaint as 12345 sends it; a value of None takes the field out."""
    whole = {
        "external_ticket_no": "GZ12345-20261124-000981",
        "operator_no": "GZ12345-0231",
        "caller_number": "0851-12345",
        "called_at": "2026-11-24T09:20:11+08:00",
        "is_anonymous": False,
        **PERSON,
        "division_code": "520328104205",
        "detail_address": "三组",
        "target_info": "村委会主任王某",
        "content": "反映危房改造补助资金未按标准发放。",
        "problem_category": 3,
        "required_completion_date": "2026-12-14",
        "attachments": [],
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def read(mode: str = "named_requires_caller", **changed: Any) -> Intake:
    return intake.read("complaint", complaint(**changed), now=NOW, anonymity_mode=mode)


def refused(mode: str = "named_requires_caller", **changed: Any) -> dict[str, str]:
    """Field → rule of everything that is wrong."""
    with pytest.raises(Invalid) as caught:
        read(mode, **changed)
    assert all(error.message for error in caught.value.errors)
    return {error.field: error.rule for error in caught.value.errors}


def test_the_example_of_the_requirements_is_accepted_without_a_hint() -> None:
    taken = read()

    assert taken.ticket_type == "complaint"
    assert taken.warnings == []
    assert taken.values["problem_category"] == 3
    assert taken.values["urgency"] == 1
    assert taken.values["is_confidential"] is False


EXPECTED = {
    # mode, anonymous → fields that must be there
    ("named_requires_caller", False): {"caller_name", "contact_phone"},
    ("named_requires_caller", True): set(),
    ("named_requires_group", False): set(CALLER_FIELDS),
    ("named_requires_group", True): set(),
    ("seed_literal", False): set(),
    ("seed_literal", True): set(CALLER_FIELDS),
    ("lenient", False): set(),
    ("lenient", True): set(),
}


@pytest.mark.parametrize(("case", "expected"), EXPECTED.items())
@pytest.mark.parametrize("missing", [*CALLER_FIELDS, "all", "none"])
def test_the_anonymity_rule_decides_which_caller_fields_must_be_there(
    case: tuple[str, bool], expected: set[str], missing: str
) -> None:
    mode, anonymous = case
    gone = set(CALLER_FIELDS) if missing == "all" else {missing} & set(CALLER_FIELDS)
    changed = {name: None for name in gone} | {"is_anonymous": anonymous} | HIDDEN_NUMBER

    wrong = gone & expected
    if wrong:
        assert refused(mode, **changed) == {name: "required" for name in wrong}
    else:
        warned = {w.code for w in read(mode, **changed).warnings}
        hint = mode == "lenient" and not anonymous and bool(gone)
        assert warned == ({"CALLER_INFO_INCOMPLETE"} if hint else set())


def test_the_four_modes_are_all_there() -> None:
    assert {mode for mode, _ in EXPECTED} == set(ANONYMITY_MODES)


@pytest.mark.parametrize("blank", ["", "  ", "　"])
def test_a_blank_is_as_missing_as_an_absent_field(blank: str) -> None:
    assert refused(caller_name=blank) == {"caller_name": "required"}


def test_the_phone_of_a_named_caller_defaults_to_the_number_that_called() -> None:
    taken = read(contact_phone=None, caller_number="13900005678")

    assert taken.values["contact_phone"] == "13900005678"


@pytest.mark.parametrize("number", ["unknown", "021-12317", "10086"])
def test_a_number_that_cannot_be_called_back_does_not_stand_in(number: str) -> None:
    assert refused(contact_phone=None, caller_number=number) == {"contact_phone": "required"}


def test_the_phone_of_an_anonymous_caller_is_never_filled_in() -> None:
    taken = read(is_anonymous=True, contact_phone=None, caller_number="13900005678")

    assert "contact_phone" not in taken.values


def test_a_wrong_phone_is_an_error_even_when_the_caller_number_could_stand_in() -> None:
    assert refused(contact_phone="12", caller_number="13900005678") == {"contact_phone": "format"}


def test_a_caller_may_decline_a_field_of_the_group() -> None:
    taken = read("named_requires_group", id_card_no=None, declined_fields=["id_card_no"])

    assert taken.values["declined_fields"] == ["id_card_no"]
    assert refused(
        "named_requires_group", id_card_no=None, caller_address=None, declined_fields=["id_card_no"]
    ) == {"caller_address": "required"}


@pytest.mark.parametrize("declined", [["内容"], ["content"], ["id_card_no\x00"], "id_card_no", [1]])
def test_only_caller_fields_can_be_declined(declined: Any) -> None:
    assert set(refused(declined_fields=declined)) <= {"declined_fields", "declined_fields.0"}


def test_all_errors_come_at_once_also_those_between_fields() -> None:
    wrong = refused(
        external_ticket_no="",
        operator_no="坐席一号",
        caller_number="拨打者",
        called_at="2026-11-24T09:40:00+08:00",
        is_anonymous=False,
        caller_name=None,
        contact_phone="12",
        id_card_no="110105194912310021",
        division_code=None,
        content="字" * 4001,
        problem_category=25,
        required_completion_date="十二月",
        urgency=9,
        is_confidential=0,
    )

    assert wrong == {
        "external_ticket_no": "required",
        "operator_no": "format",
        "caller_number": "format",
        "called_at": "future",
        "caller_name": "required",
        "contact_phone": "format",
        "id_card_no": "checksum",
        "division_code": "required",
        "content": "length",
        "problem_category": "code",
        "required_completion_date": "format",
        "urgency": "code",
        "is_confidential": "format",
    }


def test_an_empty_object_names_every_required_field() -> None:
    with pytest.raises(Invalid) as caught:
        intake.read("complaint", {}, now=NOW, anonymity_mode="named_requires_caller")

    assert {e.field for e in caught.value.errors} == {
        "external_ticket_no",
        "operator_no",
        "caller_number",
        "called_at",
        "is_anonymous",
        "content",
        "problem_category",
        "division_code",
    }
    assert {e.rule for e in caught.value.errors} == {"required"}


@pytest.mark.parametrize(
    ("changed", "warnings"),
    [
        ({"required_completion_date": None}, {"required_completion_date": "DUE_DATE_COMPUTED"}),
        ({"called_at": "2026-10-20T09:00:00+08:00"}, {"called_at": "BACKFILL"}),
        ({"sender_note": "x", "z": 1}, {"sender_note": "UNKNOWN_FIELD", "z": "UNKNOWN_FIELD"}),
        ({"division_code": None, "division_text": "某某村"}, {}),
    ],
)
def test_hints_do_not_refuse(changed: dict[str, Any], warnings: dict[str, str]) -> None:
    assert {w.field: w.code for w in read(**changed).warnings} == warnings


def test_code_or_text_of_the_division_is_enough_and_neither_is_not() -> None:
    assert read(division_text="贵州省遵义市湄潭县").values["division_code"] == "520328104205"
    assert refused(division_code=None) == {"division_code": "required"}
    assert refused(division_code="", division_text="  ") == {"division_code": "required"}


@pytest.mark.parametrize(
    ("given", "anonymous"),
    [(True, True), (False, False), ("是", True), ("否", False), (1, True), (2, False)],
)
def test_whether_anonymous_is_read_in_every_agreed_form(given: Any, anonymous: bool) -> None:
    assert read(is_anonymous=given).values["is_anonymous"] is anonymous


@pytest.mark.parametrize("given", [0, "0"])
def test_zero_is_refused_unless_the_partners_profile_maps_it(given: Any) -> None:
    assert refused(is_anonymous=given) == {"is_anonymous": "format"}

    mapped = intake.read(
        "complaint",
        complaint(is_anonymous=given, is_confidential=1),
        now=NOW,
        anonymity_mode="named_requires_caller",
        boolean_mapping={"0": False, "1": True},
    )
    assert mapped.values["is_anonymous"] is False
    assert mapped.values["is_confidential"] is True


def test_a_profile_may_turn_one_and_two_around() -> None:
    taken = intake.read(
        "complaint",
        complaint(is_anonymous=1),
        now=NOW,
        anonymity_mode="lenient",
        boolean_mapping={"1": False, "2": True},
    )

    assert taken.values["is_anonymous"] is False


@pytest.mark.parametrize(
    "attachments", [["att_1"] * 11, "att_1", [1], [{"id": "att_1"}], ["att_\x00"], ["a" * 200]]
)
def test_attachments_are_at_most_ten_ids(attachments: Any) -> None:
    assert {f.partition(".")[0] for f in refused(attachments=attachments)} == {"attachments"}


def test_text_keeps_its_lines_and_single_line_fields_have_none() -> None:
    assert read(content="一行\r\n二行").values["content"] == "一行\n二行"
    assert refused(detail_address="三组\n二号") == {"detail_address": "format"}


def test_the_limits_are_those_of_the_data_dictionary() -> None:
    limits = {
        "external_ticket_no": 64,
        "caller_name": 50,
        "caller_address": 200,
        "target_info": 1000,
        "content": 4000,
        "division_text": 200,
        "detail_address": 200,
    }
    found = {
        name: getattr(field, "most", None)
        for name, field in ComplaintSchema().fields.items()
        if name in limits
    }

    assert found == limits


@pytest.mark.parametrize("number", ["a" * 32, "GZ_12345-01", "7"])
def test_an_operator_number_has_letters_digits_and_dashes(number: str) -> None:
    assert read(operator_no=number).values["operator_no"] == number
    assert refused(operator_no=number + " !") == {"operator_no": "format"}


def test_a_submission_is_not_changed_by_reading_it() -> None:
    sent = complaint(is_anonymous="0")
    before = dict(sent)

    intake.read("complaint", sent, now=NOW, anonymity_mode="lenient", boolean_mapping={"0": False})

    assert sent == before
