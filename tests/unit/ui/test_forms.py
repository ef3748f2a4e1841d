"""A schema becomes a form, a POST becomes what the schema loads, refusals find their input."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from app.core.errors import Conflict, FieldError, Invalid
from app.ui.forms import FORM, FieldView, error_summary, field_views, form_errors, parse_form
from tests.support.sample_forms import Investigation


def view_of(field: fields.Field[Any], **options: Any) -> FieldView:
    """The view of a single field."""
    return field_views(Schema.from_dict({"thing": field})(), options)[0]


@pytest.mark.parametrize(
    ("field", "widget"),
    [
        (fields.Str(), "text"),
        (fields.Str(validate=validate.Length(max=50)), "text"),
        (fields.Str(validate=validate.Length(max=2000)), "textarea"),
        (fields.Str(validate=validate.OneOf(["a"])), "select"),
        (fields.Str(metadata={"options": [("a", "甲")]}), "select"),
        (fields.Bool(), "switch"),
        (fields.Int(), "number"),
        (fields.Decimal(), "money"),
        (fields.Date(), "date"),
        (fields.AwareDateTime(), "datetime"),
        (fields.List(fields.Str()), "checks"),
        (fields.List(fields.Nested(Schema.from_dict({"name": fields.Str()}))), "people"),
        (fields.Str(metadata={"widget": "unit"}), "unit"),
    ],
)
def test_a_field_gets_the_widget_of_its_type_unless_it_says_otherwise(
    field: fields.Field[Any], widget: str
) -> None:
    assert view_of(field).widget == widget


def test_views_carry_label_limits_and_options_in_the_order_of_the_schema() -> None:
    views = {view.name: view for view in field_views(Investigation(), {"target": [(7, "固始县")]})}

    assert next(iter(views)) == "decision"
    assert views["verification"].options == (("1", "属实"), ("2", "部分属实"), ("3", "不属实"))
    assert views["target"].options == (("7", "固始县"),)
    assert views["target"].show_when == (("decision", ("delegate",)),)
    assert (views["days"].least, views["days"].most) == (1, 30)
    feedback = views["petitioner_feedback"]
    assert (feedback.minlength, feedback.maxlength, feedback.required) == (10, 2000, True)
    assert [part.label for part in views["investigators"].parts] == ["姓名", "职务", "联系电话"]


def test_what_is_needed_once_it_is_shown_is_marked_so_but_only_checked_by_its_form() -> None:
    field = fields.Str(allow_none=True, metadata={"needed": True, "show_when": {"way": ["down"]}})

    assert view_of(field).required
    assert parse_form(Schema.from_dict({"thing": field})(), MultiDict()) == {"thing": None}


def test_fields_that_are_only_shown_are_not_drawn_and_not_read() -> None:
    schema = Schema.from_dict({"no": fields.Str(dump_only=True), "text": fields.Str()})()

    assert [view.name for view in field_views(schema)] == ["text"]
    assert parse_form(schema, MultiDict({"no": "1", "text": "a"})) == {"text": "a"}


def test_a_full_post_loads() -> None:
    posted = MultiDict(
        [
            ("decision", "handle"),
            ("verification", "2"),
            ("risks", "1"),
            ("risks", "3"),
            ("investigated_at", "2026-11-23T09:30"),
            ("promised_on", "2026-12-01"),
            ("amount", "1260.50"),
            ("investigators-0-name", "张敏"),
            ("investigators-0-phone", "13800138000"),
            ("investigators-1-name", ""),
            ("investigators-4-name", "李建国"),
            ("petitioner_feedback", "第一行内容写够\r\n第二行"),
            ("is_public", "1"),
            ("report_files", "7"),
            ("report_files", "8"),
            ("csrf_token", "x"),
        ]
    )

    loaded = Investigation().load(parse_form(Investigation(), posted))

    assert loaded["investigated_at"] == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert loaded["promised_on"] == date(2026, 12, 1)
    assert loaded["amount"] == Decimal("1260.50")
    assert loaded["risks"] == [1, 3]
    assert loaded["investigators"] == [
        {"name": "张敏", "phone": "13800138000"},
        {"name": "李建国"},
    ]
    assert loaded["petitioner_feedback"] == "第一行内容写够\n第二行"
    assert loaded["is_public"] is True
    assert loaded["report_files"] == ["7", "8"]


def test_an_empty_post_names_every_required_field_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        Investigation().load(parse_form(Investigation(), MultiDict()))

    assert set(form_errors(refused.value)) == {
        "decision",
        "verification",
        "investigated_at",
        "investigators",
        "petitioner_feedback",
        "report_files",
    }


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        (fields.Str(), "  ", {}),
        (fields.Str(allow_none=True), "", {"thing": None}),
        (fields.Str(allow_none=True, required=True), "", {}),
        (fields.Str(), " 甲 ", {"thing": "甲"}),
        (fields.Bool(), "", {"thing": False}),
        (fields.Bool(), "0", {"thing": False}),
        (fields.Bool(), "on", {"thing": True}),
        (fields.AwareDateTime(), "2026-11-24T09:30", {"thing": "2026-11-24T09:30:00+08:00"}),
        (fields.AwareDateTime(), "2026-11-24T01:30:00Z", {"thing": "2026-11-24T01:30:00+00:00"}),
        (fields.NaiveDateTime(), "2026-11-24T09:30", {"thing": "2026-11-24T09:30"}),
        (fields.AwareDateTime(), "昨天", {"thing": "昨天"}),
    ],
)
def test_an_input_is_read_as_the_schema_expects_it(
    field: fields.Field[Any], sent: str, read: dict[str, Any]
) -> None:
    assert parse_form(Schema.from_dict({"thing": field})(), MultiDict({"thing": sent})) == read


def test_the_wire_name_is_the_data_key() -> None:
    schema = Schema.from_dict({"text": fields.Str(data_key="content")})()

    assert field_views(schema)[0].name == "content"
    assert parse_form(schema, MultiDict({"content": "甲"})) == {"content": "甲"}


def test_a_flood_of_rows_is_cut() -> None:
    schema = Schema.from_dict(
        {"who": fields.List(fields.Nested(Schema.from_dict({"name": fields.Str()})))}
    )()
    posted = MultiDict((f"who-{row}-name", "甲") for row in range(500))

    assert len(parse_form(schema, posted)["who"]) == 30


@pytest.mark.parametrize(
    ("widget", "value", "text"),
    [
        ("text", None, ""),
        ("datetime", datetime(2026, 11, 24, 1, 30, tzinfo=UTC), "2026-11-24T09:30"),
        ("datetime", "2026-11-24T09:30:00+08:00", "2026-11-24T09:30"),
        ("datetime", "昨天", "昨天"),
        ("date", date(2026, 11, 24), "2026-11-24"),
        ("money", Decimal("1260.50"), "1260.50"),
        ("number", 3, "3"),
    ],
)
def test_values_are_shown_as_inputs_want_them(widget: str, value: Any, text: str) -> None:
    assert FieldView(name="thing", label="", widget=widget).shown(value) == text


def test_people_always_have_three_rows_to_fill() -> None:
    view = view_of(fields.List(fields.Nested(Schema.from_dict({"name": fields.Str()}))))

    assert len(view.people(None)) == 3
    assert view.people([{"name": "张敏"}] * 4) == [{"name": "张敏"}] * 4


def test_errors_of_a_row_are_named_after_their_input_and_told_with_their_row() -> None:
    class Strict(Investigation):
        class Meta:
            unknown = EXCLUDE

    posted = MultiDict({"investigators-0-phone": "123", "investigators-2-name": "张敏"})
    with pytest.raises(ValidationError) as refused:
        Strict(only=("investigators",)).load(
            parse_form(Strict(only=("investigators",)), posted), partial=False
        )
    errors = form_errors(refused.value)

    assert errors == {
        "investigators-0-name": ["必填"],
        "investigators-0-phone": ["请填 11 位手机号"],
    }
    assert error_summary(field_views(Strict()), errors) == [
        ("investigators-0-name", "调查人员第1行姓名", "必填"),
        ("investigators-0-phone", "调查人员第1行联系电话", "请填 11 位手机号"),
    ]


def test_refusals_of_services_find_their_inputs_too() -> None:
    refusal = Invalid(
        [
            FieldError("investigators.0.name", "required", "必填"),
            FieldError("nowhere", "rule", "不合规则"),
        ]
    )

    errors = form_errors(refusal)

    assert errors == {"investigators-0-name": ["必填"], "nowhere": ["不合规则"]}
    assert error_summary(field_views(Investigation()), errors)[0] == ("", "", "不合规则")
    assert form_errors(Conflict("已由李建国办理")) == {FORM: ["已由李建国办理"]}


def test_a_rule_over_several_fields_belongs_to_the_form() -> None:
    assert form_errors(ValidationError({"_schema": ["时间先后不对"]})) == {FORM: ["时间先后不对"]}
    assert form_errors(ValidationError("不行")) == {FORM: ["不行"]}
