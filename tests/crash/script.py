"""The journey of one complaint: who does what at which step, with what values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.journey import CHAIN
from tests.support.people import Person


@dataclass(frozen=True)
class Cast:
    """The people of the journey, and the browser session of the one who uploads the report."""

    partner_id: int
    app_id: str
    secret: str
    people: dict[str, Person]
    cookie: str
    csrf_token: str
    journal: Path
    """What the simulator received."""


@dataclass(frozen=True)
class Step:
    """One user task: its element, who does it, and what they enter. `files` are uploaded before."""

    element: str
    who: str
    values: Callable[[Cast, list[str]], dict[str, Any]]
    uploads: bool = False


PLACES = dict(zip(("province", "city", "county"), CHAIN, strict=True))
UPLOADER = "county"


def names() -> list[str]:
    """Two people in each unit: one who handles and one who audits."""
    return [f"{place}{part}" for place in PLACES for part in ("", "_auditor")]


def _unit(cast: Cast, who: str) -> int | None:
    return cast.people[who].principal.unit_id


def _report(_cast: Cast, files: list[str]) -> dict[str, Any]:
    told = datetime.now(UTC) - timedelta(minutes=1)
    return {
        "investigated_at": told.date().isoformat(),
        "verification_result": 2,
        "investigators": [{"name": "周明远", "position": "科员", "phone": "13800009999"}],
        "inform_status": 1,
        "informed_at": told.isoformat(),
        "inform_method": 1,
        "petitioner_feedback": "已电话告知核实情况，来电人表示认可。",
        "report_files": files,
    }


STEPS = (
    Step("sign_in", "province", lambda cast, files: {}),
    Step("review", "province", lambda cast, files: {"review": "accept", "opinion": "受理"}),
    Step(
        "dispatch",
        "province",
        lambda cast, files: {"route": "down", "target_unit_id": _unit(cast, "city")},
    ),
    Step(
        "city_decide",
        "city",
        lambda cast, files: {"city_route": "county", "target_unit_id": _unit(cast, "county")},
    ),
    Step("county_sign_in", "county", lambda cast, files: {}),
    Step("handle_by_county", UPLOADER, _report, uploads=True),
    Step("audit_by_city", "city_auditor", lambda cast, files: {"decision": "approve"}),
    Step("audit_by_province", "province_auditor", lambda cast, files: {"decision": "approve"}),
)
