"""Likely duplicates stand beside the form, and a person says what they are (DUP-02, DUP-04)."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.journeys.conftest import seats
from tests.journeys.test_calls import ring
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person

__all__ = ["seats"]
Browse = Callable[[Person], Browser]
VILLAGE = "520328004001"


@pytest.fixture
def phone() -> str:
    """A number that only this story calls from."""
    return f"136{datetime.now(UTC).strftime('%H%M%S%f')[-8:]}"


@pytest.fixture
def said() -> str:
    """What only this story says."""
    return f"反映饮水管道{uuid.uuid4().hex[:10]}破裂无人维修，全组停水。"


def task_id_of(world: World, person: Person, number: str) -> str:
    (task,) = world.tasks(person, number)
    return str(task["id"])


def reviewing(world: World, person: Person, **changed: Any) -> str:
    number = world.submit(**changed)
    world.complete(person, number)
    return number


def decide(
    browser: Browser, task_id: str, number: str, decision: str, *, htmx: bool = False, **form: Any
) -> Any:
    return browser.post(
        f"/tasks/{task_id}/duplicates/{number}", htmx=htmx, duplicate=decision, **form
    )


def beside(page: str, number: str) -> str:
    """The part of a page about one candidate; empty when it is not offered."""
    found = re.search(
        rf'<details name="duplicates"[^>]*>\s*<summary><span class="no">{number}<.*?</details>',
        page,
        re.DOTALL,
    )
    return found[0] if found else ""


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture
def pair(world: World, phone: str, said: str) -> tuple[Chain, str, str]:
    """A ticket at the county and one like it under review."""
    people = world.chain()
    running = world.submit(caller_number=phone, contact_phone=phone, content=said)
    world.down(running, people)
    number = reviewing(
        world,
        people.province,
        caller_number=phone,
        contact_phone=phone,
        content=said.replace("全组", "全村"),
    )
    return people, running, number


def test_the_review_shows_both_tickets_with_the_differing_words_marked(
    pair: tuple[Chain, str, str], browse: Browse, phone: str
) -> None:
    people, running, number = pair

    page = browse(people.province).get(f"/tickets/{number}").text

    shown = beside(page, running)
    assert "<mark>村</mark>" in shown
    assert "<mark>组</mark>" in shown
    assert f"{phone[:3]}****{phone[-4:]}" in shown
    assert phone not in shown
    for words in ("同一来电号码", "办理中", "湄潭县", "前办结", "并单", "关联", "新诉求"):
        assert words in text_of(shown), words


def test_merging_fills_in_the_exit_and_is_still_to_be_handed_in(
    world: World, pair: tuple[Chain, str, str], browse: Browse
) -> None:
    people, running, number = pair
    browser = browse(people.province)
    task_id = task_id_of(world, people.province, number)

    answer = decide(browser, task_id, running, "merge", review="accept", opinion="与前一件相同")

    assert answer.status_code == 302
    assert answer.location.endswith(f"/tickets/{number}?task={task_id}#task")
    page = browser.get(f"/tickets/{number}").text
    assert re.search(rf'name="merged_into"[^>]*value="{running}"', page)
    assert re.search(r'value="merge"[^>]* checked', page)
    assert "与前一件相同" in page
    assert world.status(number) == "reviewing"
    world.complete(people.province, number, review="merge", merged_into=running)
    assert world.status(number) == "merged"


def test_a_link_is_told_in_both_histories_once(
    world: World, pair: tuple[Chain, str, str], browse: Browse
) -> None:
    people, running, number = pair
    browser = browse(people.province)
    task_id = task_id_of(world, people.province, number)

    decide(browser, task_id, running, "link")
    again = decide(browser, task_id, running, "link", htmx=True)

    assert again.status_code == 200
    assert 'id="task"' in again.text
    assert f"{people.province.principal.display_name}：关联" in beside(again.text, running)
    one, other = (browser.get(f"/tickets/{each}").text for each in (number, running))
    assert one.count(f"同一诉求：{running}") == 1
    assert other.count(f"同一诉求：{number}") == 1
    assert world.status(number) == "reviewing"


def test_what_was_found_to_be_new_is_not_offered_again(
    world: World, pair: tuple[Chain, str, str], browse: Browse
) -> None:
    people, running, number = pair
    browser = browse(people.province)

    decide(browser, task_id_of(world, people.province, number), running, "new", review="accept")

    assert beside(browser.get(f"/tickets/{number}").text, running) == ""


@pytest.mark.parametrize("decision", ["", "both"])
def test_a_word_that_is_no_decision_is_refused(
    world: World, pair: tuple[Chain, str, str], browse: Browse, decision: str
) -> None:
    people, running, number = pair
    task_id = task_id_of(world, people.province, number)

    assert decide(browse(people.province), task_id, running, decision).status_code == 400


def test_only_a_candidate_can_be_decided_on_and_only_by_who_has_the_step(
    world: World, pair: tuple[Chain, str, str], browse: Browse
) -> None:
    people, running, number = pair
    task_id = task_id_of(world, people.province, number)
    stranger = world.submit(content="咨询养老金待遇认证怎样办理，需要哪些材料。")

    assert decide(browse(people.province), task_id, stranger, "link").status_code == 404
    assert decide(browse(people.city), task_id, running, "link").status_code == 404


def test_a_step_in_somebody_elses_hands_is_theirs_to_decide(
    world: World, pair: tuple[Chain, str, str], browse: Browse
) -> None:
    people, running, number = pair
    task_id = task_id_of(world, people.province, number)
    browse(people.province_auditor).post(f"/tasks/{task_id}/claim")

    assert decide(browse(people.province), task_id, running, "new").status_code == 409
    page = browse(people.province).get(f"/tickets/{number}").text
    assert beside(page, running) == ""


def test_a_sealed_callers_number_is_beside_nothing(
    world: World, browse: Browse, phone: str, said: str
) -> None:
    people = world.chain()
    sealed = world.submit(
        is_anonymous=True,
        caller_number=phone,
        content=said,
        caller_name=None,
        contact_phone=None,
        division_code=VILLAGE,
        problem_category=13,
    )
    number = reviewing(
        world, people.province, content=said, division_code=VILLAGE, problem_category=13
    )

    shown = beside(browse(people.province).get(f"/tickets/{number}").text, sealed)

    assert "同村同类问题" in shown
    assert "匿名" in shown
    assert phone not in shown


def test_the_agent_is_told_of_a_running_ticket_and_hints_the_operator(
    world: World, seats: World, browse: Browse, phone: str, said: str
) -> None:
    people = world.chain()
    agent = world.employ(GUIZHOU, "province_agent")
    running = world.submit(caller_number=phone, contact_phone=phone, content=said)
    world.down(running, people)
    number = ring(world, caller_number=phone)
    world.complete(agent, number, call="record", ticket_type="complaint")
    seat = browse(agent)

    page = seat.get(f"/calls/{number}").text
    assert f"已有在办工单 {running}：" in text_of(beside(page, running))
    task_id = task_id_of(world, agent, number)
    answer = decide(seat, task_id, running, "merge", content=said, division_code=VILLAGE)

    assert answer.location.endswith(f"/calls/{number}#task")
    page = seat.get(f"/calls/{number}").text
    assert "内容相似 100%" in beside(page, running)
    assert said in page
    record = {
        "is_anonymous": False,
        "caller_name": "赵某某",
        "contact_phone": phone,
        "division_code": VILLAGE,
        "content": said,
        "problem_category": 3,
    }
    world.complete(agent, number, **record)
    shown = beside(browse(people.province).get(f"/tickets/{number}").text, running)
    assert f"{agent.principal.display_name}：并单" in shown
