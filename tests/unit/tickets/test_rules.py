"""Identity numbers, phones, call times, states: decisions without web or database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.tickets import rules

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def id_card(body: str) -> str:
    """The 17 digits with their check character, by the powers of 2 of GB 11643."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "0123456789X"[(12 - total % 11) % 11]


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # the standard's own example
        "440524188001010014",  # the standard's other example, a person born in 1880
        id_card("52032819900101123"),
        id_card("81000019900101001"),  # 香港居住证
        id_card("82000019900101001"),  # 澳门居住证
        id_card("83000019900101001"),  # 台湾居住证
        id_card("99999920240229001"),  # area prefixes are not judged; a leap day
        id_card("52032820261124001"),  # born today
    ],
)
def test_a_right_identity_number_is_accepted(number: str) -> None:
    assert rules.id_card_problem(number, TODAY) is None


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("110105194912310021", "checksum"),
        ("11010519491231002x", "format"),  # the field makes it X before it asks
        ("11010519491231002", "format"),
        ("110105194912310", "format"),  # the 15 digits of before 1999
        ("11010519491231002XX", "format"),
        ("1101051949123100２X", "format"),
        ("A1010519491231002X", "format"),
        (id_card("52032819900230001"), "birth_date"),  # 30 February
        (id_card("52032820230229001"), "birth_date"),  # no leap year
        (id_card("52032819901301001"), "birth_date"),
        (id_card("52032800000101001"), "birth_date"),
        (id_card("52032818490101001"), "birth_date"),
        (id_card("52032820261125001"), "birth_date"),  # born tomorrow
        ("", "format"),
    ],
)
def test_a_wrong_identity_number_is_named_by_what_is_wrong(number: str, rule: str) -> None:
    problem = rules.id_card_problem(number, TODAY)

    assert problem is not None
    assert problem[0] == rule
    assert "身份证号" in problem[1]


@pytest.mark.parametrize("place", range(17))
def test_every_single_wrong_digit_is_noticed(place: int) -> None:
    right = "440524188001010014"
    wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]

    assert rules.id_card_problem(wrong, TODAY) is not None


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("13800001234", True),
        ("19912345678", True),
        ("085185500001", True),
        ("0851-85500001", True),
        ("010-12345678", True),
        ("0755-1234567", True),
        ("0851-85500001-123", True),
        ("12800001234", False),
        ("1380000123", False),
        ("138000012345", False),
        ("85500001", False),
        ("400-800-1234", False),
        ("0851-85500001-1234567", False),
        ("13800001234\n", False),
        ("138００００１２３４", False),  # the field brings them to ASCII before it asks
        ("١٣٨٠٠٠٠١٢٣٤", False),
        ("", False),
    ],
)
def test_a_phone_is_a_mobile_or_a_landline_with_area_code(number: str, right: bool) -> None:
    assert rules.is_phone(number) is right


@pytest.mark.parametrize(
    ("called_at", "error", "warning"),
    [
        (NOW, "", ""),
        (NOW + timedelta(minutes=5), "", ""),
        (NOW + timedelta(minutes=5, seconds=1), "future", ""),
        (NOW - timedelta(days=30), "", ""),
        (NOW - timedelta(days=30, seconds=1), "", "BACKFILL"),
    ],
)
def test_a_call_from_the_future_is_refused_and_an_old_one_is_a_hint(
    called_at: datetime, error: str, warning: str
) -> None:
    errors, warnings = rules.call_time_problems(called_at, NOW)

    assert [e.rule for e in errors] == [error] * bool(error)
    assert [w.code for w in warnings] == [warning] * bool(warning)


@pytest.mark.parametrize(
    ("anonymous", "confidential", "sealed"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_anonymous_and_confidential_callers_are_sealed(
    anonymous: bool, confidential: bool, sealed: bool
) -> None:
    assert rules.is_sealed(anonymous, confidential) is sealed


@pytest.mark.parametrize(
    ("author", "auditor", "relaxed", "allowed"),
    [
        (7, 8, False, True),
        (7, 7, False, False),
        (7, 7, True, True),
        (None, 7, False, True),
    ],
)
def test_the_auditor_differs_from_the_author_unless_the_unit_is_relaxed(
    author: int | None, auditor: int, relaxed: bool, allowed: bool
) -> None:
    assert rules.may_audit(author, auditor, relaxed=relaxed) is allowed


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("短", "短"),
        ("字" * 40, "字" * 40),
        ("字" * 41, "字" * 39 + "…"),
        ("第一行\n  第二行\t第三", "第一行 第二行 第三"),
    ],
)
def test_the_title_is_the_beginning_of_the_content_in_one_line(content: str, title: str) -> None:
    assert rules.title_of(content) == title


def test_the_states_are_the_required_vocabulary() -> None:
    assert rules.STATES["submitted"] == "待签收"
    assert rules.STATES["result_pending"] == "待反馈"
    assert rules.STATES.keys() == rules.CLOSED | rules.WAITING


@pytest.mark.parametrize(
    ("standing", "reworked", "state"),
    [
        (["handling"], False, "handling"),
        (["handling"], True, "reworking"),
        (["auditing"], True, "auditing"),
        (["handling", "suspended"], False, "suspended"),
        (["suspended", "handling"], True, "suspended"),
        (["reviewing", "dispatching"], False, "dispatching"),
        (["archived"], True, "archived"),
        ([], False, "delegated"),
    ],
)
def test_a_state_is_where_the_diagram_stands(
    standing: list[str], reworked: bool, state: str
) -> None:
    assert rules.state_of(standing, "delegated", reworked=reworked) == state
