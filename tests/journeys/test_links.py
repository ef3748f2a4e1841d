"""Tickets that name each other: the same matter, and a complaint that asks for a review."""

from datetime import timedelta

import pytest

from app.core.db import db, transact
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.pages import Browser


@pytest.fixture
def people(world: World) -> Chain:
    return world.chain()


def page(world: World, people: Chain, number: str) -> str:
    return Browser(world.app, people.province).get(f"/tickets/{number}").text


def test_two_tickets_name_each_other_and_go_on(world: World, people: Chain) -> None:
    one, other = world.submit(), world.submit()

    world.act(people.province, one, "link", other_no=other, relation="same", note="同村同一件事")

    assert f"同一诉求：{other}" in page(world, people, one)
    assert f"同一诉求：{one}" in page(world, people, other)
    assert world.status(one) == world.status(other) == "submitted"


def test_a_review_is_asked_of_a_concluded_complaint_within_thirty_days(
    world: World, people: Chain
) -> None:
    first, review = world.submit(), world.submit()
    early = world.act(people.province, review, "link", 422, other_no=first, relation="review")
    assert [(e["field"], e["rule"]) for e in early["errors"]] == [("other_no", "state")]
    world.conclude(first, people)
    world.call_back(first)
    assert world.status(first) == "archived"

    world.act(people.province, review, "link", other_no=first, relation="review")
    assert f"申请复查：{first}" in page(world, people, review)

    with world.app.app_context():

        def long_ago() -> None:
            ticket_numbered(first).archived_at -= timedelta(days=31)

        transact(long_ago)
        db.session.remove()
    late = world.act(people.province, review, "link", 422, other_no=first, relation="second_review")
    assert [e["rule"] for e in late["errors"]] == ["late"]


def test_what_is_not_ours_or_itself_cannot_be_linked(world: World, people: Chain) -> None:
    number = world.submit()

    for other in (number, "TS0000000000000000000X"):
        refused = world.act(people.province, number, "link", 422, other_no=other, relation="same")
        assert [e["field"] for e in refused["errors"]] == ["other_no"]
