"""A day compared with 12345's own list (I18): every difference is shown, and put right."""

import hashlib
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import db, session, transact
from app.reconciliation import services
from app.reconciliation.models import Reconciliation
from app.security.models import AccessLog
from app.simulator.reconciling import list_of
from tests.support.intake_page import COMPLAINT, Desk, address, number_on
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, WANZHOU, Person


def today() -> date:
    return datetime.now(clock.BEIJING).date()


def compare(world: World) -> None:
    """Let the scheduler's job do what there is."""
    with world.app.app_context():
        while transact(lambda: services.compare_next(clock.now())):
            pass
        db.session.remove()


def listed(*numbers: tuple[str, str], **changed: str) -> list[dict[str, Any]]:
    """Tickets as 12345 lists them: (ours, its own)."""
    return [
        {"acceptance_no": ours, "external_ticket_no": own, "outcome": "open", **changed}
        for ours, own in numbers
    ]


def submit(world: World) -> tuple[str, str]:
    """A complaint: our number and 12345's."""
    own = f"GZ-{uuid.uuid4().hex[:12]}"
    return world.submit(external_ticket_no=own), own


def reconcile(world: World, tickets: list[dict[str, Any]], size: int = 5000) -> dict[str, Any]:
    """Send a list, let it be compared; differences by our number or 12345's."""
    day = today().isoformat()
    answer = world.partner.reconcile(day, uuid.uuid4().hex, tickets, size)
    assert answer.status == 201, answer.envelope
    assert answer.data["state"] == "complete"
    compare(world)
    found = world.partner.differences(day).data
    assert found["state"] == "compared"
    return {
        each["acceptance_no"] or each["external_ticket_no"]: each["kind"]
        for each in found["differences"]
    }


def run_id(world: World) -> int:
    with world.app.app_context():
        found = session().scalars(
            select(Reconciliation.id).where(
                Reconciliation.partner_id == world.partner_id, Reconciliation.day == today()
            )
        )
        number = found.one()
        db.session.remove()
    return number


@pytest.fixture
def operator(world: World) -> Person:
    return world.employ(GUIZHOU, "province_operator")


def test_two_lists_that_agree_show_no_difference(world: World) -> None:
    tickets = [submit(world) for _ in range(3)]

    assert reconcile(world, listed(*tickets), size=2) == {}


def test_a_day_is_told_with_counts_and_digests_that_a_vendor_can_compute(world: World) -> None:
    tickets = sorted(submit(world) for _ in range(3))
    day = today().isoformat()

    first = world.partner.day(day, limit=2).data
    second = world.partner.day(day, first["next"]).data

    summary = first["summary"]
    assert (summary["total"], summary["by_type"]) == (3, {"complaint": 3})
    assert summary["by_outcome"] == {"open": 3}
    lines = "".join(f"{ours},{own}\n" for ours, own in tickets).encode()
    assert summary["digests"]["numbers"]["sha256"] == hashlib.sha256(lines).hexdigest()
    lines = "".join(f"{ours},{own},open\n" for ours, own in tickets).encode()
    assert summary["digests"]["outcomes"]["sm3"] == hashlib.new("sm3", lines).hexdigest()
    rows = [*first["tickets"], *second["tickets"]]
    assert [(row["acceptance_no"], row["external_ticket_no"]) for row in rows] == tickets
    assert (second["next"], "summary" in second) == (None, False)
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert world.partner.day(yesterday).data["summary"]["total"] == 0


def test_every_kind_of_difference_is_found(world: World) -> None:
    agreed, lost, renumbered, ended = (submit(world) for _ in range(4))
    theirs = [
        *listed(agreed),
        *listed(("TS5200002026010100001X", renumbered[1])),
        *listed(ended, outcome="withdrawn"),
        {"external_ticket_no": "GZ-never-came", "outcome": "open"},
    ]

    assert reconcile(world, theirs) == {
        lost[0]: "missing_there",
        renumbered[0]: "number_differs",
        ended[0]: "state_differs",
        "GZ-never-came": "missing_here",
    }


def test_a_result_that_12345_lost_is_pushed_again_under_its_key(
    world: World, operator: Person
) -> None:
    people = world.chain()
    number, own = submit(world)
    world.conclude(number, people)
    assert reconcile(world, listed((number, own))) == {number: "result_unconfirmed"}

    browser = Browser(world.app, operator)
    page = browser.get(f"/reconciliation/{run_id(world)}")
    assert all(text in page.text for text in (number, "结果未确认", "重新推送结果"))
    done = browser.post(f"/reconciliation/{run_id(world)}/repair/result_unconfirmed")
    assert done.status_code == 302
    world.deliver()

    (result,) = world.received()
    assert result.deliveries == 2
    assert world.status(number) == "callback_pending"
    assert "重新推送结果" in browser.get(f"/reconciliation/{run_id(world)}").text
    assert reconcile(world, listed((number, own), outcome="result")) == {}


def test_a_copy_that_12345_lost_is_sent_again(world: World, operator: Person) -> None:
    desk = Desk(world)
    desk.open(address(world))
    number = number_on(desk.send(**COMPLAINT))
    world.deliver()
    assert reconcile(world, []) == {number: "missing_there"}

    browser = Browser(world.app, operator)
    browser.get(f"/reconciliation/{run_id(world)}")
    browser.post(f"/reconciliation/{run_id(world)}/repair/missing_there")
    browser.post(f"/reconciliation/{run_id(world)}/repair/missing_there")
    world.deliver()

    (copy,) = world.received()
    assert (copy.operation, copy.deliveries) == ("ticket-copies", 2)


def test_what_is_missing_here_is_asked_for_and_a_state_is_told_again(
    world: World, operator: Person
) -> None:
    number, own = submit(world)
    theirs = [
        *listed((number, own), outcome="result"),
        {"external_ticket_no": "GZ-lost", "outcome": "open"},
    ]
    assert set(reconcile(world, theirs).values()) == {"state_differs", "missing_here"}

    browser = Browser(world.app, operator)
    browser.get(f"/reconciliation/{run_id(world)}")
    for kind in ("state_differs", "missing_here"):
        browser.post(f"/reconciliation/{run_id(world)}/repair/{kind}")
    world.deliver()

    told = {m.body["event"]: m.body for m in world.received()}
    assert told["resubmission_requested"]["external_ticket_no"] == "GZ-lost"
    assert told["status_repeated"]["acceptance_no"] == number
    assert told["status_repeated"]["outcome"] == "open"


def test_a_difference_may_need_nothing_for_a_reason_and_that_is_logged(
    world: World, operator: Person
) -> None:
    submit(world)
    reconcile(world, [])
    browser = Browser(world.app, operator)
    run = run_id(world)
    page = browser.get(f"/reconciliation/{run}")
    path = page.text.partition(f'action="/reconciliation/{run}/differences/')[2]
    difference = path.partition("/")[0]

    short = browser.post(f"/reconciliation/{run}/differences/{difference}/dismiss", reason="无")
    assert short.status_code == 302
    assert "请填写说明" in browser.get(f"/reconciliation/{run}").text
    browser.post(
        f"/reconciliation/{run}/differences/{difference}/dismiss",
        reason="对方清单截止早，已电话核对",
    )

    assert "对方清单截止早" in browser.get(f"/reconciliation/{run}").text
    assert "差异已处理" in browser.get("/reconciliation").text
    with world.app.app_context():
        line = session().scalars(
            select(AccessLog).where(
                AccessLog.action == "reconciliation.dismiss", AccessLog.object_id == str(run)
            )
        )
        assert line.one().reason == "对方清单截止早，已电话核对"
        db.session.remove()


def test_another_province_sees_nothing_of_it(world: World) -> None:
    submit(world)
    reconcile(world, [])
    stranger = Browser(world.app, world.employ(WANZHOU[:3] + "0" * 9, "province_operator"))

    assert stranger.get(f"/reconciliation/{run_id(world)}").status_code == 404
    county = Browser(world.app, world.chain().county)
    assert county.get("/reconciliation").status_code == 403


def test_the_pages_of_a_list_may_come_twice_and_in_any_order(world: World) -> None:
    tickets = listed(*(submit(world) for _ in range(2)))
    day, name = today().isoformat(), uuid.uuid4().hex
    base = {"date": day, "list_id": name, "pages": 2}

    def send(page: int, rows: list[dict[str, Any]]) -> Any:
        return world.partner.post("/reconciliation", {**base, "page": page, "tickets": rows})

    assert send(2, tickets[1:]).data["state"] == "collecting"
    assert send(2, tickets[1:]).data["state"] == "collecting"
    compare(world)
    assert world.partner.differences(day).data["state"] == "collecting"
    assert send(1, tickets[:1]).data["state"] == "complete"
    late = send(1, [])
    assert (late.status, late.envelope["code"]) == (409, "LIST_COMPLETE")
    compare(world)
    assert world.partner.differences(day).data["differences"] == []


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"date": "2099-01-01"}, {"date"}),
        ({"date": "2020-01-01"}, {"date"}),
        ({"date": "yesterday", "list_id": ""}, {"date", "list_id"}),
        ({"page": 3, "pages": 2}, {"page"}),
        ({"page": 0, "pages": 0}, {"page", "pages"}),
        ({"tickets": [{"external_ticket_no": "", "outcome": "done"}]}, {"tickets"}),
        ({"tickets": None}, {"tickets"}),
    ],
)
def test_a_wrong_list_is_refused_by_field(
    world: World, changed: dict[str, Any], fields: set[str]
) -> None:
    sent = {"date": today().isoformat(), "list_id": "x", "page": 1, "pages": 1, "tickets": []}

    answer = world.partner.post("/reconciliation", {**sent, **changed})

    assert answer.status == 422
    assert {e["field"].partition(".")[0] for e in answer.envelope["errors"]} == fields


def test_without_a_list_the_results_of_yesterday_are_looked_at(world: World) -> None:
    tomorrow = datetime.now(clock.BEIJING) + timedelta(days=1)
    people = world.chain()
    number, _ = submit(world)
    submit(world)
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    clock.set_source(lambda: tomorrow)
    try:
        compare(world)
        compare(world)
    finally:
        clock.set_source(None)

    found = world.partner.differences(today().isoformat()).data
    assert [(d["acceptance_no"], d["kind"]) for d in found["differences"]] == [
        (number, "result_unconfirmed")
    ]
    assert (found["ours"], found["theirs"]) == (2, None)


def test_the_simulators_list_agrees_with_ours(world: World) -> None:
    people = world.chain()
    desk = Desk(world)
    desk.open(address(world))
    concluded = number_on(desk.send(**COMPLAINT))
    world.conclude(concluded, people)
    world.deliver()

    theirs = list_of(world.simulator.extensions["journal"], today())

    assert [(t["acceptance_no"], t["outcome"]) for t in theirs] == [(concluded, "result")]
    client = world.simulator.test_client()
    assert client.post("/reconcile", data={"date": today().isoformat()}).status_code == 303
    compare(world)
    assert world.partner.differences(today().isoformat()).data["differences"] == []


def test_old_comparisons_are_forgotten(world: World) -> None:
    submit(world)
    reconcile(world, [])
    later = clock.now() + timedelta(days=92)
    with world.app.app_context():
        while transact(lambda: services.forget_old(later)):
            pass
        db.session.remove()

    assert world.partner.differences(today().isoformat()).data["state"] is None
