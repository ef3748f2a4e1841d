"""The default policy says what the table of limits says, and a wrong policy is refused by name."""

from typing import Any

import pytest

from app.core.errors import Invalid
from app.deadlines import policy as policies
from app.deadlines.policy import SOURCES, TITLES, TYPES, default, default_values, merged, policy_of
from app.deadlines.stages import STAGES
from app.tickets.sources import SOURCES as TICKET_SOURCES
from app.tickets.types import TICKET_TYPES

DEFAULT = default()


def limit(stage: str, *words: str) -> str | None:
    rule = DEFAULT.rule(stage, frozenset({"any", *words}))
    return str(rule.limit) if rule else None


@pytest.mark.parametrize(
    ("stage", "complaint", "declaration", "consultation", "suggestion"),
    [
        ("total", "15wd", "20wd", "2wd", "10wd"),
        ("notify_acceptance", "15cd", "15cd", None, "15cd"),
        ("first_contact", "1wd", "2cd", "4wh", "1wd"),
        ("sign_in", "4wh", "4wh", "2wh", "4wh"),
        ("review", "1wd", "1wd", "4wh", "1wd"),
        ("dispatch", "4wh", "4wh", "2wh", "3wh"),
        ("city_forward", "1wd", "1wd", "4wh", "1wd"),
        ("county_sign_in", "4wh", "4wh", "2wh", "4wh"),
        ("handle", "9wd", "14wd", "6wh", "5wd"),
        ("audit_city", "1wd", "1wd", None, "1wd"),
        ("audit_province", "1wd", "1wd", None, "1wd"),
        ("return_decision", "1wd", "1wd", "1wd", "1wd"),
        ("supplement_wait", "2wd", "2wd", "1wd", "2wd"),
        ("review_return", "1wd", "1wd", "4wh", "1wd"),
        ("return_window", "1wd", "1wd", "4wh", "1wd"),
        ("result_push", "5min", "5min", "5min", "5min"),
        ("result_push_alarm", "60min", "60min", "60min", "60min"),
        ("callback", "5wd", "5wd", "5wd", "5wd"),
        ("urge_reply", "1wd", "1wd", "1wd", "1wd"),
        ("consider_supervision", "1wd", "1wd", "1wd", "1wd"),
        ("supervision_reply", "3wd", "3wd", "3wd", "3wd"),
    ],
)
def test_the_default_limits(
    stage: str, complaint: str, declaration: str, consultation: str | None, suggestion: str
) -> None:
    found = [limit(stage, kind) for kind in TYPES]

    assert found == [complaint, declaration, consultation, suggestion]


@pytest.mark.parametrize(
    ("stage", "words", "wanted"),
    [
        ("sign_in", "complaint urgent", "2wh"),
        ("total", "consultation delegated", "5wd"),
        ("total", "complaint petition letter", "60cd"),
        ("total", "declaration petition letter", "20wd"),
        ("total", "consultation petition email", "10wd"),
        ("total", "suggestion petition visit delegated", "60cd"),
        ("total", "complaint reopened", "5wd"),
        ("total", "complaint petition reopened letter", "5wd"),
        ("handle", "consultation delegated", "2wd"),
        ("handle", "complaint rejected", "3wd"),
        ("handle", "declaration rejected", "3wd"),
        ("handle", "consultation rejected delegated", "4wh"),
        ("handle", "suggestion rejected", "2wd"),
        ("handle", "complaint rejected petition", "3wd"),
        ("handle", "complaint reopened delegated", "3wd"),
        ("handle", "declaration reopened", "3wd"),
        ("handle", "suggestion petition letter reopened", "3wd"),
        ("handle", "consultation reopened", "6wh"),
        ("handle", "consultation reopened delegated", "2wd"),
        ("handle", "suggestion reopened rejected", "2wd"),
        ("handle", "consultation reopened rejected delegated", "4wh"),
        ("audit_province", "consultation delegated", "2wh"),
        # who checks a call signs nothing in: what is urgent is looked at as soon
        ("review", "complaint call urgent", "2wh"),
        ("review", "consultation call urgent", "2wh"),
        ("review", "complaint call", "1wd"),
        ("review", "complaint urgent", "1wd"),
    ],
)
def test_the_line_that_fits_best_is_taken(stage: str, words: str, wanted: str) -> None:
    assert limit(stage, *words.split()) == wanted


@pytest.mark.parametrize(
    ("words", "times", "days"),
    [
        ("complaint", 1, 30),
        ("declaration", 1, 15),
        ("consultation", 0, 0),
        ("suggestion", 1, 15),
        ("suggestion petition", 1, 30),
    ],
)
def test_what_may_be_asked_for(words: str, times: int, days: int) -> None:
    found = DEFAULT.extension(frozenset({"any", *words.split()}))

    assert (found.max_times, found.max_days, found.unit) == (times, days, "cd")
    assert str(found.apply_before) == "1wd"


def test_every_stage_of_a_diagram_has_a_limit_and_every_word_means_something() -> None:
    assert set(DEFAULT.rules) == set(TITLES)
    assert set(STAGES) <= set(TITLES)
    assert set(TYPES) == set(TICKET_TYPES)
    assert set(SOURCES) == set(TICKET_SOURCES)
    assert all(rule.basis for rules in DEFAULT.rules.values() for rule in rules)


@pytest.mark.parametrize(
    ("override", "field", "rule"),
    [
        ({"limits": {"siesta": {"any": "1wd"}}}, "limits.siesta", "stage"),
        ({"limits": {"dispatch": {"any": "-1wd"}}}, "limits.dispatch.any", "limit"),
        ({"limits": {"dispatch": {"any": "0wd"}}}, "limits.dispatch.any", "limit"),
        ({"limits": {"dispatch": {"any": "9999wd"}}}, "limits.dispatch.any", "limit"),
        ({"limits": {"dispatch": {"any": "2 weeks"}}}, "limits.dispatch.any", "limit"),
        ({"limits": {"dispatch": {"any": 2}}}, "limits.dispatch.any", "limit"),
        ({"limits": {"dispatch": {"martian": "1wd"}}}, "limits.dispatch.martian", "word"),
        ({"limits": {"dispatch": {"law": "custom"}}}, "limits.dispatch.law", "law"),
        (
            {"limits": {"dispatch": {"any": {"limit": "1wd", "law": "x"}}}},
            "limits.dispatch.any",
            "law",
        ),
        ({"limits": {"review": {"after": "lunch"}}}, "limits.review.after", "stage"),
        ({"limits": {"handle": {"complaint": "12wd"}}}, "limits.total.complaint", "sum"),
        ({"limits": {"total": {"complaint": "10wd"}}}, "limits.total.complaint", "sum"),
        ({"limits": {"handle": {"complaint petition": "60cd"}}}, None, "sum"),
        ({"limits": {"dispatch": {"any": "30min"}}}, "limits.dispatch.any", "unit"),
        ({"limits": {"result_push": {"any": "1wh"}}}, "limits.result_push.any", "unit"),
        ({"limits": {"return_window": {"any": "6wd"}}}, "limits.return_window.any", "most"),
        (
            {"limits": {"return_window": {"complaint": "36wh"}}},
            "limits.return_window.complaint",
            "most",
        ),
        ({"limits": {"return_window": {"any": "8cd"}}}, "limits.return_window.any", "most"),
        ({"limits": {"total": {"complaint visit": "20wd"}}}, "limits.total.complaint visit", "sum"),
        ({"limits": {"handle": {"complaint call": "12wd"}}}, "limits.total.complaint", "sum"),
        ({"limits": 5}, "limits", "required"),
        ({"limits": {"dispatch": "1wd"}}, "limits.dispatch", "form"),
        ({"limits": {"dispatch": {"": "1wd"}}}, "limits.dispatch.", "word"),
        ({"limits": {"dispatch": {"law": ["law"]}}}, "limits.dispatch.law", "law"),
        ({"limits": {"dispatch": {"basis": ["x"]}}}, "limits.dispatch.basis", "basis"),
        (
            {"limits": {"dispatch": {"any": {"limit": "4wh", "law": {}}}}},
            "limits.dispatch.any",
            "law",
        ),
        (
            {"limits": {"dispatch": {"any": {"limit": "4wh", "basis": 5}}}},
            "limits.dispatch.any",
            "basis",
        ),
        (
            {"limits": {"dispatch": {"any": {"limit": "4wh", "lwa": "law"}}}},
            "limits.dispatch.any",
            "form",
        ),
        ({"limits": {"review": {"after": ["sign_in"]}}}, "limits.review.after", "stage"),
        (
            {"limits": {"total": {"complaint urgent": "1wd"}}},
            "limits.total.complaint urgent",
            "sum",
        ),
        ({"limits": {"total": {"any reopened": "2wd"}}}, "limits.total.any reopened", "sum"),
        ({"limits": {"handle": {"any rejected": "100wd"}}}, "limits.total.complaint", "sum"),
        ({"limits": {"handle": {"complaint urgent": "12wd"}}}, "limits.total.complaint", "sum"),
        ({"limits": {"handle": {"any reopened": "4wd"}}}, "limits.total.any reopened", "sum"),
        (
            {"limits": {"handle": {"suggestion petition reopened": "9wd"}}},
            "limits.total.any petition reopened",
            "sum",
        ),
        ({"limits": {"sign_in": {"any": "100wd"}}}, "limits.sign_in.any", "sum"),
        ({"limits": {"sign_in": {"any urgent": "5wh"}}}, "limits.sign_in.any urgent", "sum"),
        ({"limits": {"review": {"consultation": "1wh"}}}, "limits.sign_in.consultation", "sum"),
        ({"limit": {"total": {"complaint": "9wd"}}}, "limit", "section"),
        ({"lights": {"yellow": True}}, "lights.yellow", "number"),
        ({"escalation": {"gaol": "9wd"}}, "escalation.gaol", "step"),
        ({"extension": {"unit": ["cd"]}}, "extension.unit", "unit"),
        ({"extension": {"max_times": {"any": True}}}, "extension.max_times.any", "number"),
        ({"extension": {"max_days": {"": 15}}}, "extension.max_days.", "word"),
        ({"extension": {"most_days": 15}}, "extension.most_days", "form"),
        ({"lights": {"yellow": 95}}, "lights", "order"),
        ({"lights": {"orange_days": 3}}, "lights", "order"),
        ({"lights": {"yellow": 170}}, "lights.yellow", "number"),
        ({"lights": {"purple": 7}}, "lights.purple", "number"),
        ({"escalation": {"leaders": "9wd"}}, "escalation", "order"),
        ({"escalation": {"notice": "soon"}}, "escalation.notice", "limit"),
        ({"extension": {"max_days": {"any": 31}}}, "extension.max_days.any", "number"),
        ({"extension": {"max_times": {"any": 3}}}, "extension.max_times.any", "number"),
        ({"extension": {"max_times": {"mars": 1}}}, "extension.max_times.mars", "word"),
        ({"extension": {"max_times": 1}}, "extension.max_times", "any"),
        ({"extension": {"unit": "weeks"}}, "extension.unit", "unit"),
        ({"extension": {"apply_before": ""}}, "extension.apply_before", "limit"),
    ],
)
def test_a_policy_with_a_wrong_line_is_refused_by_name(
    override: dict[str, Any], field: str | None, rule: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policy_of(merged(default_values(), override), "x")

    found = {(each.field, each.rule) for each in refused.value.errors}
    assert refused.value.code == "POLICY_INVALID"
    assert rule in {each for _, each in found}
    assert field is None or (field, rule) in found


@pytest.mark.parametrize("stage", list(TITLES))
@pytest.mark.parametrize("lines", [None, {}, {"basis": "惯例", "law": "practice"}])
def test_no_stage_may_be_lost(stage: str, lines: dict[str, str] | None) -> None:
    values = dict(default_values())
    values["limits"] = {key: table for key, table in values["limits"].items() if key != stage}
    if lines is not None:
        values["limits"][stage] = lines

    with pytest.raises(Invalid) as refused:
        policy_of(values, "x")

    assert (f"limits.{stage}", "required") in {(e.field, e.rule) for e in refused.value.errors}


def test_an_urgent_sign_in_may_take_longer_than_the_check_of_an_urgent_call() -> None:
    lines = {"limits": {"sign_in": {"any urgent": "3wh"}}}

    assert policy_of(merged(default_values(), lines), "x").version == "x"


def test_all_wrong_lines_are_named_at_once() -> None:
    override = {"limits": {"siesta": {}, "dispatch": {"any": "x", "mars": "1wd"}}}

    with pytest.raises(Invalid) as refused:
        policy_of(merged(default_values(), override), "x")

    assert len(refused.value.errors) == 3


def test_an_override_changes_its_lines_and_leaves_the_rest() -> None:
    made = policy_of(
        merged(default_values(), {"limits": {"sign_in": {"any": "2wh"}}}), "1+520000.1"
    )

    assert str(made.rule("sign_in", frozenset({"any", "complaint"})).limit) == "2wh"  # type: ignore[union-attr]
    assert limit("sign_in", "complaint") == "4wh"
    assert made.rule("total", frozenset({"any", "complaint"})) == DEFAULT.rule(
        "total", frozenset({"any", "complaint"})
    )
    assert policies.default().version == "1"
