"""Each type of ticket on the pages: its own facts, form, versions, and what one has done."""

from collections.abc import Callable

import pytest

from tests.support.journey import World, outcome, reply
from tests.support.pages import Browser
from tests.support.people import Person

Browse = Callable[[Person], Browser]


def test_a_declaration_shows_its_risks_and_masks_the_household(
    world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.declare()

    page = browse(people.province).get(f"/tickets/{number}").text

    for shown in ("自主申报", "因病、其它（房屋受潮）", "与户主关系", "父子", "罗**", "户主"):
        assert shown in page, shown
    for hidden in ("罗大某", "罗某某", "11010519491231002X", "投诉对象", "来电人员类别"):
        assert hidden not in page, hidden


def test_a_question_shows_who_asks_and_nothing_it_does_not_know(
    world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.ask()

    page = browse(people.province).get(f"/tickets/{number}").text

    for shown in ("来电人员类别", "社会公众", "138****1240", "小额信贷"):
        assert shown in page, shown
    for hidden in ("身份证号", "住址", "户主", "投诉对象"):
        assert hidden not in page, hidden


def test_the_household_is_shown_for_a_reason(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.declare()
    browser = browse(people.province)
    browser.get(f"/tickets/{number}")

    shown = browser.post(
        f"/tickets/{number}/reveal", {"field": ["household_head"], "reason": "核对户籍信息"}
    )

    assert "罗大某" in shown.text
    assert "罗某某" not in shown.text


def test_each_type_has_its_own_form(world: World, browse: Browse) -> None:
    people = world.chain()
    numbers = (world.declare(), world.ask(), world.ask(service_type=2))
    fields = ("monitor_type", "answer_mode", "adopted")
    for number, wanted, button in zip(
        numbers, ({0}, {1}, {1, 2}), ("提交审核", "提交答复", "提交答复"), strict=True
    ):
        world.accept(number, people.province)
        world.complete(people.province, number, route="province")
        page = browse(people.province).get(f"/tickets/{number}").text
        drawn = {n for n, name in enumerate(fields) if f'name="{name}"' in page}
        assert drawn == wanted
        assert button in page


def test_versions_and_audits_of_a_declaration_stand_on_the_page(
    world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.declare()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.complete(people.province, number, **outcome(outcome=5, monitor_type=None))
    world.complete(people.province_auditor, number, decision="reject", opinion="请再联系")
    world.complete(people.province, number, **outcome())

    page = browse(people.province).get(f"/tickets/{number}").text

    for shown in ("第 1 版办理结果", "无法联系", "已驳回", "请再联系", "第 2 版办理结果"):
        assert shown in page, shown
    assert "提交第 2 版办理结果" in page
    assert "突发严重困难户" in page


def test_an_answer_without_audit_says_so(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.ask()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.complete(people.province, number, **reply())

    page = browse(people.province).get(f"/tickets/{number}").text

    for shown in ("第 1 版答复", "无须审核", "由12345转告", reply()["answer"]):
        assert shown in page, shown


def test_what_one_has_done_says_what_came_out(world: World, browse: Browse) -> None:
    people = world.chain()
    cases = (
        (world.declare(), outcome(outcome=4, monitor_type=None), "申请人放弃"),
        (world.ask(), reply(), "已答复"),
        (world.ask(service_type=2), reply(adopted=4), "留作参考"),
    )
    for number, values, _ in cases:
        world.accept(number, people.province)
        world.complete(people.province, number, route="province")
        world.complete(people.province, number, **values)

    page = browse(people.province).get("/done").text

    for number, _, said in cases:
        assert number in page
        assert said in page


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", {"complaint", "declaration", "suggestion"}),
        ("declaration", {"declaration"}),
        ("suggestion", {"suggestion"}),
        ("consultation", set()),
        ("\x00", set()),
    ],
)
def test_the_search_narrows_to_a_type(
    world: World, browse: Browse, wanted: str, found: set[str]
) -> None:
    people = world.chain()
    numbers = {
        "complaint": world.submit(),
        "declaration": world.declare(),
        "suggestion": world.ask(service_type=2),
    }

    page = browse(people.province).get("/tickets", type=wanted)

    assert page.status_code in {200, 400}
    if page.status_code == 200:
        assert {kind for kind, number in numbers.items() if number in page.text} == found


def test_the_worklist_names_the_type(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.ask(service_type=2)

    row = browse(people.province).find(number).text

    assert f"{number} · 建议 / 小额信贷" in row
