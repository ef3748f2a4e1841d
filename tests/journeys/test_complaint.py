"""Acceptance scenario 1: a complaint goes down to the county, its result returns to 12345."""

from tests.support.journey import CHAIN, World, complaint


def test_a_complaint_goes_down_to_the_county_and_its_result_returns(world: World) -> None:
    province, province_auditor, city, city_auditor, county, _ = world.hire(*CHAIN)
    sent = complaint()

    receipt = world.partner.submit_complaint(sent)
    assert receipt.status == 201, receipt.envelope
    number = receipt.data["acceptance_no"]
    world.complete(province, number)
    world.complete(province, number, review="accept", opinion="受理")
    target = city.principal.unit_id
    world.complete(province, number, route="down", target_unit_id=target, instruction="请核实")
    target = county.principal.unit_id
    world.complete(city, number, city_route="county", target_unit_id=target)
    world.complete(county, number)
    report = world.report(county, number)
    world.complete(county, number, **report)
    world.complete(city_auditor, number, decision="approve")
    world.complete(province_auditor, number, decision="approve", opinion="同意")

    assert world.partner.ticket(number).data["status"] == "result_pending"
    assert world.deliver() == 1
    answer = world.partner.ticket(number).data
    assert answer["status"] == "archived"
    (message,) = world.received()
    print(message)
