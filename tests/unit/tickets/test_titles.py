"""Titles differ at a glance: what every complaint begins with is left out."""

import pytest

from app.tickets import rules


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("来电人反映：2025年列入危房改造名单", "2025年列入危房改造名单"),
        ("反映危房改造补助资金未按标准发放。\n要求补发差额。", None),
        ("反映：低保金三个月未发放", "低保金三个月未发放"),
        ("市民来电反映，村里道路损坏", "村里道路损坏"),
        ("来电人不愿透露身份。反映该村低保评定未公示", "该村低保评定未公示"),
        ("群众举报村干部优亲厚友", "村干部优亲厚友"),
        ("来电人称其承包地被占", "其承包地被占"),
        ("来电人与同组11名务工人员被欠薪", "来电人与同组11名务工人员被欠薪"),
        ("反映的问题一直没有解决", "反映的问题一直没有解决"),
        ("来电人称呼村支书为亲戚", "来电人称呼村支书为亲戚"),
        ("投诉电话无人接听", "投诉电话无人接听"),
        ("反映：漏水", "反映：漏水"),
        ("来电人反映：反映：" + "字" * 41, "字" * 39 + "…"),
    ],
)
def test_a_title_leaves_out_the_lead_in(content: str, title: str | None) -> None:
    expected = title or "危房改造补助资金未按标准发放。 要求补发差额。"

    assert rules.title_of(content) == expected
