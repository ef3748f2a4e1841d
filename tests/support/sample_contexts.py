# ruff: noqa: E501 - a page of sample data is easier to read in long rows
"""Sample contexts of the page templates, shaped as each template's first comment asks."""

from typing import Any

from flask import current_app, request

from app.ui.clocks import Bar
from app.ui.forms import field_views
from tests.support.sample_forms import Investigation

USER = {"name": "张敏", "unit": "固始县农业农村局", "level_label": "县级"}
NAV = [
    ("工单", "worklist", "待办", "inbox", "/worklist", 46),
    ("工单", "done", "已办", "check2-circle", "/done", 0),
    ("工单", "tickets", "工单查询", "search", "/tickets", 0),
    ("对接", "deliveries", "推送监控", "arrow-left-right", "/tickets", 2),
]
COUNTIES = [
    (f"41152{n}", f"信阳市{name}农业农村局")
    for n, name in enumerate(("固始县", "商城县", "潢川县", "光山县"))
]


def frame(**more: Any) -> dict[str, Any]:
    """The context of base.html."""
    keys = ("group", "key", "label", "icon", "url", "count")
    return {
        "product_name": "12317 热线工单系统",
        "user": USER,
        "nav": [dict(zip(keys, entry, strict=True)) for entry in NAV],
        "logout_url": "/logout",
        "account_url": "/account",
        **more,
    }


def worklist() -> dict[str, Any]:
    """The context of worklist/index.html."""
    titles = [
        "反映低保金三个月未发放",
        "易地搬迁后房屋漏水无人维修",
        "村干部优亲厚友，要求核查",
        "咨询防返贫监测对象认定条件",
    ]
    lights = ["red", "red", "orange", "yellow", "green", "green"]
    texts = [
        "逾期 3 个工作日 6 小时",
        "逾期 6 小时",
        "剩余 6 小时",
        "剩余 2 个工作日",
        "剩余 9 个工作日",
        "剩余 12 个工作日",
    ]
    rows = [
        {
            "task_id": n,
            "title": titles[n % 4],
            "acceptance_no": f"TS520000202611230004{n}S",
            "category": "低保",
            "step": ["调查办理", "县级签收", "市级审核"][n % 3],
            "area": "信阳市 固始县",
            "source": "12345 接口",
            "assignee": None if n % 3 == 1 else "张敏",
            "light": lights[n],
            "remaining_text": texts[n],
            "percent": [100, 100, 90, 72, 30, 10][n],
            "url": "/ticket",
            "urgent": n == 1,
            "pickable": n % 3 == 1,
            "flags": [{"label": "督办", "tone": "red"}] if n == 0 else [],
        }
        for n in range(6)
    ]
    labels = [
        ("all", "全部待办", 46),
        ("red", "红灯 · 已逾期", 9),
        ("orange", "橙灯 · 临期", 4),
        ("yellow", "黄灯 · 预警", 12),
        ("green", "绿灯 · 正常", 21),
    ]
    now = request.values.get("light", "all")
    return frame(
        lights=[
            {
                "key": key,
                "label": label,
                "count": count,
                "active": key == now,
                "url": f"/worklist?light={key}",
            }
            for key, label, count in labels
        ],
        rows=rows
        if not request.values.get("q")
        else [row for row in rows if request.values["q"] in row["title"]],
        filters={
            "q": request.values.get("q", ""),
            "scope": "mine",
            "light": now,
            "scopes": [("mine", "本单位待办"), ("pool", "待认领")],
            "step": "",
            "steps": ["调查办理", "县级签收"],
            "category": "",
            "categories": ["低保", "社会救助"],
        },
        list_url="/worklist",
        next_url="/worklist?after=6",
        first_url=None,
        total=46,
        batch={"url": "/batch", "label": "批量签收"},
    )


def ticket(
    errors: dict[str, list[str]] | None = None, values: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The context of ticket/index.html."""
    files = [{"id": 7, "name": "调查报告（盖章）.pdf", "size": "1.2 MB", "url": "/files/7"}]
    uploaded = [
        {"id": 101 + n, "name": name, "size": "3 KB", "url": None}
        for n, (_, name) in enumerate(current_app.extensions["posted"]["files"])
    ]
    return frame(
        active="worklist",
        list_url="/worklist",
        ticket={
            "acceptance_no": "TS5200002026112300042S",
            "external_ticket_no": "GZ12345-20261123-000981",
            "title": "反映低保金三个月未发放",
            "status_label": "办理中",
            "type_label": "投诉举报",
            "category_label": "低保",
            "sealed": True,
            "urgent": True,
            "light": "red",
            "due_text": "2026-11-23 18:00",
            "remaining_text": "调查办理已逾期 6 个工作小时",
            "content": "来电人反映：其家庭 2023 年纳入农村低保，今年 8 月起低保金未到账。\n多次到镇民政办询问，答复“系统升级”，请求核查并补发。",
            "facts": [
                ("来电人", "匿名"),
                ("来电号码", "138****6621"),
                ("事发地", "河南省信阳市固始县陈淋子镇"),
                ("来源", "12345 接口"),
                ("来电时间", "2026-11-16 09:12"),
            ],
            "flags": [{"label": "督办", "tone": "red"}, {"label": "延期审批中", "tone": "yellow"}],
        },
        deadlines={
            "open": [
                {
                    "label": "总时限",
                    "total": True,
                    "start_text": "2026-11-16 09:12",
                    "due_text": "2026-12-07 18:00",
                    "light": "yellow",
                    "remaining_text": "剩余 2 个工作日",
                    "limit": "15个工作日",
                    "basis": "广东省12345管理办法（2022）",
                    "law": "惯例",
                    "tags": [{"label": "暂定", "tone": "yellow", "why": "节假日安排尚未公布"}],
                    "granted": "",
                    "paused": "2 小时",
                    "bar": Bar(1000, 860, 0, 700, 930, ((300, 40),), 86),
                }
            ],
            "closed": [],
            "pauses": [
                {
                    "reason": "等待补充",
                    "since": "2026-11-20 09:00",
                    "until": "2026-11-20 11:00",
                    "length": "2 小时",
                }
            ],
        },
        diagram={
            "src": "/diagram.bpmn",
            "done": ["received", "sign_in", "review", "dispatch", "f_received", "f_sign_in"],
            "current": ["city_forward"],
            "overdue": ["handle"],
            "badges": {"handle": "46 / 40 工时", "review": "1.3 工时"},
        },
        actions=[
            {
                "label": "申请延期",
                "url": "/extension",
                "icon": "clock-history",
                "tone": "primary",
                "confirm": None,
            },
            {
                "label": "催办",
                "url": "/urge",
                "icon": "megaphone",
                "tone": "danger",
                "confirm": "确定向承办单位发出催办通知？",
            },
        ],
        attachments=[{"name": "低保证照片.jpg", "size": "860 KB", "url": "/files/1"}],
        reports=[
            {
                "title": "第 1 版",
                "at": "11-20 15:02",
                "who": "张敏",
                "state_label": "市级驳回",
                "tone": "red",
                "facts": [("属实情况", "部分属实"), ("调查人员", "张敏、李建国")],
                "opinion": "未说明停发原因",
                "files": files,
            },
            {
                "title": "第 2 版",
                "at": "11-23 10:40",
                "who": "张敏",
                "state_label": "待审核",
                "tone": "blue",
                "facts": [
                    ("属实情况", "属实"),
                    ("金额数量", "1,260.00 元"),
                    (
                        "反馈信访人情况",
                        "11 月 22 日入户告知来电人核查结果，说明停发系银行卡失效所致，现已更换账号并补发，来电人表示满意。",
                    ),
                ],
                "opinion": "",
                "files": files,
            },
        ],
        timeline=[
            {
                "kind": "done",
                "title": "受理",
                "who": "",
                "unit": "12345 平台",
                "at": "11-16 09:12",
                "text": "",
                "files": [],
                "duration": "",
            },
            {
                "kind": "returned",
                "title": "市级驳回",
                "who": "赵磊",
                "unit": "信阳市农业农村局",
                "at": "11-21 09:20",
                "text": "未说明停发原因，请补充。",
                "files": [],
                "duration": "用时 0.5 个工作日",
            },
            {
                "kind": "warn",
                "title": "系统催办",
                "who": "",
                "unit": "",
                "at": "11-22 10:20",
                "text": "",
                "files": [],
                "duration": "",
            },
            {
                "kind": "overdue",
                "title": "调查办理",
                "who": "张敏",
                "unit": "固始县农业农村局",
                "at": "办理中",
                "text": "",
                "files": [{"name": "入户照片.zip", "url": "/files/9"}],
                "duration": "已用 46 / 40 工时",
            },
            {
                "kind": "todo",
                "title": "市级审核",
                "who": "",
                "unit": "信阳市农业农村局",
                "at": "",
                "text": "",
                "files": [],
                "duration": "",
            },
        ],
        task={
            "id": 1,
            "name": "调查办理",
            "version": 3,
            "claimed_by": "张敏",
            "mine": True,
            "can_complete": True,
            "form": field_views(Investigation(), {"target": COUNTIES}),
            "values": values or {"origin": "county", "contact": "张敏", "report_files": ["7"]},
            "errors": errors or {},
            "files": files + uploaded,
            "submit_label": "提交审核",
            "complete_url": "/ticket",
            "draft_url": "/draft",
            "upload_url": "/upload",
            "claim_url": None,
        },
        deliveries=[
            {
                "operation": "状态通知：已签收",
                "state": "done",
                "receipt_no": "R-20261116-0031",
                "attempts": 1,
                "at": "11-16 09:40",
            },
            {
                "operation": "延期申请",
                "state": "dead",
                "receipt_no": None,
                "attempts": 8,
                "at": "11-22 11:00",
                "error": "对方系统没有应答",
            },
        ],
    )
