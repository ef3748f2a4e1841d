"""Declarations and consultations at the signed door: one key space, all errors, sealed persons."""

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import session
from tests.support.journey import World, complaint, consultation, declaration


def row_of(world: World, number: str) -> dict[str, Any]:
    """The ticket's row as it is stored."""
    with world.app.app_context():
        query = text("select * from tickets where acceptance_no = :number")
        found = session().execute(query, {"number": number}).mappings().one()
        session().rollback()
    return dict(found)


def test_a_declaration_is_stored_with_its_household_sealed(world: World) -> None:
    number = world.declare(poverty_risk=["因病", 9])

    row = row_of(world, number)
    assert (row["ticket_type"], row["poverty_risk"], row["relation"]) == (
        "declaration",
        [1, 9],
        "父子",
    )
    assert (row["is_anonymous"], row["problem_category"]) == (False, None)
    assert "罗大某".encode() not in bytes(row["household_head"])
    assert row["id_card_hash"] is not None


def test_a_consultation_is_stored_with_its_callback_number_sealed(world: World) -> None:
    number = world.ask(service_type="建议")

    row = row_of(world, number)
    assert (row["ticket_type"], row["caller_category"]) == ("suggestion", 2)
    assert row["content"].startswith("咨询脱贫人口")
    assert b"13800001240" not in bytes(row["contact_phone"])
    assert row["contact_phone_hash"] is not None
    assert row["poverty_risk"] is None


@pytest.mark.parametrize("table", ["declaration", "consultation"])
def test_the_same_submission_again_gets_the_same_receipt(world: World, table: str) -> None:
    sent = {"declaration": declaration, "consultation": consultation}[table]()
    submit = getattr(world.partner, f"submit_{table}")

    first, again = submit(sent), submit(sent)
    changed = submit({**sent, "detail_address": "五组"})

    assert (first.status, again.status) == (201, 200)
    assert again.data == {**first.data, "duplicate": True}
    assert (changed.status, changed.envelope["code"]) == (409, "IDEMPOTENCY_CONFLICT")


def test_a_number_is_given_once_whatever_the_type(world: World) -> None:
    sent = complaint()
    assert world.partner.submit_complaint(sent).status == 201
    everything = {**declaration(), **consultation(), **sent}

    for answer in (
        world.partner.submit_declaration(everything),
        world.partner.submit_consultation(everything),
    ):
        assert (answer.status, answer.envelope["code"]) == (409, "IDEMPOTENCY_CONFLICT")


def test_all_wrong_fields_of_a_consultation_are_named_at_once(world: World) -> None:
    sent = consultation(service_type=3, content_summary=" ", callback_phone="12")

    answer = world.partner.submit_consultation(sent)

    assert answer.status == 422
    errors = {e["field"]: (e["rule"], e["message"]) for e in answer.envelope["errors"]}
    assert errors == {
        "service_type": ("code", "取值应为1–2或其中文名称"),
        "content_summary": ("required", "必填"),
        "callback_phone": ("format", "请填11位手机号或带区号的固定电话"),
    }


@pytest.mark.parametrize(
    ("table", "codes"),
    [("declaration_outcome", [1, 2, 3, 4, 5, 9]), ("monitor_type", [1, 2, 3]), ("adopted", 4)],
)
def test_the_code_tables_of_the_results_can_be_asked_for(
    world: World, table: str, codes: Any
) -> None:
    wanted = codes if isinstance(codes, list) else list(range(1, codes + 1))

    assert [c["code"] for c in world.partner.code_table(table).data["codes"]] == wanted
