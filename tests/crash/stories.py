"""The stories that are swept: the straight way of a county's ticket, and what else can happen.

Each but the first shares its beginning with others and is killed only in what is its own.
"""

from datetime import timedelta
from typing import Any

from app.core import clock
from tests.crash.acts import (
    Act,
    Acting,
    AskForEffects,
    Cast,
    Do,
    Ring,
    Story,
    Submit,
    Tell,
    TimePasses,
    Until,
    Values,
    plain,
)
from tests.support.extensions import AGREE as OPINION
from tests.support.extensions import ASK
from tests.support.journey import CHAIN, reply
from tests.support.people import CHONGQING, GUIZHOU, WANZHOU

CITIZEN = "13900005678"
WHY = "诉求人已另行反映，本件不再办理。"
BACK = {"county_route": "back", "return_reason": "不属于本县职责，建议转仁怀市办理。"}

_PLACES = dict(zip(("province", "city", "county"), CHAIN, strict=True))
PEOPLE: dict[str, tuple[str, ...]] = {
    **{place: (code,) for place, code in _PLACES.items()},
    **{f"{place}_auditor": (code,) for place, code in _PLACES.items()},
    "agent": (CHONGQING, "province_agent"),
    "call_province": (CHONGQING,),
}
"""Who is hired, where, and with which roles when not an operator's."""
UPLOADER = "county"
PROVINCES = {"520000": GUIZHOU, "500000": CHONGQING}
"""Joined by tickets, and by calls."""


def _to(who: str, **values: Any) -> Values:
    return lambda cast: {**values, "target_unit_id": cast.people[who].principal.unit_id}


def _told() -> dict[str, Any]:
    told = clock.now() - timedelta(minutes=1)
    return {
        "inform_status": 1,
        "informed_at": told.isoformat(),
        "inform_method": 1,
    }


def _report(_cast: Cast) -> dict[str, Any]:
    return {
        "investigated_at": clock.now().date().isoformat(),
        "verification_result": 2,
        "investigators": [{"name": "周明远", "position": "科员", "phone": "13800009999"}],
        "petitioner_feedback": "已电话告知核实情况，来电人表示认可。",
        **_told(),
    }


def _answer(_cast: Cast) -> dict[str, Any]:
    return reply(answer_mode="callback", **_told())


_YES = plain(decision="approve")
_TAKEN_IN: tuple[Acting, ...] = (Submit(), Do("sign_in", "province"))
_ACCEPTED = (*_TAKEN_IN, Do("review", "province", plain(review="accept", opinion="受理")))
_TO_CITY = Do("dispatch", "province", _to("city", route="down"))
_TO_COUNTY = Do("city_decide", "city", _to("county", city_route="county"))
_AT_COUNTY = (*_ACCEPTED, _TO_CITY, _TO_COUNTY)
_HANDLING = (*_AT_COUNTY, Do("county_sign_in", "county"))
_HANDLED = Do("handle_by_county", UPLOADER, _report, uploads=True)
_CITY_AGREES = Do("audit_by_city", "city_auditor", _YES)
_PROVINCE_AGREES = Do("audit_by_province", "province_auditor", _YES)
_RESULT = (Until(("callback_pending", "archived")),)


def _after(name: str, before: tuple[Acting, ...], *acts: Acting, **more: Any) -> Story:
    """A story that is swept from where it leaves the common way."""
    return Story(name, (*before, *acts), begins=len(before), **more)


COUNTY = Story(
    "straight",
    (
        Submit(),
        AskForEffects(),
        *_HANDLING[1:],
        _HANDLED,
        _CITY_AGREES,
        _PROVINCE_AGREES,
        *_RESULT,
        Tell("callbacks", plain(satisfaction=1)),
    ),
)
ONLY_SUBMIT = Story("submitted", (Submit(),), end="submitted")
REWORKED = _after(
    "rejected, then reworked",
    (*_HANDLING, _HANDLED, _CITY_AGREES),
    Do(
        "audit_by_province",
        "province_auditor",
        plain(decision="reject", reject_to="handler", opinion="补充会计凭证并核实。"),
    ),
    _HANDLED,
    _CITY_AGREES,
    _PROVINCE_AGREES,
    *_RESULT,
    Tell("callbacks", plain(satisfaction=3, opinion="补贴仍未到账。")),
    end="reworking",
)
EXTENDED = _after(
    "extended by 12345",
    _HANDLING,
    Act("extend", "county", plain(**ASK)),
    Do("city_opinion", "city", plain(**OPINION)),
    Do("province_opinion", "province", plain(**OPINION)),
    Until(("handling",)),
    Tell("extension-decision", plain(approved=1, opinion="同意延期，请抓紧办理。")),
    end="handling",
)
ASKED_AFTER = _after(
    "urged and supplemented by 12345",
    _HANDLING,
    Tell("urges", plain(content="来电人再次来电，询问办理进展。")),
    Tell("supplements", plain(content="来电人补充：村委会已公示名单。")),
    Do("answer_urge", "county", plain(answer="正在入户核实，三日内答复。")),
    Do("read_supplement", "county"),
    end="handling",
)
HANDED_BACK = _after(
    "given back, handed on, recalled",
    _AT_COUNTY,
    Do("county_sign_in", "county", plain(**BACK)),
    Do("review_return", "city", plain(decision="agree", opinion="同意改派。")),
    _TO_COUNTY,
    Do("county_sign_in", "county"),
    Act("recall", "province", plain(reason="属地认定有误，收回后重新分派。")),
    _TO_CITY,
    end="delegated",
)
WITHDRAWN = _after(
    "withdrawn by 12345",
    _HANDLING,
    Tell("withdrawals", plain(reason=WHY)),
    Do("confirm_withdrawal", "province", _YES),
    end="withdrawn",
)
SUPPLEMENTED = _after(
    "supplemented on request",
    _TAKEN_IN,
    Do(
        "review",
        "province",
        plain(review="supplement", supplement_request="请补充来电人所在村组和补贴发放年份。"),
    ),
    Until(("supplement_pending",)),
    Tell("supplements", plain(content="马山镇三组，2025年补贴。")),
    end="reviewing",
)
RETURNED = _after(
    "taken back by 12345",
    _TAKEN_IN,
    Do(
        "review",
        "province",
        plain(
            review="return",
            return_reason_code=1,
            return_reason="反映的是城市供水问题，建议转水务部门。",
        ),
    ),
    Until(("return_pending",)),
    Tell("return-decision", plain(approved=1, opinion="同意退回。")),
    end="returned",
)
_KIND = {"ticket_type": "consultation"}
CALLED = Story(
    "a call, dropped, called back and answered",
    (
        Ring(),
        Do("answer_call", "agent", plain(call="dropped", content="咨询小额信贷", **_KIND)),
        Do("call_back", "agent", plain(outcome="missed")),
        TimePasses("timer"),
        Do("call_back", "agent", plain(outcome="reached", **_KIND)),
        Do(
            "record_ticket",
            "agent",
            plain(
                caller_category=2,
                service_type=1,
                problem_category=9,
                content_summary="咨询脱贫人口小额信贷的申请条件和办理地点。",
                division_code=WANZHOU,
            ),
        ),
        Do("check_ticket", "call_province", plain(review="accept")),
        Do("dispatch", "call_province", plain(route="province")),
        Do("handle_by_province", "call_province", _answer),
    ),
    province="500000",
    clock=True,
)
LATE = _after(
    "late",
    _HANDLING,
    *(TimePasses(f"handle {light}") for light in ("yellow", "orange", "red")),
    *(TimePasses(f"total {step}") for step in ("red", "supervise", "leaders", "notice")),
    end="handling",
    clock=True,
)
NIGHT = _after("late overnight", _HANDLING, TimePasses("total red"), end="handling", clock=True)
"""Everything up to the end of the total at once, as after a time in which nothing ran."""
DETOURS = (
    *(LATE, REWORKED, EXTENDED, ASKED_AFTER, HANDED_BACK),
    *(WITHDRAWN, SUPPLEMENTED, RETURNED, CALLED),
)
"""Every story but the straight one."""
