"""Code tables (代码表): the seed's lists with their numbers, ours where it has labels only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One value: the number on the wire, its label, and its parent for the two-level lists."""

    code: int
    label: str
    parent: int | None = None


@dataclass(frozen=True)
class CodeTable:
    """A named list of codes."""

    name: str
    title: str
    codes: tuple[Code, ...]

    def label(self, code: int | None) -> str:
        """Label of a code; empty for none."""
        return next((c.label for c in self.codes if c.code == code), "")

    def find(self, value: int | str) -> int | None:
        """The code for a number or a Chinese label; None when there is no such value."""
        for code in self.codes:
            if value == code.code or value == code.label or value == str(code.code):
                return code.code
        return None

    def options(self) -> list[tuple[int, str]]:
        """(code, label) pairs for a select."""
        return [(c.code, c.label) for c in self.codes]


def _table(name: str, title: str, *labels: str) -> CodeTable:
    return CodeTable(name, title, tuple(Code(n, label) for n, label in enumerate(labels, 1)))


_CATEGORY_LABELS = (
    "防返贫监测帮扶 低保 危房改造 土地占用 易地扶贫搬迁 社会救助 残疾人补助 贪污腐败 小额信贷 "
    "灾后重建 社会保险 农补农建 公路修建 拖欠农民工工资 新型农村合作医疗 水利设施 其它"
).split()
_MONITORING = "精准识别 精准退出 精准帮扶 资金使用 项目管理 政策执行 其它".split()

PROBLEM_CATEGORY = CodeTable(
    "problem_category",
    "问题类别",
    tuple(Code(n, label) for n, label in enumerate(_CATEGORY_LABELS, 1))
    + tuple(Code(n, f"防返贫监测帮扶：{label}", 1) for n, label in enumerate(_MONITORING, 18)),
)
"""Seed 附件2. 18–24 are kinds of 1; the numbers on the wire stay as they are."""

POVERTY_RISK = _table(
    "poverty_risk",
    "返（致）贫风险",
    "因病",
    "因学",
    "因残",
    "因自然灾害",
    "因意外事故",
    "因产业项目失败",
    "因务工就业不稳",
    "因缺劳动力",
    "其它",
)
"""Seed 附件1."""

APPROVED = _table("approved", "是否同意", "同意", "不同意")
VERIFICATION_RESULT = _table("verification_result", "属实情况", "属实", "部分属实", "不属实")
CALLER_CATEGORY = _table("caller_category", "来电人员类别", "贫困户", "社会公众", "扶贫工作人员")
SERVICE_TYPE = _table("service_type", "服务类型", "咨询", "建议")
URGENCY = _table("urgency", "紧急程度", "普通", "紧急")
RETURN_REASON = CodeTable(
    "return_reason",
    "退单原因",
    (
        Code(1, "不属于12317业务范围"),
        Code(2, "信息不全无法办理"),
        Code(3, "区划或管辖错误"),
        Code(4, "重复工单"),
        Code(5, "已通过法定途径办理"),
        Code(9, "其它"),
    ),
)
INFORM_STATUS = _table(
    "inform_status", "告知情况", "已告知", "拒绝接听或接收", "多次联系未果", "匿名不适用"
)
"""EX-13: a report cannot be submitted without one of these."""
DECLARATION_OUTCOME = CodeTable(
    "declaration_outcome",
    "申报办理结果",
    (
        Code(1, "纳入监测对象"),
        Code(2, "已是监测对象"),
        Code(3, "不符合条件"),
        Code(4, "申请人放弃"),
        Code(5, "无法联系"),
        Code(9, "其它"),
    ),
)
"""What became of a declaration; the seed's table 7 has no field for it (D7)."""
MONITOR_TYPE = _table(
    "monitor_type", "监测对象类型", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户"
)
ADOPTION = _table("adopted", "采纳情况", "采纳", "部分采纳", "不采纳", "留作参考")
"""信访工作条例 29: a suggestion is studied and answered."""
SATISFACTION = _table("satisfaction", "满意度", "满意", "基本满意", "不满意", "未评价", "无法联系")
DISSATISFIED = 3
"""不满意."""
SUSPENSION_REASON = CodeTable(
    "suspension_reason",
    "挂起原因",
    (
        Code(1, "等待鉴定或检测"),
        Code(2, "等待司法或行政程序"),
        Code(3, "等待诉求人举证"),
        Code(9, "其它"),
    ),
)
"""EX-11."""
SUPERVISION_REASON = CodeTable(
    "supervision_reason",
    "督办原因",
    (
        Code(1, "超过办理时限"),
        Code(2, "反复或集体反映"),
        Code(3, "无故拒办"),
        Code(4, "影响恶劣"),
        Code(9, "其它"),
    ),
)
INFORM_METHOD = _table("inform_method", "告知方式", "电话", "当面", "书面", "短信")

TABLES = {
    table.name: table
    for table in (
        PROBLEM_CATEGORY,
        POVERTY_RISK,
        APPROVED,
        VERIFICATION_RESULT,
        CALLER_CATEGORY,
        SERVICE_TYPE,
        URGENCY,
        RETURN_REASON,
        INFORM_STATUS,
        INFORM_METHOD,
        DECLARATION_OUTCOME,
        MONITOR_TYPE,
        ADOPTION,
        SATISFACTION,
        SUSPENSION_REASON,
        SUPERVISION_REASON,
    )
}

OTHER_RISK = 9
"""其它 of the risks: a note says which."""
NOTED_OUTCOMES = frozenset({3, 9})
"""不符合条件, 其它: a note says why."""
MONITORED = 1
"""纳入监测对象: the kind of household is recorded."""
CORRUPTION = 8
"""贪污腐败: another authority's matter."""
PERMITS = {
    "accused": "转给被反映单位",
    "corruption": "贪污腐败类由本平台办理",
    "second_return": "再次申请退单",
}
"""What only a leader may permit (准予), each for one ticket."""
