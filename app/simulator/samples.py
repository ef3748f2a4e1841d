"""Made-up submissions to try the platform with: real places of the division table, invented people.

The telephone numbers are obviously invented (138000012xx) and nobody here exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One complaint (投诉举报) without the fields that each submission gets anew."""

    key: str
    title: str
    province_code: str
    place: str
    values: Mapping[str, Any]


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
)


def sample_named(key: str) -> Sample:
    """The sample; KeyError when there is none of that key."""
    return {sample.key: sample for sample in SAMPLES}[key]


def submission(sample: Sample, external_ticket_no: str, now: datetime) -> dict[str, Any]:
    """A complete body of `POST /complaints`, called in ten minutes before `now`."""
    return {
        "external_ticket_no": external_ticket_no,
        "operator_no": f"{'GZ' if sample.province_code == '520000' else 'CQ'}12345-0231",
        "caller_number": sample.values.get("contact_phone", "unknown"),
        "called_at": (now - timedelta(minutes=10)).isoformat(timespec="seconds"),
        "required_completion_date": (now + timedelta(days=21)).date().isoformat(),
        **sample.values,
    }


def of_province(code: str | None) -> tuple[Sample, ...]:
    """The samples of one province by its six-digit code; None gives all."""
    return tuple(s for s in SAMPLES if code is None or s.province_code == code)
