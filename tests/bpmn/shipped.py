"""What the product's forms, messages and steps could say in walks of the shipped diagrams."""

import random
from datetime import timedelta
from typing import Any

from app.core import clock
from app.tickets.variables import START

MAINS = ("ticket_transfer", "call_transfer")
UNITS = {"national_unit_id": 1, "province_unit_id": 2}
STARTS: dict[str, list[dict[str, Any]]] = {
    "ticket_transfer": [
        {"result_to": "p12345"},
        {"result_to": "national"},
        {"needs_review": False},
        {"needs_review": False, "entry": "city", "city_unit_id": 30, "final_audit": "city"},
    ],
    "call_transfer": [{}],
}
"""The ways a ticket begins: 12345, the nation, the province's own, the city's own; a call."""

MATTERS = (
    *("supplement", "urge", "supervise", "consider_supervision"),
    *("cohandle", "withdraw", "notice", "suspend", "permit"),
)


def start_of(name: str, changed: dict[str, Any]) -> dict[str, Any]:
    """Variables of a new instance."""
    return {**START, **UNITS, "ticket_id": 1, "ticket_type": "complaint", **changed}


def answers(dice: random.Random, name: str) -> dict[str, Any]:
    """What a task's form, or a message, by chance puts into the variables."""
    say = _SAYS.get(name)
    return {} if say is None else say(dice)


def step(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What a service task returns, by what it was asked."""
    later = (clock.now() + timedelta(days=1)).isoformat()
    if name.startswith("returns."):
        return {"return_remind_at": later}
    if name in {"extension.send", "extension.remind"}:
        return {"extension_remind_at": later}
    if name == "supplements.ask":
        return {"supplement_until": later}
    if name == "matters.suspend":
        return {"suspended_until": later}
    if name == "callbacks.begin":
        by = {"p12345": "p12345", "national": "nobody", "none": "agent"}[data["result_to"]]
        if data["ticket_type"] == "consultation":
            by = "none"
        elif not data["needs_review"]:
            by = "nobody"
        return {"callback_by": by, "callback_until": later, "rework": False, "rework_ask": False}
    if name == "callbacks.judge":
        said = data.get("said", 0)
        again = {"rework": said == 1, "rework_ask": said == 2}
        return {**again, "entry": f"handle_{data['handled_by']}"} if said == 1 else again
    return {}


def _review(dice: random.Random) -> dict[str, Any]:
    choices = ["accept"] * 5 + ["answer", "return", "supplement", "merge", "transfer"]
    chosen = dice.choice(choices)
    if chosen == "answer":
        return {"review": "answer", "entry": "handle_province", "handled_by": "province"}
    return {"review": chosen}


def _dispatch(dice: random.Random) -> dict[str, Any]:
    route = dice.choice(["province", "city", "city", "county", "transfer"])
    if route == "transfer":
        return {"route": route, "handling": "transfer", "entry": "province"}
    return {
        "route": route,
        "handling": "done",
        "city_unit_id": 30 if route == "city" else 0,
        "county_unit_id": 40 if route == "county" else 0,
        "handled_by": route,
        "city_audit": False,
    }


def _city(dice: random.Random) -> dict[str, Any]:
    route = dice.choice(["self", "county", "county", "back"])
    handler = {"self": "city", "county": "county", "back": "city"}[route]
    return {
        "city_route": route,
        "handled_by": handler,
        "county_unit_id": 40 if route == "county" else 0,
        "return_to_unit_id": 2,
    }


def _back(dice: random.Random) -> dict[str, Any]:
    route = dice.choice(["dispatch", "city", "county", "p12345"])
    if route == "p12345":
        return {"return_route": route, "handling": "return", "entry": "province"}
    return {"return_route": route}


def _audit(dice: random.Random) -> dict[str, Any]:
    audit = dice.choice(["approve", "approve", "close", "reject"])
    back = dice.choice(["province", "city", "county", "city_audit"])
    return {"audit": "approve" if audit == "close" else audit, "reject_to": back}


def _city_audit(dice: random.Random) -> dict[str, Any]:
    return {"audit": dice.choice(["approve", "close", "reject"])}


_SAYS: dict[str, Any] = {
    "review": _review,
    "decide.return": lambda dice: {"return_approved": dice.choice([1, 2])},
    "national_decides_return": lambda dice: {"return_approved": dice.choice([1, 2])},
    "approve_transfer": lambda dice: {"transfer_approved": dice.random() < 0.5},
    "dispatch": _dispatch,
    "city_decide": _city,
    "county_sign_in": lambda dice: {
        "county_route": dice.choice(["accept", "accept", "back"]),
        "return_to_unit_id": 30,
    },
    "review_return": _back,
    "return.up": lambda dice: {"return_to_unit_id": 30},
    "handle_by_province": lambda dice: {"audit_needed": dice.random() < 0.7},
    "handle_by_county": lambda dice: {"city_audit": dice.random() < 0.6},
    "audit_by_city": _city_audit,
    "audit_by_province": _audit,
    "recall.ticket": lambda dice: {
        "entry": dice.choice(
            ["province", "city", "handle_province", "handle_city", "handle_county"]
        ),
        "handled_by": dice.choice(["province", "city", "county"]),
    },
    "raise.matter": lambda dice: {"matter": dice.choice(MATTERS), "matter_unit_id": 40},
    "consider_supervision": lambda dice: {"supervision_issued": dice.random() < 0.5},
    "national_confirms_withdrawal": lambda dice: {"withdrawn": dice.random() < 0.3},
    "confirm_withdrawal": lambda dice: {"withdrawn": dice.random() < 0.3},
    "approve_suspension": lambda dice: {"suspension_approved": dice.random() < 0.6},
    "request.extension": lambda dice: {
        "city_first": dice.random() < 0.5,
        "province_first": dice.random() < 0.7,
        "decider": dice.choice(["p12345", "leader", "national"]),
        "city_unit_id": 30,
    },
    "city_opinion": lambda dice: {"opinion": dice.choice(["agree", "agree", "refuse"])},
    "province_opinion": lambda dice: {"opinion": dice.choice(["agree", "agree", "refuse"])},
    "decide.extension": lambda dice: {"extension_approved": dice.choice([1, 2])},
    "leader_decides": lambda dice: {"extension_approved": dice.choice([1, 2])},
    "national_decides": lambda dice: {"extension_approved": dice.choice([1, 2])},
    "report.callback": lambda dice: {"said": dice.choice([0, 0, 1, 2])},
    "own_callback": lambda dice: {"said": dice.choice([0, 0, 1, 2])},
    "decide_rework": lambda dice: {"rework": dice.random() < 0.3, "entry": "province"},
    "answer_call": lambda dice: {
        "call": dice.choice(["record"] * 5 + ["answered", "wrong_transfer", "dropped", "dropped"])
    },
    "call_back": lambda dice: {
        "call_outcome": dice.choice(["again", "again", "record", "drop"]),
        "next_attempt_at": (clock.now() + timedelta(hours=4)).isoformat(),
    },
    "check_ticket": lambda dice: {
        "review": dice.choice(["accept", "accept", "accept", "back", "merge", "transfer"])
    },
}
