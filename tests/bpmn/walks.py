"""Named walks of the shipped diagrams: each a story, told task by task.

`tests/bpmn/test_walks.py` walks each with saving and loading between all steps, and checks that
together they take every sequence flow. Who draws a new flow adds the story that takes it.
"""

from collections.abc import Callable
from typing import Any

from tests.bpmn.path import Path

Story = Callable[[Path], None]
WALKS: dict[str, tuple[str, dict[str, Any], str, Story]] = {}
"""What happens → main diagram, start variables, end event, and the story."""

P12345 = {"result_to": "p12345"}
NATIONAL = {"result_to": "national"}
QUESTION = {"ticket_type": "consultation"}
OWN = {"needs_review": False}
CITY = {"needs_review": False, "entry": "city", "city_unit_id": 30, "final_audit": "city"}
TO_CITY = {"route": "city", "handled_by": "city", "city_unit_id": 30, "handling": "done"}
TO_COUNTY = {"city_route": "county", "handled_by": "county", "county_unit_id": 40}
OK, NO = {"audit": "approve"}, {"audit": "reject"}


def walk(title: str, main: str, begun: dict[str, Any], end: str) -> Callable[[Story], Story]:
    """Register a story under its title."""

    def register(story: Story) -> Story:
        WALKS[title] = main, begun, end, story
        return story

    return register


def ticket(title: str, begun: dict[str, Any], end: str = "archived") -> Callable[[Story], Story]:
    return walk(title, "ticket_transfer", begun, end)


def call(title: str, end: str = "archived") -> Callable[[Story], Story]:
    return walk(title, "call_transfer", {}, end)


def review(path: Path, **values: Any) -> None:
    path.do("sign_in").do("review", review="accept", **values)


def down(path: Path) -> None:
    """From the review to the county's handling."""
    review(path)
    path.do("dispatch", **TO_CITY).do("city_decide", **TO_COUNTY)
    path.do("county_sign_in", county_route="accept")


def confirmed(path: Path) -> None:
    """12345 has the result and nothing to say about it."""
    path.tell("confirm.result").time()


@ticket("province, city, county, both audits, result, callback", P12345)
def _whole(path: Path) -> None:
    down(path)
    path.do("handle_by_county", city_audit=True).do("audit_by_city", **OK)
    path.do("audit_by_province", **OK).tell("confirm.result").tell("report.callback", said=0)


@ticket("rejections at every level send it back to whom they name", P12345)
def _rejections(path: Path) -> None:
    down(path)
    path.do("handle_by_county", city_audit=True).do("audit_by_city", **NO)
    path.do("handle_by_county", city_audit=True).do("audit_by_city", **OK)
    path.do("audit_by_province", **NO, reject_to="city_audit").do("audit_by_city", **OK)
    path.do("audit_by_province", **NO, reject_to="county")
    path.do("handle_by_county", city_audit=False).do("audit_by_province", **OK)
    confirmed(path)


@ticket("the city handles it itself and is rejected by the province", P12345)
def _city_self(path: Path) -> None:
    review(path)
    path.do("dispatch", **TO_CITY).do("city_decide", city_route="self", handled_by="city")
    path.do("handle_by_city").do("audit_by_province", **NO, reject_to="city")
    path.do("handle_by_city").do("audit_by_province", **OK)
    confirmed(path)


@ticket("the province handles it, is rejected, and passes", P12345)
def _province_self(path: Path) -> None:
    review(path)
    path.do("dispatch", route="province", handled_by="province", handling="done")
    path.do("handle_by_province", audit_needed=True)
    path.do("audit_by_province", **NO, reject_to="province")
    path.do("handle_by_province", audit_needed=True).do("audit_by_province", **OK)
    confirmed(path)


@ticket("a question is answered at the review without an audit", {**P12345, **QUESTION})
def _answered(path: Path) -> None:
    path.do("sign_in")
    path.do("review", review="answer", entry="handle_province", handled_by="province")
    path.do("handle_by_province", audit_needed=False).tell("confirm.result")


@ticket("a county without a city above it (重庆)", P12345)
def _municipality(path: Path) -> None:
    review(path)
    path.do("dispatch", route="county", handled_by="county", county_unit_id=40, city_unit_id=0)
    path.do("county_sign_in", county_route="accept").do("handle_by_county", city_audit=False)
    path.do("audit_by_province", **OK)
    confirmed(path)


@ticket("12345 takes it back", P12345, "returned")
def _returned(path: Path) -> None:
    path.do("sign_in").do("review", review="return").tell("decide.return", return_approved=1)


@ticket("12345 is silent, is reminded, refuses, and it goes on", P12345)
def _refused(path: Path) -> None:
    path.do("sign_in").do("review", review="return").time()
    path.tell("decide.return", return_approved=2)
    path.do("dispatch", route="province", handled_by="province")
    path.do("handle_by_province", audit_needed=False)
    confirmed(path)


@ticket("12345 supplements once and lets it pass once", P12345, "merged")
def _supplemented(path: Path) -> None:
    path.do("sign_in").do("review", review="supplement").tell("supply.supplement")
    path.do("review", review="supplement").time().do("review", review="merge")


@ticket("a transfer is refused, then approved", P12345, "transferred_out")
def _transferred(path: Path) -> None:
    path.do("sign_in").do("review", review="transfer")
    path.do("approve_transfer", transfer_approved=False).do("review", review="transfer")
    path.do("approve_transfer", transfer_approved=True)


@ticket("corruption found at the dispatch is transferred after all", OWN, "transferred_out")
def _letter_transferred(path: Path) -> None:
    path.do("dispatch", route="transfer", handling="transfer", entry="province")
    path.do("approve_transfer", transfer_approved=False).do("review", review="accept")
    path.do("dispatch", route="transfer", handling="transfer", entry="province")
    path.do("approve_transfer", transfer_approved=True)


@ticket("the nation gets the result of what it dispatched", NATIONAL)
def _national(path: Path) -> None:
    path.do("sign_in").do("review", review="return")
    path.do("national_decides_return", return_approved=2)
    path.do("dispatch", route="province", handled_by="province")
    path.do("handle_by_province", audit_needed=True).do("audit_by_province", **OK)
    path.do("national_receives").time()


@ticket("the nation receives where its ticket was transferred", NATIONAL, "transferred_out")
def _national_transferred(path: Path) -> None:
    path.do("sign_in").do("review", review="transfer")
    path.do("approve_transfer", transfer_approved=True).do("national_informed")


@ticket("the nation receives what its ticket was merged into", NATIONAL, "merged")
def _national_merged(path: Path) -> None:
    path.do("sign_in").do("review", review="merge").do("national_informed")


@ticket("the nation takes its ticket back", NATIONAL, "returned")
def _national_returned(path: Path) -> None:
    path.do("sign_in").do("review", review="return")
    path.do("national_decides_return", return_approved=1)


@ticket("the province's own letter needs no review and no receipt", OWN)
def _letter(path: Path) -> None:
    path.do("dispatch", **TO_CITY).do("city_decide", **TO_COUNTY)
    path.do("county_sign_in", county_route="accept").do("handle_by_county", city_audit=True)
    path.do("audit_by_city", **OK).do("audit_by_province", **OK).time()


@ticket("the city's own letter ends with the city's audit", CITY)
def _city_letter(path: Path) -> None:
    path.do("city_decide", city_route="self", handled_by="city").do("handle_by_city")
    path.do("audit_by_city", **NO).do("handle_by_city").do("audit_by_city", audit="close")
    path.time()


@ticket("the city hands it back and must take it, the county must too", P12345)
def _appointed(path: Path) -> None:
    review(path)
    path.do("dispatch", **TO_CITY).do("city_decide", city_route="back", return_to_unit_id=2)
    path.do("review_return", return_route="city").do("city_decide", **TO_COUNTY)
    path.do("county_sign_in", county_route="back", return_to_unit_id=30)
    path.do("review_return", return_route="county").do("handle_by_county", city_audit=False)
    path.do("audit_by_province", **OK)
    confirmed(path)


@ticket("what lower levels hand back while handling is dispatched anew", P12345)
def _handed_back(path: Path) -> None:
    down(path)
    path.tell("return.up", return_to_unit_id=30).do("review_return", return_route="city")
    path.do("city_decide", city_route="self", handled_by="city")
    path.tell("return.up", return_to_unit_id=2).do("review_return", return_route="dispatch")
    path.do("dispatch", route="province", handled_by="province")
    path.do("handle_by_province", audit_needed=False)
    confirmed(path)


@ticket("the province agrees to a return and 12345 takes it back", P12345, "returned")
def _handed_up(path: Path) -> None:
    review(path)
    path.do("dispatch", **TO_CITY).do("city_decide", city_route="back", return_to_unit_id=2)
    path.do("review_return", return_route="p12345", handling="return", entry="province")
    path.tell("decide.return", return_approved=1)


@ticket("upper levels take it back and give it to others", P12345)
def _recalled(path: Path) -> None:
    down(path)
    path.tell("recall.ticket", entry="city").do("city_decide", **TO_COUNTY)
    path.tell("recall.ticket", entry="handle_county", handled_by="county")
    path.tell("recall.ticket", entry="handle_city", handled_by="city").do("handle_by_city")
    path.tell("recall.ticket", entry="handle_province", handled_by="province")
    path.tell("recall.ticket", entry="province")
    path.do("dispatch", route="province", handled_by="province")
    path.do("handle_by_province", audit_needed=False)
    confirmed(path)


@ticket("dissatisfied, it is handled again; then the province explains", P12345)
def _reworked(path: Path) -> None:
    review(path)
    path.do("dispatch", route="province", handled_by="province")
    path.do("handle_by_province", audit_needed=False).tell("confirm.result")
    path.tell("report.callback", said=1).do("handle_by_province", audit_needed=False)
    path.tell("confirm.result").tell("report.callback", said=2).do("decide_rework", rework=False)


ASKED = {"province_first": True, "city_unit_id": 30}


@ticket("more time: city, province and 12345 agree after a reminder", P12345)
def _extended(path: Path) -> None:
    down(path)
    path.tell("request.extension", **ASKED, city_first=True, decider="p12345")
    path.do("city_opinion", opinion="agree").do("province_opinion", opinion="agree").time()
    path.tell("decide.extension", extension_approved=1).do("handle_by_county", city_audit=False)
    path.do("audit_by_province", **OK)
    confirmed(path)


@ticket("more time: refused by each who may", P12345)
def _not_extended(path: Path) -> None:
    down(path)
    path.tell("request.extension", **ASKED, city_first=True, decider="p12345")
    path.do("city_opinion", opinion="refuse")
    path.tell("request.extension", **ASKED, city_first=False, decider="p12345")
    path.do("province_opinion", opinion="refuse")
    path.tell("request.extension", city_first=False, province_first=False, decider="leader")
    path.do("leader_decides", extension_approved=2)
    path.tell("request.extension", city_first=False, province_first=False, decider="national")
    path.do("national_decides", extension_approved=2)
    path.tell("request.extension", city_first=False, province_first=False, decider="p12345")
    path.tell("lapse.extension")
    path.do("handle_by_county", city_audit=False).do("audit_by_province", **OK)
    confirmed(path)


@ticket("everything that may come up at any time comes up", P12345)
def _matters(path: Path) -> None:
    path.tell("raise.matter", matter="supplement").do("read_supplement")
    down(path)
    path.tell("raise.matter", matter="urge").tell("raise.matter", matter="supervise")
    path.do("answer_supervision").do("answer_urge")
    path.tell("raise.matter", matter="consider_supervision")
    path.do("consider_supervision", supervision_issued=True).do("answer_supervision")
    path.tell("raise.matter", matter="consider_supervision")
    path.do("consider_supervision", supervision_issued=False)
    path.tell("raise.matter", matter="cohandle").do("give_opinion")
    path.tell("raise.matter", matter="notice").do("read_notice")
    path.tell("raise.matter", matter="permit")
    path.tell("raise.matter", matter="suspend").do("approve_suspension", suspension_approved=False)
    path.tell("raise.matter", matter="suspend").do("approve_suspension", suspension_approved=True)
    path.tell("resume.ticket")
    path.tell("raise.matter", matter="suspend").do("approve_suspension", suspension_approved=True)
    path.time()
    path.tell("raise.matter", matter="withdraw").do("confirm_withdrawal", withdrawn=False)
    path.do("handle_by_county", city_audit=False).do("audit_by_province", **OK)
    confirmed(path)


@ticket("what the result has overtaken ends", P12345)
def _overtaken(path: Path) -> None:
    down(path)
    path.tell("raise.matter", matter="withdraw").tell("lapse.matter")
    path.do("handle_by_county", city_audit=False).do("audit_by_province", **OK)
    confirmed(path)


@ticket("the nation confirms that its own ticket is withdrawn", NATIONAL, "withdrawn")
def _national_withdrawn(path: Path) -> None:
    path.tell("raise.matter", matter="withdraw")
    path.do("national_confirms_withdrawal", withdrawn=False)
    path.tell("raise.matter", matter="withdraw")
    path.do("national_confirms_withdrawal", withdrawn=True)


@ticket("withdrawn in the middle, with matters open", P12345, "withdrawn")
def _withdrawn(path: Path) -> None:
    down(path)
    path.tell("raise.matter", matter="urge").tell("raise.matter", matter="withdraw")
    path.do("confirm_withdrawal", withdrawn=True)


@ticket("each limit that passes has its unit urged, as often as it passes, and all goes on", P12345)
def _overdue(path: Path) -> None:
    path.tell("overdue.sign_in")
    down(path)
    path.tell("overdue.handle").tell("overdue.handle")
    path.tell("recall.ticket", entry="handle_city", handled_by="city")
    path.tell("overdue.handle").do("handle_by_city").do("audit_by_province", **OK)
    confirmed(path)


def recorded(path: Path) -> None:
    path.do("answer_call", call="record", ticket_type="complaint").do("record_ticket")


@call("a call becomes a ticket and is called back")
def _called(path: Path) -> None:
    recorded(path)
    path.do("check_ticket", review="back").do("record_ticket")
    path.do("check_ticket", review="accept").do("dispatch", **TO_CITY)
    path.do("city_decide", **TO_COUNTY).do("county_sign_in", county_route="accept")
    path.do("handle_by_county", city_audit=True).do("audit_by_city", **OK)
    path.do("audit_by_province", **OK).do("own_callback", said=0)


@call("a caller is not satisfied, and a leader gave more time")
def _call_again(path: Path) -> None:
    recorded(path)
    path.do("check_ticket", review="accept")
    path.do("dispatch", route="province", handled_by="province")
    path.tell("request.extension", city_first=False, province_first=False, decider="leader")
    path.do("leader_decides", extension_approved=1)
    path.tell("request.extension", city_first=False, province_first=False, decider="leader")
    path.tell("lapse.extension")
    path.tell("recall.ticket", entry="handle_province", handled_by="province")
    path.do("handle_by_province", audit_needed=False).do("own_callback", said=1)
    path.do("handle_by_province", audit_needed=False).do("own_callback", said=0)


@call("a call was not for us", "wrong_transfer")
def _wrong(path: Path) -> None:
    path.do("answer_call", call="wrong_transfer")


@call("a question is answered on the telephone", "answered")
def _at_once(path: Path) -> None:
    path.do("answer_call", call="answered")


@call("a dropped caller is never reached", "dropped")
def _dropped(path: Path) -> None:
    path.do("answer_call", call="dropped").do("call_back", call_outcome="again").time()
    path.do("call_back", call_outcome="drop")


@call("a dropped caller is reached; the matter runs already", "merged")
def _reached(path: Path) -> None:
    path.do("answer_call", call="dropped").do("call_back", call_outcome="record")
    path.do("record_ticket").do("check_ticket", review="merge")


@call("a call about corruption goes elsewhere", "transferred_out")
def _call_transferred(path: Path) -> None:
    recorded(path)
    path.do("check_ticket", review="transfer").do("approve_transfer", transfer_approved=False)
    path.do("check_ticket", review="transfer").do("approve_transfer", transfer_approved=True)


@call("a call is transferred at the dispatch", "transferred_out")
def _call_transferred_late(path: Path) -> None:
    recorded(path)
    path.do("check_ticket", review="accept")
    path.do("dispatch", route="transfer", handling="transfer", entry="province")
    path.do("approve_transfer", transfer_approved=True)


@call("a caller withdraws; an urge came before", "withdrawn")
def _call_withdrawn(path: Path) -> None:
    recorded(path)
    path.tell("raise.matter", matter="urge").do("answer_urge")
    path.tell("raise.matter", matter="urge").tell("lapse.matter")
    path.tell("raise.matter", matter="withdraw").do("confirm_withdrawal", withdrawn=True)
