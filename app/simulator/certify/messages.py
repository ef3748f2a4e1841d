"""A made-up message of each operation, as the platform would send it; nobody in them exists."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

_PERSON = {"name": "测试人员", "position": "业务员", "phone": "13800001299", "org": "测试单位"}


def message(operation: str, number: str, now: datetime, event_seq: int = 1) -> dict[str, Any]:
    """The body of an operation for the ticket of this number."""
    at = now.isoformat(timespec="seconds")
    return {
        "acceptance_no": f"TS{number}",
        "external_ticket_no": number,
        "event_id": str(uuid.uuid4()),
        "event_seq": event_seq,
        **_contents(at, now)[operation],
    }


def _contents(at: str, now: datetime) -> Mapping[str, Mapping[str, Any]]:
    later = (now + timedelta(days=10)).isoformat(timespec="seconds")
    told = {"inform_status": 1, "informed_at": at, "inform_method": 1}
    done = {"completed_at": at, **told, "auditors": [_PERSON], "audited_at": at}
    files = [
        {
            "name": "调查报告.pdf",
            "url": "https://12317.example.gov.cn/openapi/v1/attachments/att/content?message=m",
            "size": 231044,
            "sha256": "0" * 64,
            "sm3": "0" * 64,
        }
    ]
    return {
        "return-requests": {
            "request_no": "R1",
            "reason_code": 1,
            "return_reason": "反映事项不属于受理范围，建议转主管部门。",
            "requested_at": at,
        },
        "extension-requests": {
            "request_no": "E1",
            "extension_reason": "需委托第三方检测房屋。",
            "extension_days": 10,
            "current_due_at": at,
            "proposed_due_at": later,
            "requested_at": at,
        },
        "results/complaints": {
            "investigated_at": now.date().isoformat(),
            "investigators": [_PERSON],
            "petitioner_feedback": "电话告知，来电人表示认可。",
            "report_files": files,
            "verification_result": 2,
            "amount_involved": "12000.00",
            "handling_opinion": "已责成补发差额。",
            **done,
        },
        "results/declarations": {
            "acceptor": _PERSON,
            "handler": _PERSON,
            "accepted_at": at,
            "outcome": 1,
            "outcome_note": "已纳入监测。",
            "report_files": [],
            **done,
        },
        "results/consultations": {
            "service_type": 1,
            "answer": "可到户籍所在地乡镇便民服务中心申请。",
            "answered_by": _PERSON,
            "answered_at": at,
            "answer_mode": "direct",
            "completed_at": at,
        },
        "ticket-copies": {
            "ticket_type": "complaint",
            "operator_no": "CERT-0001",
            "caller_number": "13800001299",
            "called_at": at,
            "is_anonymous": True,
            "content": "页面登记的测试内容。",
            "attachments": [],
            "query_code": "000000",
            "received_at": at,
            "due_at": later,
        },
        "supplement-requests": {
            "request_no": "S1",
            "content": "请补充被反映人姓名。",
            "reply_by": later,
        },
        "request-cancellations": {"request_no": "E1", "cancelled": "extension-requests"},
        "status-events": {"event": "extended", "occurred_at": at, "due_at": later},
    }
