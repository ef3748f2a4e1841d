"""The ticket page: masked, in scope, on record; its form keeps what was entered."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.core.db import session, transact
from app.deadlines.models import Deadline
from app.security.models import AccessLog
from app.tickets.models import Ticket
from tests.support.journey import World
from tests.support.pages import Browser, inline_code
from tests.support.people import GUIYANG, Person

Browse = Callable[[Person], Browser]
PERSON = {
    "caller_name": "欧阳某甲",
    "contact_phone": "13912345678",
    "caller_number": "085155123456",
    "id_card_no": "11010519491231002X",
    "caller_address": "湄潭县马山镇三组十七号",
}


def opened(world: World, person: Person, number: str) -> int:
    """How often this person opened the ticket, by the access log."""
    with world.app.app_context():
        count = session().scalar(
            select(func.count())
            .select_from(AccessLog)
            .where(
                AccessLog.user_id == person.principal.user_id,
                AccessLog.action == "ticket.open",
                AccessLog.object_id == number,
            )
        )
        session().rollback()
    return count or 0


def test_the_page_shows_the_matter_and_masks_the_person(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit(**PERSON)

    page = browse(people.province).get(f"/tickets/{number}").text

    for shown in (number, "反映危房改造补助资金", "139****5678", "欧**", "110***********002X"):
        assert shown in page
    for secret in PERSON.values():
        assert secret not in page, secret


def test_every_opening_is_one_line_of_the_access_log(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    browser = browse(people.province)
    assert opened(world, people.province, number) == 0

    for times in (1, 2):
        browser.get(f"/tickets/{number}")
        assert opened(world, people.province, number) == times


def test_the_outsider_finds_no_such_ticket_and_leaves_no_line(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    outsider, _ = world.hire(GUIYANG)
    for person in (outsider, people.city, people.county):
        browser = browse(person)
        missing = browser.get("/tickets/TS5200002026112300042S")
        hidden = browser.get(f"/tickets/{number}")

        assert (missing.status_code, hidden.status_code) == (404, 404)
        assert number not in hidden.text
        assert opened(world, person, number) == 0


def test_who_handed_a_ticket_down_sees_it_without_a_form(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)

    for person, has_form in ((people.province, False), (people.city, False), (people.county, True)):
        page = browse(person).get(f"/tickets/{number}")
        assert page.status_code == 200
        assert ("petitioner_feedback" in page.text) is has_form


def test_a_refused_form_names_everything_and_keeps_what_was_entered(
    world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    browser = browse(people.county)
    entered = {
        "version": task["version"],
        "investigated_at": "2199-01-01",
        "petitioner_feedback": "短",
        "handling_opinion": "责成村委会<b>补发</b>差额。",
        "investigators-0-name": "周明远",
        "investigators-0-position": "科员",
        "investigators-0-phone": "12",
    }

    for htmx in (False, True):
        answer = browser.post(f"/tasks/{task['id']}/complete", entered, htmx=htmx)
        assert answer.status_code == 422
        assert "至少填写5个字" in answer.text
        assert "请填11位手机号" in answer.text
        assert "处需要修改" in answer.text
        assert "责成村委会&lt;b&gt;补发&lt;/b&gt;差额。" in answer.text
        assert 'value="周明远"' in answer.text
        assert ("<html" in answer.text) is not htmx

    assert world.status(number) == "handling"


def test_a_draft_is_kept_and_is_one_s_own(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    browser = browse(people.county)

    browser.post(f"/tasks/{task['id']}/draft", petitioner_feedback="只写了一半")

    assert "只写了一半" in browser.get(f"/tickets/{number}").text
    assert "只写了一半" not in browse(people.county_colleague).get(f"/tickets/{number}").text
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="reject", opinion="请补充")
    assert "只写了一半" not in browser.get(f"/tickets/{number}").text


def test_a_step_is_completed_from_the_page(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    browser = browse(people.province)
    for values in (
        {},
        {"review": "accept", "opinion": "受理"},
        {"route": "down", "target_unit_id": str(people.city.principal.unit_id)},
    ):
        (task,) = world.tasks(people.province, number)
        browser.get(f"/tickets/{number}")
        version = {"version": task["version"]}
        answer = browser.post(f"/tasks/{task['id']}/complete", values, **version)
        assert answer.status_code == 302

    assert [t["element_id"] for t in world.tasks(people.city, number)] == ["city_decide"]
    page = browser.get(f"/tickets/{number}").text
    assert people.city.principal.unit_name in page


def test_htmx_is_sent_on_by_a_header(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    (task,) = world.tasks(people.province, number)

    answer = browse(people.province).post(f"/tasks/{task['id']}/complete", version=1, htmx=True)

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/tickets/{number}"


def test_reports_and_their_audits_stand_on_the_page(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="reject", opinion="请补充名册")
    world.hand_in(people.county, number)

    page = browse(people.city).get(f"/tickets/{number}").text

    for shown in ("第 1 版调查报告", "第 2 版调查报告", "已驳回", "请补充名册", "第 2 轮"):
        assert shown in page


def test_a_report_file_is_for_those_who_see_its_ticket(world: World, browse: Browse) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    (file_id,) = world.hand_in(people.county, number)["report_files"]
    outsider, _ = world.hire(GUIYANG)

    for person, status in ((people.county, 200), (people.province, 200), (outsider, 404)):
        assert browse(person).get(f"/files/{file_id}").status_code == status


def test_what_a_citizen_wrote_is_text_and_never_markup(world: World, browse: Browse) -> None:
    nasty = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    people = world.chain()
    number = world.submit(content=nasty, target_info=nasty, detail_address="<b>三组</b>")

    for path in (f"/tickets/{number}", "/worklist", "/tickets"):
        page = browse(people.province).get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>三组" not in page


@pytest.mark.parametrize("path", ["/worklist", "/done", "/tickets", "/account", "ticket", "/login"])
def test_a_real_page_has_no_inline_script_or_style(world: World, browse: Browse, path: str) -> None:
    people, number = world.chain(), world.submit()
    world.down(number, people)
    address = f"/tickets/{number}" if path == "ticket" else path
    browsers = (
        [Browser(world.app)]
        if path == "/login"
        else [
            browse(people.county),
            browse(people.province),
        ]
    )

    for browser in browsers:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert inline_code(answer.text) == []
        policy = answer.headers["Content-Security-Policy"].split(";")
        directives = {d.split()[0]: d.split()[1:] for d in policy}
        assert directives["default-src"] in (["'none'"], ["'self'"])
        for name in ("script-src", "style-src", "object-src", "frame-ancestors"):
            assert not set(directives.get(name, [])) & {"'unsafe-inline'", "'unsafe-eval'", "*"}


def test_the_pages_of_an_unknown_address_are_in_words(world: World, browse: Browse) -> None:
    browser = browse(world.chain().province)

    for path, status in (
        ("/nothing", 404),
        ("/tickets/%00", 404),
        ("/diagrams/99999999.bpmn", 404),
    ):
        answer = browser.get(path)
        assert answer.status_code in {status, 400}
        assert "<html" in answer.text
        assert "Traceback" not in answer.text


def test_a_result_on_its_way_is_late_only_if_the_last_audit_was(
    world: World, browse: Browse
) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert world.status(number) == "result_pending"
    browser, now = browse(people.province), datetime.now(UTC)

    def page(completed_at: datetime) -> str:
        due = now - timedelta(days=8)
        of = select(Ticket.id).where(Ticket.acceptance_no == number).scalar_subquery()
        values = {"closed_at": completed_at, "due_at": due, "on_time": completed_at <= due}
        total = (Deadline.ticket_id == of) & (Deadline.stage == "total")
        with world.app.app_context():
            transact(lambda: session().execute(update(Deadline).where(total).values(values)))
        return browser.get(f"/tickets/{number}").text

    assert "前办结" not in page(completed_at=now - timedelta(days=9))
    assert "逾期" in page(completed_at=now - timedelta(days=2))


def test_the_way_back_from_a_refusal_stays_on_this_platform(world: World, app: Flask) -> None:
    for came, back in (
        ("http://localhost/worklist?light=red", "/worklist?light=red"),
        ("http://localhost//elsewhere.example/x", "/"),
        ("https://elsewhere.example/x", "/"),
    ):
        page = app.test_client().get("/no-such-page", headers={"Referer": came}).text

        assert f'href="{back}"' in page
        assert "elsewhere" not in page
