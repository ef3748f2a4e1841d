"""The samples are complete and obviously invented."""

from datetime import datetime

import pytest

from app.core.clock import BEIJING
from app.divisions import datafile
from app.simulator import labels, samples
from app.simulator.samples import SAMPLES, Sample
from app.tickets import intake
from app.tickets.types import TICKET_TYPES

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=BEIJING)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_a_sample_is_a_complete_submission_that_is_accepted(sample: Sample) -> None:
    body = samples.submission(sample, "GZ12345-20261124-000001", NOW)

    taken = intake.read(sample.kind, body, now=NOW, anonymity_mode="named_requires_caller")

    assert taken.warnings == []
    assert TICKET_TYPES[taken.ticket_type].title == sample.label
    assert body["called_at"] == "2026-11-24T09:20:00+08:00"
    number = samples.caller_number(sample)
    assert (number or "").startswith("138000012") is not bool(body.get("is_anonymous"))
    if body.get("is_anonymous"):
        assert "caller_name" not in body


@pytest.mark.parametrize("province", ["520000", "500000"])
def test_each_province_has_every_kind_of_table(province: str) -> None:
    kinds = {sample.kind for sample in samples.of_province(province)}

    assert kinds == {"complaint", "declaration", "consultation"}


def test_samples_are_of_both_provinces_and_found_by_key() -> None:
    assert {sample.province_code for sample in SAMPLES} == {"520000", "500000"}
    assert len({sample.key for sample in SAMPLES}) == len(SAMPLES)
    assert samples.sample_named("cq-road").title == "通组公路硬化中断影响出行"
    with pytest.raises(KeyError):
        samples.sample_named("none")


def test_divisions_of_the_samples_exist_and_are_named_as_said() -> None:
    wanted = {s.values["division_code"]: s for s in SAMPLES if "division_code" in s.values}
    names = {row.code: row.name for row in datafile.read() if row.code in wanted}

    assert set(names) == set(wanted)
    for code, sample in wanted.items():
        assert names[code].removesuffix("村民委员会").removesuffix("村") in sample.place


def test_fields_are_shown_in_chinese() -> None:
    facts = dict(
        labels.facts(
            {
                "verification_result": 2,
                "investigators": [{"name": "张某", "position": "科员", "phone": "13800001299"}],
                "content": "一\n二",
                "is_anonymous": False,
                "report_files": [{"name": "报告.pdf", "size": 9}],
                "completed_at": "2026-12-11T10:00:03.5+08:00",
                "occurred_at": "2026-12-11T02:00:03+00:00",
                "measures": [],
                "自有字段": 5,
                "amount_involved": None,
            }
        )
    )

    assert facts == {
        "属实情况": ["部分属实"],
        "调查人员信息": ["姓名：张某，职务：科员，电话：13800001299"],
        "内容": ["一", "二"],
        "是否匿名": ["否"],
        "调查报告": ["文件名：报告.pdf，大小（字节）：9"],
        "办结时间": ["2026-12-11 10:00:03"],
        "发生时间": ["2026-12-11T02:00:03+00:00"],
        "整改措施": ["—"],
        "自有字段": ["5"],
        "金额数量（元）": ["—"],
    }


def test_missing_fields_of_an_operation_are_named() -> None:
    assert labels.missing("return-requests", {"acceptance_no": "TS1", "return_reason": ""}) == [
        "12345工单编号",
        "退单理由",
    ]
    assert labels.missing("report-files", {}) == []
