"""Reading tickets in scope: a list cannot leak, a hit cannot give a sealed caller away."""

import secrets
from collections.abc import Callable

import pytest

from app.core.db import session
from app.tickets import queries
from app.tickets.errors import TicketNotFound
from tests.support.journey import World
from tests.support.people import GUIYANG, Person

PHONE, ID_CARD = "13923456781", "11010519491231002X"


def found(world: World, person: Person, text: str) -> list[str]:
    """Numbers that the search shows to somebody."""
    with world.app.app_context():
        rows = queries.search(person.principal, text, None)
        numbers = [ticket.acceptance_no for ticket in rows]
        session().rollback()
    return numbers


@pytest.mark.parametrize(
    "typed",
    [
        PHONE,
        "139 2345 6781",
        "139-2345-6781",
        "１３９２３４５６７８１",
        ID_CARD,
        "11010519491231002x",
    ],
)
def test_a_whole_number_finds_its_tickets_however_it_is_typed(world: World, typed: str) -> None:
    people = world.chain()
    number = world.submit(contact_phone=PHONE, id_card_no=ID_CARD)

    assert number in found(world, people.province, typed)
    assert number not in found(world, people.city, typed)  # not handed down yet


@pytest.mark.parametrize(
    "typed", [PHONE[:10], PHONE[:-1] + "9", "1392345", ID_CARD[:17], "李某", "马山镇"]
)
def test_a_part_of_a_number_or_a_name_finds_nothing(world: World, typed: str) -> None:
    people = world.chain()
    number = world.submit(contact_phone=PHONE, id_card_no=ID_CARD)

    assert number not in found(world, people.province, typed)


@pytest.mark.parametrize("typed", ["李某某", " 李某某 ", "湄潭县马山镇三组"])
def test_a_whole_name_or_address_finds_its_ticket(world: World, typed: str) -> None:
    people, number = world.chain(), world.submit()

    assert number in found(world, people.province, typed)
    assert number not in found(world, people.city, typed)  # not handed down yet


def test_the_name_of_a_sealed_caller_is_found_at_the_province_only(world: World) -> None:
    name = f"欧阳{chr(0x4E00 + secrets.randbelow(20_000))}{chr(0x4E00 + secrets.randbelow(20_000))}"
    people, number = world.chain(), world.submit(is_confidential=True, caller_name=name)
    world.down(number, people, summary="反映危房改造补助发放问题，请核实。")

    assert number in found(world, people.province, name)
    assert number not in found(world, people.city, name)
    assert number not in found(world, people.county, name)


@pytest.mark.parametrize("how", ["is_anonymous", "is_confidential"])
def test_a_sealed_caller_is_found_at_the_province_only(world: World, how: str) -> None:
    people = world.chain()
    number = world.submit(contact_phone=PHONE, id_card_no=ID_CARD, **{how: True})
    world.down(number, people, summary="反映危房改造补助发放问题，请核实。")

    for typed in (PHONE, ID_CARD):
        assert number in found(world, people.province, typed)
        assert number not in found(world, people.city, typed)
        assert number not in found(world, people.county, typed)
    assert number in found(world, people.county, number)  # the ticket itself is its own


def test_a_ticket_is_visible_along_its_chain_and_nowhere_else(
    world: World, world_of: Callable[[str], World]
) -> None:
    people, number = world.chain(), world.submit()
    outsider, _ = world.hire(GUIYANG)
    world.down(number, people)

    with world.app.app_context():
        for person in (people.province, people.city, people.county):
            assert queries.ticket_for(person.principal, number).acceptance_no == number
        with pytest.raises(TicketNotFound):
            queries.ticket_for(outsider.principal, number)
        with pytest.raises(TicketNotFound):
            queries.ticket_of_partner(world_of("500000").partner_id, number)
        session().rollback()
