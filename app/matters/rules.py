"""Decisions about matters as plain functions: who may raise them, to whom, in which states."""

from datetime import date, datetime, time, timedelta

from app.core.clock import BEIJING
from app.tickets.codes import SUPERVISION_REASON, SUSPENSION_REASON
from app.tickets.rules import BEFORE_HANDLING, CLOSED, IN_HANDLING, STATES

KINDS = {
    "supplement": "补充",
    "request": "请12345补充",
    "urge": "催办",
    "consider_supervision": "是否发督办单",
    "supervise": "督办",
    "cohandle": "协办",
    "withdraw": "撤回",
    "notice": "阅知",
    "suspend": "挂起",
    "recall": "收回",
}
"""The kinds of matters, as the ticket page calls them."""

TASKS = {
    "supplement": "read_supplement",
    "urge": "answer_urge",
    "consider_supervision": "consider_supervision",
    "supervise": "answer_supervision",
    "cohandle": "give_opinion",
    "withdraw": "confirm_withdrawal",
    "notice": "read_notice",
    "suspend": "approve_suspension",
}
"""Kinds of matters that somebody reads, answers or decides → their task in the diagram."""
REASONS = {"supervise": SUPERVISION_REASON, "suspend": SUSPENSION_REASON}
"""Kinds of matters that name a reason of a code table."""
RUNNING = (BEFORE_HANDLING - {"draft"}) | IN_HANDLING | {"suspended"}
"""While somebody still works on the matter: it can be urged, supervised."""
WITHDRAWABLE = RUNNING - {"return_pending"}
"""EX-07. While 12345 decides on a return (退单) the ticket is in its hands already."""
SUPPLEMENTABLE = frozenset(STATES) - CLOSED
"""EX-10: any time before the archive."""
FOR_BELOW = frozenset({"cohandle", "supervise"})
"""What an upper level writes for the units below to read, of a sealed caller too."""
SUSPENDABLE = frozenset({"handling", "reworking"})
"""EX-11: while it is being handled."""
RECALLABLE = IN_HANDLING | {"suspended"}
"""EX-12: at any stage below, also while the city reviews what its county hands back."""

VOID_WITH_RESULT = frozenset({"urge", "consider_supervision", "cohandle", "withdraw", "suspend"})
"""What nobody wants any more once the result is out. A supplement and a notice are still read, and
a 督办单 is still answered: it stands in a register of its own."""

FILES_ONLY = "（见附件）"
"""The text of a supplement that is files only."""
OVERTAKEN = "办理结果已先行反馈，不再撤回"
CONCLUDED = "工单已移送或并单，不再撤回"
"""Why a withdrawal that nobody had confirmed yet came to nothing."""
LONGEST_SUSPENSION = timedelta(days=60)

_RANKS = {"national": 0, "province": 1, "city": 2, "county": 3}
_OWN_UNIT = frozenset({"province_agent", "supervisor"})


def is_above(level: str, other: str) -> bool:
    """Whether a unit of `level` stands above one of `other`."""
    return _RANKS[level] < _RANKS[other]


def may_urge(level: str, roles: frozenset[str], holder_level: str, *, same_unit: bool) -> bool:
    """EX-05: upper levels; in one's own unit those who do not handle, agents and supervisors."""
    if same_unit:
        return not roles.isdisjoint(_OWN_UNIT)
    return is_above(level, holder_level)


def suspension_ends(until: date, now: datetime) -> tuple[datetime, str | None]:
    """When a suspension asked for until a day ends, and what is wrong with the day."""
    ends = datetime.combine(until, time(18), BEIJING)
    if ends <= now:
        return ends, "挂起截止日期须晚于当前时间"
    if ends - now > LONGEST_SUSPENSION:
        return ends, f"挂起最长{LONGEST_SUSPENSION.days}天"
    return ends, None
