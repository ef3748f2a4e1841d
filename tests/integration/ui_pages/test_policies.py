"""The policy's page: read by stage and type, edited in two steps, open tickets recomputed."""

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.core import clock
from app.core.db import db, session, transact
from app.deadlines import policies, recompute, services
from app.deadlines.models import TicketClock
from app.deadlines.plan import Facts
from app.engine.registry import Actor
from app.tickets.models import Ticket
from app.tickets.queries import ticket_of_partner
from app.workqueue.models import READY, WorkItem
from tests.support.journey import World
from tests.support.pages import Browser, inline_code
from tests.support.people import CHONGQING, GUIZHOU, MEITAN, Person
from tests.support.timelimits import forget_edits

Browse = Callable[[Person], Browser]
NATION = "000000000000"
EDIT = "/deadlines/policies/edit"
TOTAL = "limits.total.complaint:number"


@pytest.fixture(autouse=True)
def _leave_nothing(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        forget_edits()
        db.session.remove()


@pytest.fixture
def admin(world: World, browse: Browse) -> Browser:
    return browse(world.employ(NATION, "system_admin"))


def inputs(page: str) -> dict[str, str]:
    """What a browser would send of the form as it was drawn."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and name[1] != "csrf_token":
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, inner in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        first = re.search(r'<option value="([^"]*)"', inner)
        found[name] = (chosen or first)[1] if (chosen or first) else ""  # type: ignore[index]
    return found


def ask(browser: Browser, scope: str = "national", **changed: str) -> str:
    """Change these inputs of the form and ask for the difference."""
    form = inputs(browser.get(EDIT, scope=scope).text)
    given = {"reason": "按新规定调整", **changed}
    answer = browser.post(f"{EDIT}?scope={scope}", {**form, **given})
    assert answer.status_code == 200
    return answer.text


def sent(page: str) -> dict[str, Any]:
    return dict(json.loads(inputs(page)["values"]))


def apply(browser: Browser, page: str, scope: str = "national") -> str:
    """Confirm what was shown; the page one comes back to."""
    answer = browser.post(f"/deadlines/policies/apply?scope={scope}", inputs(page))
    assert answer.status_code == 302
    return browser.get("/deadlines/policies", scope=scope).text


def test_the_policy_stands_by_stage_and_type(admin: Browser) -> None:
    page = admin.get("/deadlines/policies").text

    for shown in ("总时限", "首次联系", "15个工作日", "60日", "来信来访邮件", "法规", "未曾修改"):
        assert shown in page
    assert not inline_code(page)


def test_a_form_that_changes_nothing_shows_no_difference(admin: Browser) -> None:
    page = ask(admin)

    assert "没有变化" in page
    assert sent(page) == {}


def test_a_change_is_shown_and_then_put_in_force(app: Flask, admin: Browser) -> None:
    page = ask(admin, **{TOTAL: "16"})
    assert "总时限（投诉举报）" in page
    assert "15个工作日" in page
    assert "16个工作日" in page
    assert sent(page) == {"limits": {"total": {"complaint": {"limit": "16wd"}}}}
    assert "未曾修改" in admin.get("/deadlines/policies").text

    after = apply(admin, page)

    assert "已保存，自新工单起生效" in after
    assert "16个工作日" in after
    assert "按新规定调整（1 处）" in after
    with app.app_context():
        rule = policies.current(policies.NATIONAL).rule("total", frozenset({"any", "complaint"}))
        assert rule is not None
        assert str(rule.limit) == "16wd"
        assert rule.basis.startswith("广东省")
        db.session.remove()


def test_figures_beside_the_limits_can_be_changed(admin: Browser) -> None:
    page = ask(
        admin,
        **{
            "lights.yellow": "75",
            "escalation.notice:number": "7",
            "extension.max_times.any": "2",
            "limits.review.any:basis": "本省规定",
        },
    )

    assert sent(page) == {
        "limits": {"review": {"any": {"limit": "1wd", "basis": "本省规定", "law": "practice"}}},
        "lights": {"yellow": 75},
        "escalation": {"notice": "7wd"},
        "extension": {"max_times": {"any": 2}},
    }


def test_a_line_can_be_added_and_taken_back(admin: Browser) -> None:
    new = {
        "new-0-stage": "first_contact",
        "new-0-type": "complaint",
        "new-0-when": "urgent",
        "new-0:number": "2",
        "new-0:unit": "wh",
        "new-0-basis": "紧急事项",
    }
    assert "2个工作时" in apply(admin, ask(admin, **new))

    page = ask(admin, **{"limits.first_contact.complaint urgent:number": ""})

    assert "→ 无" in page
    assert "紧急事项" not in apply(admin, page).split("历史版本")[0]


def test_all_that_is_wrong_is_named_at_once_and_kept(app: Flask, admin: Browser) -> None:
    page = ask(
        admin,
        **{
            TOTAL: "0",
            "limits.handle.complaint:number": "many",
            "lights.yellow": "half",
            "escalation.leaders:number": "",
            "extension.max_days.any": "99",
            "reason": "",
        },
    )

    assert "有 6 处需要修改，未保存" in page
    for told in (
        "应在 1 至 250",
        "应为数字加单位",
        "应为 0–100 的整数",
        "应为 0–30 的整数",
        "请填写原因",
    ):
        assert told in page
    assert 'value="many"' in page
    assert 'value="half"' in page
    with app.app_context():
        assert policies.latest(policies.NATIONAL) == 0
        db.session.remove()


def test_stages_that_take_longer_than_the_total_are_refused(admin: Browser) -> None:
    page = ask(admin, **{TOTAL: "3"})

    assert "县级办理的，各环节合计约 14.1 个工作日，超过总时限 3个工作日" in page
    assert "需要修改" in page


def test_two_editors_cannot_both_be_next(admin: Browser) -> None:
    mine, theirs = ask(admin, **{TOTAL: "16"}), ask(admin, **{TOTAL: "17"})
    apply(admin, theirs)

    after = apply(admin, mine)

    assert "刚被他人修改" in after
    assert "17个工作日" in after
    assert "16个工作日" not in after.split("历史版本")[0]


def test_a_province_has_lines_of_its_own(world: World, browse: Browse) -> None:
    own = browse(world.employ(GUIZHOU, "process_analyst"))

    after = apply(own, ask(own, GUIZHOU, **{TOTAL: "19"}), GUIZHOU)

    assert "19个工作日" in after
    assert "19个工作日" not in own.get("/deadlines/policies").text


def test_a_province_takes_its_line_back_and_has_the_nations_again(
    world: World, browse: Browse
) -> None:
    own = browse(world.employ(GUIZHOU, "process_analyst"))
    apply(own, ask(own, GUIZHOU, **{TOTAL: "19"}), GUIZHOU)

    page = ask(own, GUIZHOU, **{TOTAL: ""})

    assert sent(page) == {}
    assert "15个工作日" in page
    assert "19个工作日" not in apply(own, page, GUIZHOU).split("历史版本")[0]


def test_a_line_of_the_nation_cannot_be_emptied_by_a_province(world: World, browse: Browse) -> None:
    own = browse(world.employ(GUIZHOU, "process_analyst"))

    assert "应为数字加单位" in ask(own, GUIZHOU, **{TOTAL: ""})


def test_a_line_can_be_for_one_source(app: Flask, admin: Browser) -> None:
    new = {
        "new-0-stage": "total",
        "new-0-type": "complaint",
        "new-0-when": "visit",
        "new-0:number": "50",
        "new-0:unit": "cd",
        "new-0-basis": "来访从快",
    }

    assert "来访" in apply(admin, ask(admin, **new))

    with app.app_context():
        made = policies.current(policies.NATIONAL)
        db.session.remove()
    words = frozenset({"any", "complaint", "petition", "visit"})
    found = {word: made.rule("total", words - {"visit"} | {word}) for word in ("visit", "letter")}
    assert {word: str(rule and rule.limit) for word, rule in found.items()} == {
        "visit": "50cd",
        "letter": "60cd",
    }


@pytest.mark.parametrize(
    ("place", "role", "address", "status"),
    [
        (GUIZHOU, "process_analyst", "/deadlines/policies", 200),
        (GUIZHOU, "supervisor", "/deadlines/policies", 403),
        (GUIZHOU, "process_analyst", EDIT, 403),
        (GUIZHOU, "process_analyst", f"{EDIT}?scope={GUIZHOU}", 200),
        (CHONGQING, "process_analyst", f"{EDIT}?scope={GUIZHOU}", 403),
        (GUIZHOU, "process_analyst", "/deadlines/policies/recompute?kind=policy", 403),
        (NATION, "process_analyst", "/deadlines/policies/recompute?kind=policy", 200),
        (NATION, "process_analyst", "/deadlines/policies/recompute?kind=other", 404),
        (NATION, "process_analyst", "/deadlines/policies?scope=520328000000", 404),
    ],
)
def test_who_may_do_what(
    world: World, browse: Browse, place: str, role: str, address: str, status: int
) -> None:
    assert browse(world.employ(place, role)).get(address).status_code == status


@pytest.fixture
def ticket(app: Flask, world: World) -> str:
    """A ticket whose clock runs under the default policy, the newest that there is."""
    number = world.submit()

    def work() -> None:
        unowned = TicketClock.ticket_id.not_in(select(Ticket.id))
        session().execute(update(TicketClock).where(unowned).values(closed_at=clock.now()))
        found = ticket_of_partner(world.partner_id, number)
        facts = Facts("complaint", "p12345_api", found.submitted_at)
        services.open_ticket(found.id, number, facts, found.submitted_at, division_code=MEITAN)

    with app.app_context():
        transact(work)
        db.session.remove()
    return number


def test_recomputing_shows_first_what_would_move(app: Flask, admin: Browser, ticket: str) -> None:
    address = "/deadlines/policies/recompute?kind=policy"
    assert ticket not in admin.get(address).text
    with app.app_context():
        transact(
            lambda: policies.save(
                policies.NATIONAL,
                {"limits": {"total": {"complaint": "18wd"}}},
                follows=0,
                reason="测试",
                actor=Actor(None, "测试"),
                now=clock.now(),
            )
        )
        db.session.remove()

    page = admin.get(address).text

    assert ticket in page
    assert "总时限：" in page


def test_a_run_is_started_once_and_its_progress_is_shown(
    app: Flask, admin: Browser, ticket: str
) -> None:
    address = "/deadlines/policies/recompute?kind=policy"
    admin.get(address)

    assert admin.post(address, {"reason": "x"}).status_code == 302
    assert "请填写原因" in admin.get("/deadlines/policies").text
    admin.post(address, {"reason": "政策调整后重新计算"})
    page = admin.get("/deadlines/policies").text
    assert "已开始，在后台进行" in page
    assert 'hx-trigger="every 2s"' in page
    assert "政策调整后重新计算" in page
    admin.post(address, {"reason": "再来一次"})
    assert "正在重新计算" in admin.get("/deadlines/policies").text
    with app.app_context():
        ready = (WorkItem.lane == recompute.LANE) & (WorkItem.state == READY)
        assert len(session().scalars(select(WorkItem.id).where(ready)).all()) == 1
        transact(lambda: session().execute(update(WorkItem).where(ready).values(state="done")))
        db.session.remove()

    assert 'hx-trigger="every 2s"' not in admin.get("/deadlines/policies").text
