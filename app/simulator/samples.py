"""Made-up submissions of every type: real places of the division table, invented people.

The telephone numbers are obviously invented (138000012xx) and nobody here exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One ticket without the fields that each submission gets anew."""

    key: str
    title: str
    province_code: str
    place: str
    values: Mapping[str, Any]
    kind: str = "complaint"
    """The table it is submitted to: complaint, declaration or consultation."""
    label: str = "投诉举报"


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "gz-housing",
        "危房改造补助资金被截留",
        "520000",
        "贵州省遵义市湄潭县马山镇",
        {
            "is_anonymous": False,
            "caller_name": "李某某",
            "contact_phone": "13800001234",
            "caller_address": "湄潭县马山镇某村三组",
            "division_code": "520328103000",
            "detail_address": "某村三组",
            "target_info": "村委会主任王某",
            "content": (
                "来电人反映：2025年列入危房改造名单，房屋已于2026年3月完工并验收，"
                "补助资金3.5万元至今只到账2.3万元。\n询问村里，村委会主任王某称剩余部分为“管理费”。"
                "要求核实补助标准并补发差额。"
            ),
            "problem_category": 3,
        },
    ),
    Sample(
        "gz-wages",
        "易地搬迁安置区道路工程拖欠工资",
        "520000",
        "贵州省黔东南州雷山县大塘镇",
        {
            "is_anonymous": False,
            "caller_name": "杨某",
            "contact_phone": "13800001235",
            "division_code": "522634104000",
            "detail_address": "某安置点",
            "target_info": "某建筑劳务公司项目部",
            "content": (
                "来电人与同组共11名务工人员于2026年4月至8月在安置点道路工程务工，"
                "合计拖欠工资8.6万元，多次讨要未果。要求协调支付。"
            ),
            "problem_category": 14,
        },
    ),
    Sample(
        "gz-anonymous",
        "匿名举报低保评定不公",
        "520000",
        "贵州省黔东南州从江县",
        {
            "is_anonymous": True,
            "division_text": "贵州省黔东南苗族侗族自治州从江县",
            "target_info": "某村两委",
            "content": (
                "来电人不愿透露身份。反映该村2026年度低保评定未开评议会、未公示，"
                "两户有小轿车的家庭被纳入，而一户重病家庭被取消。要求重新核查。"
            ),
            "problem_category": 2,
        },
    ),
    Sample(
        "cq-road",
        "通组公路硬化中断影响出行",
        "500000",
        "重庆市城口县修齐镇花坪村",
        {
            "is_anonymous": False,
            "caller_name": "陈某某",
            "contact_phone": "13800001236",
            "division_code": "500229106202",
            "detail_address": "五组",
            "target_info": "承建施工队",
            "content": (
                "村民反映通组公路2026年5月开工，硬化至三组即停工，剩余1.2公里路面已挖开，"
                "雨天无法通行，学生上学需绕行。要求明确复工时间。"
            ),
            "problem_category": 13,
        },
    ),
    Sample(
        "cq-irrigation",
        "抗旱提灌站建成后未通水",
        "500000",
        "重庆市酉阳土家族苗族自治县黑水镇黑水村",
        {
            "is_anonymous": False,
            "caller_name": "冉某",
            "contact_phone": "13800001237",
            "division_code": "500242106200",
            "detail_address": "二组",
            "content": (
                "提灌站2025年底建成，至今未通水，今年夏旱造成约60亩水稻减产。"
                "要求查明原因并尽快投入使用。"
            ),
            "problem_category": 16,
        },
    ),
    Sample(
        "gz-illness",
        "因病申请纳入防返贫监测",
        "520000",
        "贵州省遵义市湄潭县马山镇",
        {
            "caller_name": "罗某某",
            "contact_phone": "13800001238",
            "id_card_no": "520328199001010039",
            "division_code": "520328103000",
            "detail_address": "某村五组",
            "household_head": "罗某",
            "relation": "父子",
            "content": (
                "户主2026年8月突发脑梗住院，自付医疗费约5.8万元，出院后不能劳动；"
                "家中两个孩子上学，只有来电人一人务工。申请纳入监测帮扶。"
            ),
            "poverty_risk": [1, 8],
        },
        kind="declaration",
        label="自主申报",
    ),
    Sample(
        "cq-disaster",
        "山洪冲毁果园申请监测帮扶",
        "500000",
        "重庆市城口县修齐镇",
        {
            "caller_name": "向某某",
            "contact_phone": "13800001239",
            "id_card_no": "500229197803020026",
            "division_code": "500229106000",
            "detail_address": "某村二组",
            "content": (
                "2026年7月山洪冲毁脆李果园约8亩，当年没有收入，尚欠小额信贷3万元。申请纳入监测帮扶。"
            ),
            "poverty_risk": [4, 6, 9],
            "poverty_risk_note": "小额信贷即将到期",
        },
        kind="declaration",
        label="自主申报",
    ),
    Sample(
        "gz-loan",
        "脱贫人口小额信贷怎样申请",
        "520000",
        "贵州省黔东南州雷山县",
        {
            "caller_category": 2,
            "service_type": 1,
            "problem_category": 9,
            "division_code": "522634000000",
            "content_summary": "脱贫人口小额信贷可以贷多少、期限多长，需要什么材料，到哪里办理？",
            "callback_phone": "13800001240",
        },
        kind="consultation",
        label="咨询",
    ),
    Sample(
        "cq-guardrail",
        "建议在通组公路加装护栏",
        "500000",
        "重庆市酉阳土家族苗族自治县黑水镇",
        {
            "caller_category": 3,
            "service_type": 2,
            "problem_category": 13,
            "division_code": "500242106000",
            "content_summary": (
                "黑水镇通组公路有四处临崖急弯没有护栏，今年已有两次车辆滑出路面。"
                "建议列入明年村道安防工程。"
            ),
            "caller_name": "田某",
            "callback_phone": "13800001241",
        },
        kind="consultation",
        label="建议",
    ),
)


def sample_named(key: str) -> Sample:
    """The sample; KeyError when there is none of that key."""
    return {sample.key: sample for sample in SAMPLES}[key]


def submission(sample: Sample, external_ticket_no: str, now: datetime) -> dict[str, Any]:
    """A complete body for the sample's table, called in ten minutes before `now`."""
    body = {
        "external_ticket_no": external_ticket_no,
        "operator_no": f"{'GZ' if sample.province_code == '520000' else 'CQ'}12345-0231",
        "caller_number": caller_number(sample) or "unknown",
        "called_at": (now - timedelta(minutes=10)).isoformat(timespec="seconds"),
        **sample.values,
    }
    if sample.kind == "complaint":
        body["required_completion_date"] = (now + timedelta(days=21)).date().isoformat()
    return body


def caller_number(sample: Sample) -> str | None:
    """The number the caller left, under either name; None of an anonymous one."""
    return sample.values.get("contact_phone") or sample.values.get("callback_phone")


def of_province(code: str | None) -> tuple[Sample, ...]:
    """The samples of one province by its six-digit code; None gives all."""
    return tuple(s for s in SAMPLES if code is None or s.province_code == code)
