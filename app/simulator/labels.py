"""What the fields of a message are called in Chinese, and which ones each operation must carry."""

import re
from collections.abc import Mapping
from typing import Any

from app.exchange.rules import OPERATIONS

NOTIFICATIONS = "notifications"
"""Where the platform's hook for SMS and mail is pointed in a demonstration."""

TITLES = {**OPERATIONS, "report-files": "调查报告文件", NOTIFICATIONS: "工作人员提醒"}

_BOTH_NUMBERS = ("acceptance_no", "external_ticket_no")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "return-requests": (*_BOTH_NUMBERS, "return_reason"),
    "extension-requests": (*_BOTH_NUMBERS, "extension_reason", "extension_days"),
    "results/complaints": (
        *_BOTH_NUMBERS,
        *("investigated_at", "investigators", "petitioner_feedback", "report_files"),
        *("auditors", "audited_at", "verification_result"),
    ),
    "results/declarations": (
        *_BOTH_NUMBERS,
        *("acceptor", "accepted_at", "handler", "completed_at", "outcome"),
    ),
    "results/consultations": (*_BOTH_NUMBERS, "answer", "answered_by", "answered_at"),
    "ticket-copies": (
        *("acceptance_no", "ticket_type", "operator_no", "caller_number", "called_at"),
        *("query_code", "received_at", "due_at"),
    ),
    "supplement-requests": (*_BOTH_NUMBERS, "request_no", "content", "reply_by"),
    "request-cancellations": (*_BOTH_NUMBERS, "request_no"),
    "status-events": (*_BOTH_NUMBERS, "event", "occurred_at"),
    NOTIFICATIONS: ("message_id", "recipient", "text", "items"),
}
"""REQUIREMENTS 3.3 and D8; missing ones are shown, not refused, as real platforms differ here."""

EVENTS: Mapping[str, str] = {
    "resubmission_requested": "请重新提交（对账）",
    "status_repeated": "补发状态（对账）",
    "return_reminded": "催促批复退单",
    "extension_reminded": "催促批复延期",
    "extended": "已延期",
    "transferred_out": "已移送",
    "merged": "已并单",
    "withdrawn": "已撤回",
    "withdrawal_refused": "依职权继续办理",
    "rework_refused": "不再重办",
}
"""What a status event says."""

LABELS: Mapping[str, str] = {
    "acceptance_no": "受理编号",
    "external_ticket_no": "12345工单编号",
    "event_id": "消息编号",
    "event_seq": "消息序号",
    "event": "事件",
    "request_no": "申请编号",
    "requested_at": "申请时间",
    "requested_by_org": "申请单位",
    "return_reason": "退单理由",
    "reason_code": "退单类别",
    "reason": "理由",
    "extension_reason": "延期理由",
    "extension_days": "延期时间（天）",
    "current_due_at": "现办理时限",
    "proposed_due_at": "申请延至",
    "times": "第几次",
    "reply_by": "请于此前答复",
    "cancelled": "撤销的申请",
    "transfer_out_org": "移送单位",
    "merged_into": "并入",
    "satisfaction": "满意度",
    "solved": "问题是否解决",
    "opinion": "意见",
    "call_id": "话务流水号",
    "from_operator": "转出坐席工号",
    "extension_pending": "延期审批中",
    "status_label": "状态",
    "handling_unit": "承办单位",
    "ticket_type_label": "类型",
    "submitted_at": "受理时间",
    "round": "轮次",
    "investigated_at": "调查核实时间",
    "investigators": "调查人员信息",
    "petitioner_feedback": "反馈信访人情况",
    "inform_status": "告知情况",
    "informed_at": "告知时间",
    "inform_method": "告知方式",
    "report_files": "调查报告",
    "auditors": "审核人员信息",
    "audited_at": "审核时间",
    "verification_result": "属实情况",
    "amount_involved": "金额数量（元）",
    "handling_opinion": "处理意见",
    "measures": "整改措施",
    "people_disciplined": "追责人数",
    "completed_at": "办结时间",
    "acceptor": "受理人信息",
    "accepted_at": "受理时间",
    "handler": "办理信息",
    "outcome": "办理结果",
    "outcome_note": "结果说明",
    "monitor_type": "监测对象类型",
    "answer": "答复内容",
    "answered_by": "答复人",
    "answered_at": "答复时间",
    "answer_mode": "答复方式",
    "adopted": "采纳情况",
    "occurred_at": "发生时间",
    "status": "状态",
    "due_at": "办理时限",
    "received_at": "接收时间",
    "query_code": "查询码",
    "duplicate": "是否重复件",
    "operator_no": "工号",
    "caller_number": "来电号码",
    "called_at": "来电时间",
    "caller_name": "姓名",
    "contact_phone": "联系电话",
    "caller_address": "住址",
    "id_card_no": "身份证号",
    "is_anonymous": "是否匿名",
    "division_code": "行政区划编码",
    "division_text": "行政区划",
    "detail_address": "详细地址",
    "target_info": "对象信息",
    "content_summary": "内容摘要",
    "caller_category": "来电人员类别",
    "service_type": "服务类型",
    "callback_phone": "回电号码",
    "poverty_risk": "返（致）贫风险",
    "poverty_risk_note": "返（致）贫风险说明",
    "household_head": "户主",
    "relation": "与户主关系",
    "content": "内容",
    "problem_category": "问题类别",
    "required_completion_date": "办结日期（要求）",
    "attachments": "附件",
    "ticket_type": "登记表",
    "urgency": "紧急程度",
    "is_confidential": "是否保密",
    "declined_fields": "诉求人拒绝提供",
    "targets": "被反映对象",
    "organisation": "单位",
    "org_code": "单位代码",
    "attachment_id": "附件编号",
    "name": "姓名",
    "position": "职务",
    "phone": "电话",
    "org": "单位",
    "url": "下载地址",
    "size": "大小（字节）",
    "sm3": "SM3摘要",
    "sha256": "SHA-256摘要",
    "message_id": "提醒编号",
    "created_at": "生成时间",
    "urgent": "立即发送",
    "recipient": "接收人",
    "account": "账号",
    "unit": "单位",
    "text": "短信内容",
    "total": "条数",
    "counts": "各类条数",
    "items": "明细",
    "notification_id": "编号",
    "kind": "种类代码",
    "kind_label": "种类",
    "title": "标题",
    "notified_at": "提醒时间",
    "page_url": "查看地址",
    "yellow": "黄灯",
    "orange": "橙灯",
    "red": "红灯",
    "urge": "催办",
    "undelivered": "未送达",
    "late_push": "推送超时",
    "calendar": "日历",
    "code": "代码",
    "field": "字段",
    "message": "说明",
}

_FILES = frozenset({"report_files", "attachments"})
_FILE_LABELS = {"name": "文件名"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*\+08:00$")
"""A moment in Beijing time; others keep their offset so that nobody misreads them."""

_VALUES: Mapping[str, Mapping[Any, str]] = {
    "ticket_type": {
        "complaint": "投诉举报",
        "declaration": "自主申报",
        "consultation": "咨询、建议",
    },
    "event": EVENTS,
    "cancelled": OPERATIONS,
    "verification_result": {1: "属实", 2: "部分属实", 3: "不属实"},
    "reason_code": {
        1: "不属于12317业务范围",
        2: "信息不全无法办理",
        3: "区划/管辖错误",
        4: "重复工单",
        5: "已通过法定途径办理",
        9: "其它",
    },
    "outcome": {
        1: "纳入监测对象",
        2: "已是监测对象",
        3: "不符合条件",
        4: "申请人放弃",
        5: "无法联系",
        9: "其它",
    },
    "adopted": {1: "采纳", 2: "部分采纳", 3: "不采纳", 4: "留作参考"},
    "monitor_type": {1: "脱贫不稳定户", 2: "边缘易致贫户", 3: "突发严重困难户"},
    "urgency": {1: "普通", 2: "紧急"},
    "service_type": {1: "咨询", 2: "建议"},
    "caller_category": {1: "贫困户", 2: "社会公众", 3: "扶贫工作人员"},
    "poverty_risk": {
        1: "因病",
        2: "因学",
        3: "因残",
        4: "因自然灾害",
        5: "因意外事故",
        6: "因产业项目失败",
        7: "因务工就业不稳",
        8: "因缺劳动力",
        9: "其它",
    },
    "answer_mode": {"direct": "由12345转告", "callback": "已回电答复"},
}


def missing(operation: str, body: Mapping[str, Any]) -> list[str]:
    """Labels of the fields this operation should carry and does not."""
    wanted = REQUIRED.get(operation, ())
    return [label(name) for name in wanted if body.get(name) in (None, "", [], {})]


def title(operation: str, body: Mapping[str, Any]) -> str:
    """What a message is called; a status event by what happened."""
    said = EVENTS.get(str(body.get("event", ""))) if operation == "status-events" else None
    whole = TITLES.get(operation, operation)
    return f"{whole} · {said}" if said else whole


def label(name: str) -> str:
    """The Chinese name of a field, or the field itself."""
    return LABELS.get(name, name)


def shown(name: str, value: Any) -> str:
    """A single value as a person reads it."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str) and _MOMENT.match(value):
        return value[:19].replace("T", " ")
    if isinstance(value, int | str):
        return _VALUES.get(name, {}).get(value, str(value))
    return str(value)


def facts(body: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """(label, lines) of every field; lists and objects become one line per entry."""
    return [(label(name), _lines(name, value)) for name, value in body.items()]


def _lines(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        parts = (
            f"{_FILE_LABELS.get(k, label(k)) if name in _FILES else label(k)}：{shown(k, v)}"
            for k, v in value.items()
        )
        return ["，".join(parts)]
    if isinstance(value, list):
        return [line for each in value for line in _lines(name, each)] or ["—"]
    return shown(name, value).split("\n")
