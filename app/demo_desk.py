"""What staff themselves take in on the sample morning: letters, a national matter, calls.

重庆 is joined by calls, so its seats answer; 贵州 has none.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.calls import services as calls
from app.core.db import session
from app.engine import runner
from app.engine.models import UserTask
from app.organisations import queries as organisations
from app.organisations.services import change_unit
from app.security.models import User
from app.security.principal import Principal
from app.security.queries import principal_for_user
from app.tickets import registration
from app.tickets.access import actor_of
from app.tickets.models import Ticket

CALL_PROVINCE = "500000000000"
AGENT = "agent500000a"
NATIONAL = "n000000a"

_LETTERS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "p520000a",
        "letter",
        "complaint",
        {
            "is_anonymous": False,
            "caller_name": "杨某某",
            "contact_phone": "13800001301",
            "division_code": "520624000000",
            "detail_address": "石门坎组",
            "content": "来信反映易地扶贫搬迁安置房屋面渗漏，多次报修没有结果，附照片三张。",
            "problem_category": 5,
        },
    ),
    (
        "c520300a",
        "visit",
        "complaint",
        {
            "is_anonymous": True,
            "division_code": "520328000000",
            "content": "来访反映村级公益性岗位名单未公示，要求公开。",
            "problem_category": 6,
        },
    ),
    (
        NATIONAL,
        "national",
        "complaint",
        {
            "is_anonymous": False,
            "caller_name": "罗某某",
            "contact_phone": "13800001302",
            "division_code": "522301000000",
            "content": "国家转办：反映产业帮扶项目分红连续两年未兑现，请核实办理并反馈结果。",
            "problem_category": 18,
        },
    ),
)
_ANSWERED = {
    "call": "answered",
    "content": "咨询防返贫监测对象申报需要哪些材料。",
    "problem_category": 1,
    "answer": "向村委会提出申请，带户口簿、身份证和近期支出凭证，由村里入户核实后逐级审核。",
    "article": "KB-0102 监测对象申报指引",
    "satisfied": "yes",
}
_DROPPED = {
    "call": "dropped",
    "ticket_type": "complaint",
    "content": "反映产业路塌方两个月无人维修，说到地点时通话中断。",
}
_COMPLAINT = {
    "is_anonymous": False,
    "caller_name": "冉某某",
    "contact_phone": "13800001403",
    "division_code": "500101000000",
    "detail_address": "龙驹镇",
    "content": "来电反映危旧房改造验收后补助款半年未到账，多次询问村里没有答复。",
    "problem_category": 3,
}


def load_desk(now: datetime) -> None:
    """Letters first, then four calls: one rings, one was answered, one dropped, one recorded."""
    for number, (username, source, table, entered) in enumerate(_LETTERS):
        _register(username, source, table, entered, now - timedelta(minutes=70 - 9 * number))
    unit = organisations.unit_of_division(CALL_PROVINCE)
    if unit is None:
        raise LookupError("units come before sample data")
    change_unit(session(), unit.id, mode="call")
    steps: tuple[tuple[dict[str, Any], ...], ...] = (
        (_ANSWERED,),
        ({"call": "record", "ticket_type": "complaint"}, _COMPLAINT),
        (_DROPPED,),
        (),
    )
    agent = _principal(AGENT, now)
    for number, entered_at_seat in enumerate(steps):
        at = now - timedelta(minutes=40 - 12 * number)
        call = calls.open_call(
            unit,
            f"138000014{number + 1:02d}",
            operator_no=agent.username,
            actor=actor_of(agent),
            now=at,
        )
        key = session().get_one(Ticket, call.ticket_id).acceptance_no
        for step, values in enumerate(entered_at_seat, 1):
            _complete(key, values, agent, at + timedelta(minutes=2 * step))


def _register(
    username: str, source: str, table: str, entered: dict[str, Any], at: datetime
) -> None:
    clerk = _principal(username, at)
    values = {"called_at": (at - timedelta(days=1)).isoformat(), **entered}
    if source == "national":
        province = organisations.unit_of_division("520000000000")
        values["province_unit_id"] = province.id if province else None
    row = registration.source_for(clerk, source)
    taken = registration.read(row, table, values, clerk, at)
    registration.register(row, taken, clerk, actor_of(clerk), at)


def _complete(key: str, values: dict[str, Any], agent: Principal, at: datetime) -> None:
    waiting = select(UserTask).where(UserTask.business_key == key, UserTask.state == "open")
    task = session().scalars(waiting).one()
    runner.complete_task(task.id, values, actor=actor_of(agent), now=at)


def _principal(username: str, now: datetime) -> Principal:
    user = session().scalars(select(User).where(User.username == username)).one()
    found = principal_for_user(user.id, now)
    if found is None:
        raise LookupError(f"{username} cannot sign in")
    return found
