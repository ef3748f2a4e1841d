"""Duplicates (重复件, DUP-01…04): found, merged by a person, answered under every number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.core.db import session
from app.matters import queries
from app.tickets import duplicates
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU, Person

VILLAGE = "520328004001"
OTHERS_PHONE = {"caller_number": "13900009876", "contact_phone": "13900009876"}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def review(world: World, person: Person, number: str, into: str, status: int = 200) -> object:
    """Sign in and merge."""
    (task,) = world.tasks(person, number)
    if task["element_id"] == "sign_in":
        world.complete_task(person, task, {}, 200)
        (task,) = world.tasks(person, number)
    values = {"review": "merge", "merged_into": into}
    return world.complete_task(person, task, values, status).json()


def told(world: World, number: str) -> list[str]:
    world.deliver()
    return [
        message.body.get("event", message.operation)
        for message in world.received()
        if message.body["acceptance_no"] == number
    ]


def test_a_merged_ticket_ends_and_its_number_gets_the_result_once(
    world: World, people: Chain
) -> None:
    kept, merged = world.submit(), world.submit(caller_name="赵某某")
    world.down(kept, people)

    review(world, people.province, merged, kept)

    assert world.status(merged) == "merged"
    assert world.tasks(people.province, merged) == []
    assert told(world, merged) == ["merged"]
    event = world.received()[-1].body
    assert event["merged_into"] == kept
    world.hand_in(people.county, kept)
    world.complete(people.city_auditor, kept, decision="approve")
    world.complete(people.province_auditor, kept, decision="approve")
    assert told(world, kept) == ["results/complaints"]
    assert told(world, merged) == ["merged", "results/complaints"]
    one, two = (
        next(
            m.body
            for m in world.received()
            if m.body["acceptance_no"] == number and m.operation == "results/complaints"
        )
        for number in (kept, merged)
    )
    assert two["external_ticket_no"] != one["external_ticket_no"]
    assert two["merged_into"] == kept
    assert two["verification_result"] == one["verification_result"]
    assert two["petitioner_feedback"] != one["petitioner_feedback"]
    assert world.status(merged) == "merged"
    world.call_back(kept, 1)
    assert world.status(kept) == "archived"


def test_what_comes_for_a_merged_ticket_goes_to_the_one_that_goes_on(
    world: World, people: Chain
) -> None:
    kept, merged = world.submit(), world.submit()
    world.down(kept, people)
    review(world, people.province, merged, kept)

    supplied = world.partner.supplement(merged, "来电人补充：还有两户未领到。")
    urged = world.partner.urge(merged, "来电人询问进展。")

    assert (supplied.status, supplied.data["taken_by"]) == (201, kept)
    assert (urged.status, urged.data["taken_by"]) == (201, kept)
    waiting = sorted(t["element_id"] for t in world.tasks(people.county, kept))
    assert waiting == ["answer_urge", "handle_by_county", "read_supplement"]
    with world.app.app_context():
        assert {m.via for m in queries.of_ticket(ticket_numbered(kept).id)} == {merged}
        session().rollback()
    withdrawn = world.partner.withdraw(merged, "来电人要求撤回。")
    assert (withdrawn.status, withdrawn.envelope["current_state"]) == (409, "merged")


def test_merges_make_a_chain_and_all_hear_the_result(world: World, people: Chain) -> None:
    first, second, third = (world.submit() for _ in range(3))
    review(world, people.province, first, second)
    review(world, people.province, second, third)

    world.conclude(third, people)

    for number in (first, second, third):
        assert told(world, number).count("results/complaints") == 1
    assert world.partner.supplement(first, "补充材料。").data["taken_by"] == third


def test_a_ticket_cannot_be_merged_into_what_gives_no_result(world: World, people: Chain) -> None:
    number, closed, question = world.submit(), world.submit(), world.ask()
    world.conclude(closed, people)
    merged, kept = world.submit(), world.submit()
    review(world, people.province, merged, kept)

    for into, rule in (
        (number, "self"),
        ("TS5200002026112300042S", "unknown"),
        (closed, "state"),
        (merged, "merged"),
        (question, "type"),
    ):
        refused = review(world, people.province, number, into, 422)
        assert [e["field"] for e in refused["errors"]] == ["merged_into"], into
        assert [e["rule"] for e in refused["errors"]] == [rule]
        assert world.status(number) == "reviewing"


def test_another_provinces_ticket_is_unknown(
    world: World, world_of: Callable[[str], World], people: Chain
) -> None:
    elsewhere = world_of("500000").submit(division_code="500101000000")
    number = world.submit()

    refused = review(world, people.province, number, elsewhere, 422)

    assert [e["rule"] for e in refused["errors"]] == ["unknown"]


def test_a_ticket_that_goes_on_for_others_is_not_returned(world: World, people: Chain) -> None:
    """12345 would take back one number, and was not asked about the others."""
    kept, merged = world.submit(), world.submit()
    review(world, people.province, merged, kept)
    world.complete(people.province, kept)
    (task,) = world.tasks(people.province, kept)
    back = {
        "review": "return",
        "return_reason_code": 1,
        "return_reason": "反映的是城市供水问题，建议转水务部门。",
    }

    refused = world.complete_task(people.province, task, back, 409).json()

    assert refused["code"] == "MERGED_TICKETS"
    assert world.status(kept) == "reviewing"
    assert told(world, merged) == ["merged"]


def test_where_a_matter_was_transferred_is_told_for_every_number(
    world: World, people: Chain
) -> None:
    leader = world.employ(GUIZHOU, "province_leader")
    kept, merged = world.submit(), world.submit()
    review(world, people.province, merged, kept)
    world.complete(people.province, kept)
    world.complete(
        people.province,
        kept,
        review="transfer",
        transfer_org="省纪委监委",
        transfer_reason="反映公职人员侵占资金，属纪检监察职责。",
    )
    world.complete(leader, kept, decision="approve")

    assert told(world, kept) == ["transferred_out"]
    assert told(world, merged) == ["merged", "transferred_out"]
    ends = [m.body for m in world.received() if m.body.get("event") == "transferred_out"]
    assert {end["transfer_out_org"] for end in ends} == {"省纪委监委"}
    assert {end.get("merged_into") for end in ends} == {None, kept}


def candidates(
    world: World, person: Person, number: str, *, blind: bool = False
) -> dict[str, duplicates.Candidate]:
    principal = person.principal
    if blind:
        principal = replace(principal, roles=frozenset({"city_operator"}))
    with world.app.app_context():
        found = duplicates.candidates(ticket_numbered(number), principal)
        known = {each.ticket.acceptance_no: each for each in found}
        session().rollback()
    return known


def mine(world: World, found: dict[str, duplicates.Candidate], *numbers: str) -> set[str]:
    """Those of this story; other stories of the same process use the same village."""
    return {number for number in numbers if number in found}


def test_candidates_are_of_the_same_caller_or_the_same_village_and_category(
    world: World, people: Chain
) -> None:
    stamp = datetime.now(UTC).strftime("%H%M%S%f")
    phone = f"1390{stamp[-7:]}"
    said = f"反映道路硬化工程{stamp}未按图纸施工，路面开裂，要求返工。"
    base = {"division_code": VILLAGE, "problem_category": 13, "content": said}
    same_caller = world.submit(
        **{**base, "division_code": "520300000000"}, caller_number=phone, contact_phone=phone
    )
    same_place = world.submit(**base, **OTHERS_PHONE)
    other_words = world.submit(**{**base, "content": "咨询养老金待遇认证怎样办理。"})
    other_matter = world.submit(**{**base, "problem_category": 2}, **OTHERS_PHONE)
    number = world.submit(
        **{**base, "content": said + "请尽快核查。"}, caller_number=phone, contact_phone=phone
    )

    found = candidates(world, people.province, number)

    numbers = (same_caller, same_place, other_words, other_matter)
    assert mine(world, found, *numbers) == {same_caller, same_place}
    assert found[same_caller].reasons == ("同一来电号码",)
    assert found[same_place].reasons == ("同村同类问题",)
    assert found[same_place].can_merge
    assert found[same_place].alike >= 60


def test_a_hit_does_not_tell_who_a_sealed_caller_is(world: World, people: Chain) -> None:
    stamp = datetime.now(UTC).strftime("%H%M%S%f")
    phone = f"1391{stamp[-7:]}"
    said = f"反映村干部优亲厚友{stamp}，低保名额分配不公。"
    sealed = world.submit(
        is_anonymous=True, caller_number=phone, content=said, caller_name=None, contact_phone=None
    )
    number = world.submit(caller_number=phone, contact_phone=phone, content=said)

    assert sealed in candidates(world, people.province, number)
    assert sealed not in candidates(world, people.province, number, blind=True)
