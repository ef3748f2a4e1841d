"""Batch sign-in (批量签收): each ticket for itself; who was slower is told who was faster."""

from tests.integration.ui.conftest import Employ, Receive, task_of, worklist_of
from tests.support.journey import World
from tests.support.people import CHONGQING, GUIZHOU


def test_ticked_tickets_are_signed_in_and_the_rest_is_explained(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk, colleague = employ(GUIZHOU), employ(GUIZHOU)
    mine, theirs, held = receive(), receive(), receive()
    tasks = [task_of(world, desk.person, number) for number in (mine, theirs, held)]
    world.complete(colleague.person, theirs)
    colleague.post(f"/tasks/{tasks[2]}/claim")

    answer = desk.post("/worklist/sign-in", task_id=tasks)

    assert answer.headers["Location"] == "/worklist"
    said = desk.messages()
    name = colleague.person.principal.display_name
    assert "已签收 1 件" in said
    assert f"1 件未签收：已由{name}办理" in said
    assert f"1 件未签收：已由{name}认领" in said
    assert world.tasks(desk.person, mine)[0]["element_id"] == "review"
    assert world.tasks(desk.person, held)[0]["element_id"] == "sign_in"


def test_only_sign_ins_have_a_box_and_are_done(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk = employ(GUIZHOU)
    fresh, reviewed = receive(), receive()
    world.complete(desk.person, reviewed)
    task_id = task_of(world, desk.person, reviewed)

    assert 'name="task_id"' in worklist_of(desk, fresh)
    assert 'name="task_id"' not in worklist_of(desk, reviewed)
    desk.post("/worklist/sign-in", task_id=task_id)

    assert "1 件未签收：该环节须逐件办理" in desk.messages()
    assert world.tasks(desk.person, reviewed)[0]["element_id"] == "review"


def test_an_outsider_signs_nothing_in(world: World, employ: Employ, receive: Receive) -> None:
    desk, outsider = employ(GUIZHOU), employ(CHONGQING)
    number = receive()

    outsider.post("/worklist/sign-in", task_id=task_of(world, desk.person, number))

    assert "1 件未签收：没有这项待办" in outsider.messages()
    assert world.tasks(desk.person, number)[0]["element_id"] == "sign_in"


def test_nothing_ticked_is_said_and_nonsense_is_refused(employ: Employ) -> None:
    desk = employ(GUIZHOU)

    desk.post("/worklist/sign-in")
    assert "请先勾选要签收的工单" in desk.messages()
    assert desk.post("/worklist/sign-in", task_id="x").status_code == 404
