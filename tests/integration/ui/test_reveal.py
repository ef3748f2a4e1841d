"""Masked fields of the caller: for a reason, in one answer, on record, and never a sealed one."""

from collections.abc import Callable
from typing import Any

import pytest

from app.security.models import AccessLog
from tests.integration.ui.conftest import Employ, Receive
from tests.support.journey import World
from tests.support.people import CHONGQING, GUIZHOU, ZUNYI, Person

PHONE = "13812345678"
REASON = "联系诉求人核实到账情况"
Log = Callable[..., list[AccessLog]]


def test_the_chosen_field_is_shown_once_and_its_name_is_on_record(
    employ: Employ, receive: Receive, log_of: Log
) -> None:
    desk = employ(GUIZHOU)
    path = f"/tickets/{receive(contact_phone=PHONE, caller_name='李小明')}"
    assert PHONE not in desk.get(path).text

    answer = desk.post(f"{path}/reveal", htmx=True, field="contact_phone", reason=REASON)

    assert answer.status_code == 200
    assert PHONE in answer.text
    assert "李小明" not in answer.text
    assert "<html" not in answer.text
    assert PHONE not in desk.get(path).text
    (line,) = log_of(desk.person, "ticket.reveal")
    assert (line.reason, line.detail) == (REASON, {"fields": ["contact_phone"]})
    assert line.object_id == path.rpartition("/")[2]


def test_without_scripts_the_whole_page_comes_back(employ: Employ, receive: Receive) -> None:
    desk = employ(GUIZHOU)
    path = f"/tickets/{receive(contact_phone=PHONE)}"

    answer = desk.post(f"{path}/reveal", field=["contact_phone", "caller_name"], reason=REASON)

    assert "</html>" in answer.text
    assert PHONE in answer.text
    assert "李某某" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"field": "contact_phone", "reason": "核实"}, "请说明查看理由"),
        ({"field": "contact_phone", "reason": "      核  实  "}, "请说明查看理由"),
        ({"field": "contact_phone", "reason": "长" * 201}, "请说明查看理由"),
        ({"reason": REASON}, "请选择要查看的内容"),
        ({"field": "id_card_no", "reason": REASON}, "请选择要查看的内容"),
        ({"field": "query_code", "reason": REASON}, "请选择要查看的内容"),
    ],
)
def test_without_a_reason_or_a_field_nothing_is_shown_or_recorded(
    employ: Employ, receive: Receive, log_of: Log, given: dict[str, Any], said: str
) -> None:
    desk = employ(GUIZHOU)

    answer = desk.post(f"/tickets/{receive(contact_phone=PHONE)}/reveal", htmx=True, **given)

    assert answer.status_code == 422
    assert said in answer.text
    assert PHONE not in answer.text
    assert log_of(desk.person, "ticket.reveal") == []


def test_an_outsider_finds_no_such_ticket(employ: Employ, receive: Receive, log_of: Log) -> None:
    desk = employ(CHONGQING)

    answer = desk.post(f"/tickets/{receive()}/reveal", field="contact_phone", reason=REASON)

    assert answer.status_code == 404
    assert log_of(desk.person, "ticket.reveal") == []


def test_a_supervisor_sees_the_ticket_masked_and_may_not_reveal(
    employ: Employ, receive: Receive
) -> None:
    desk = employ(GUIZHOU, "supervisor")
    path = f"/tickets/{receive(contact_phone=PHONE)}"

    assert "查看脱敏信息" not in desk.get(path).text
    answer = desk.post(f"{path}/reveal", field="contact_phone", reason=REASON)

    assert answer.status_code == 403
    assert PHONE not in answer.text


def test_a_sealed_identity_is_revealed_at_the_province_and_stays_sealed_below(
    world: World, employ: Employ, receive: Receive, log_of: Log
) -> None:
    province, city = employ(GUIZHOU), employ(ZUNYI)
    number = receive(contact_phone=PHONE, is_confidential=True)
    hand_down(world, province.person, city.person, number)
    path = f"/tickets/{number}"

    below = city.get(path).text
    refused = city.post(f"{path}/reveal", field="contact_phone", reason=REASON)
    shown = province.post(f"{path}/reveal", field="contact_phone", reason=REASON)

    assert "匿名（身份已密封）" in below
    assert "查看脱敏信息" not in below
    assert (refused.status_code, PHONE in refused.text) == (403, False)
    assert log_of(city.person, "ticket.reveal") == []
    assert PHONE in shown.text


def hand_down(world: World, province: Person, city: Person, number: str) -> None:
    world.complete(province, number)
    world.complete(province, number, review="accept")
    world.complete(
        province,
        number,
        route="down",
        target_unit_id=city.principal.unit_id,
        summary="反映补助发放标准问题，请核实办理。",
    )
