"""Process variables every instance of a ticket begins with: each one some gateway or task reads.

A missing variable in a condition would be an incident, so all exist from the start. They are ids
and decisions, never anything about a citizen.
"""

from app.engine.scalars import Scalar

START: dict[str, Scalar] = {
    # who
    "national_unit_id": 0,
    "province_unit_id": 0,
    "city_unit_id": 0,
    "county_unit_id": 0,
    "handled_by": "",  # province, city or county
    # how it comes in and whom the result goes to
    "needs_review": True,
    "result_to": "none",  # p12345, national, none
    "final_audit": "province",  # city: the city's own letters end there
    "entry": "province",  # where handling begins: province, city, handle_province|_city|_county
    # decisions of user tasks
    "review": "",
    "route": "",
    "city_route": "",
    "county_route": "",
    "audit": "",
    "audit_needed": True,
    "city_audit": True,
    "reject_to": "",
    "transfer_approved": False,
    "handling": "done",  # return: back to where it came from
    # 退单 and lower-level 退回
    "return_approved": 0,
    "return_remind_at": "",
    "return_to_unit_id": 0,
    "return_route": "",
    # 延期
    "city_first": False,
    "province_first": True,
    "decider": "",
    "opinion": "",
    "extension_approved": 0,
    "extension_remind_at": "",
    # 补充 asked of 12345
    "supplement_until": "",
    # 随时事项
    "matter": "",
    "matter_id": 0,
    "matter_unit_id": 0,
    "supervision_issued": False,
    "withdrawn": False,
    "suspension_approved": False,
    "suspended_until": "",
    # 超时
    "overdue_id": 0,  # the time limit that is over, for what is drawn to follow
    # 回访
    "callback_by": "none",  # p12345, agent, nobody (it rests), none (filed at once)
    "callback_until": "",
    "rework_ask": False,
    "rework": False,
    # 话务
    "call": "",
    "call_outcome": "",
    "next_attempt_at": "",
}
"""Variable → what it is before anybody decided."""
