"""Doing a task on the page: claiming, drafts, files without scripts, and who was faster."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core.clock import BEIJING
from app.demo import sample_report
from tests.integration.ui.conftest import Desk, Employ, Receive, task_of, worklist_of
from tests.support.journey import World
from tests.support.people import CHONGQING, GUIZHOU


@pytest.fixture
def handling(world: World, employ: Employ, receive: Receive) -> tuple[Desk, str, str]:
    """A province operator with a ticket that the province handles; number and task."""
    desk = employ(GUIZHOU)
    number = receive()
    world.complete(desk.person, number)
    world.complete(desk.person, number, review="accept")
    world.complete(desk.person, number, route="province")
    return desk, number, task_of(world, desk.person, number)


def report(*files: tuple[bytes, str], **changed: Any) -> dict[str, Any]:
    """The form of the investigation as a browser without scripts sends it."""
    return {
        "investigated_at": "2026-11-24",
        "verification_result": "2",
        "investigators-0-name": "周明远",
        "investigators-0-position": "科员",
        "investigators-0-phone": "13800009999",
        "inform_status": "2",
        "informed_at": datetime.now(BEIJING).strftime("%Y-%m-%dT%H:%M"),
        "inform_method": "1",
        "petitioner_feedback": "多次联系未能接通。",
        "report_files-upload": [(io.BytesIO(content), name) for content, name in files],
        **changed,
    }


def version_of(desk: Desk, number: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', desk.get(f"/tickets/{number}").text)
    assert found
    return found[1]


def complete(desk: Desk, number: str, task_id: str, **data: Any) -> TestResponse:
    return desk.post(f"/tasks/{task_id}/complete", version=version_of(desk, number), **data)


def test_a_task_nobody_holds_is_done_at_once(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk = employ(GUIZHOU)
    number = receive()
    page = desk.get(f"/tickets/{number}").text
    assert "未认领" in page
    assert "办理</a>" in worklist_of(desk, number)

    answer = complete(desk, number, task_of(world, desk.person, number))

    assert answer.headers["Location"] == f"/tickets/{number}"
    assert world.tasks(desk.person, number)[0]["element_id"] == "review"


def test_what_one_has_done_is_listed_with_its_outcome(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk, colleague = employ(GUIZHOU), employ(GUIZHOU)
    number = receive()
    world.complete(desk.person, number)
    world.complete(desk.person, number, review="accept")

    done = desk.get("/done").text

    assert done.count(number) >= 2
    assert ">签收</td>" in done
    assert ">受理</td>" in done
    assert number not in colleague.get("/done").text


def test_a_claim_tells_the_colleagues_and_can_be_taken_back(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk, colleague = employ(GUIZHOU), employ(GUIZHOU)
    number = receive()
    task = f"/tasks/{task_of(world, desk.person, number)}"

    desk.post(f"{task}/claim")
    name = desk.person.principal.display_name
    assert "我已认领" in desk.get(f"/tickets/{number}").text
    theirs = colleague.get(f"/tickets/{number}").text
    assert f"已由{name}认领" in theirs
    assert f"{task}/complete" not in theirs
    assert colleague.post(f"{task}/claim").status_code == 409
    assert colleague.post(f"{task}/unclaim").status_code == 409
    desk.post(f"{task}/unclaim")

    assert f"{task}/complete" in colleague.get(f"/tickets/{number}").text


def test_an_outsider_finds_no_such_task(world: World, employ: Employ, receive: Receive) -> None:
    desk, outsider = employ(GUIZHOU), employ(CHONGQING)
    number = receive()
    task = f"/tasks/{task_of(world, desk.person, number)}"

    for action in ("claim", "unclaim", "complete", "draft", "files"):
        assert outsider.post(f"{task}/{action}").status_code == 404
    assert outsider.get(f"/tickets/{number}").status_code == 404


def test_who_is_slower_is_told_who_did_it_beside_what_was_entered(
    world: World, employ: Employ, receive: Receive
) -> None:
    desk, colleague = employ(GUIZHOU), employ(GUIZHOU)
    number = receive()
    task_id = task_of(world, desk.person, number)
    version = version_of(desk, number)
    world.complete(colleague.person, number)

    answer = desk.post(f"/tasks/{task_id}/complete", htmx=True, version=version)

    assert answer.status_code == 409
    assert f"已由{colleague.person.principal.display_name}办理" in answer.text
    assert "<html" not in answer.text
    assert answer.headers["HX-Retarget"] == "#messages"


def test_without_scripts_the_files_travel_with_the_form(
    world: World, handling: tuple[Desk, str, str]
) -> None:
    desk, number, task_id = handling
    files = (sample_report(), "调查报告.docx"), (sample_report(), "补充.docx")

    answer = complete(desk, number, task_id, **report(*files))

    assert answer.status_code == 302, answer.text
    page = desk.get(f"/tickets/{number}").text
    assert "调查报告.docx" in page
    assert "补充.docx" in page


def test_a_refused_form_keeps_the_files_that_came_with_it(handling: tuple[Desk, str, str]) -> None:
    desk, number, task_id = handling

    refused = complete(
        desk, number, task_id, **report((sample_report(), "报告.docx"), petitioner_feedback="短")
    )
    kept = re.search(r'name="report_files" value="(att_\w+)"', refused.text)
    assert kept
    again = complete(desk, number, task_id, **report(report_files=kept[1]))

    assert refused.status_code == 422
    assert "至少填写5个字" in refused.text
    assert again.status_code == 302, again.text
    assert "报告.docx" in desk.get(f"/tickets/{number}").text


def test_a_forbidden_file_is_named_and_the_good_one_stays(handling: tuple[Desk, str, str]) -> None:
    desk, number, task_id = handling

    answer = complete(
        desk, number, task_id, **report((b"MZ", "工具.exe"), (sample_report(), "报告.docx"))
    )

    assert answer.status_code == 422
    assert "工具.exe：不支持该类型的文件" in answer.text
    assert re.search(r'name="report_files" value="att_\w+"', answer.text)
    assert "多次联系未能接通。" in answer.text


def test_a_draft_without_scripts_keeps_text_and_files(handling: tuple[Desk, str, str]) -> None:
    desk, number, task_id = handling

    answer = desk.post(f"/tasks/{task_id}/draft", **report((sample_report(), "报告.docx")))

    assert answer.headers["Location"] == f"/tickets/{number}?task={task_id}#task"
    page = desk.get(f"/tickets/{number}").text
    assert "多次联系未能接通。" in page
    assert "报告.docx" in page


def test_a_large_file_is_taken_from_staff_and_a_stranger_s_is_cut_off(
    app: Flask, handling: tuple[Desk, str, str], big_report: Callable[[int], bytes]
) -> None:
    desk, _, task_id = handling
    content = big_report(5)

    taken = desk.post(
        f"/tasks/{task_id}/files", field="report_files", file=(io.BytesIO(content), "大.docx")
    )
    stranger = app.test_client().post(
        f"/tasks/{task_id}/files", data={"file": (io.BytesIO(content), "大.docx")}
    )

    assert taken.status_code == 201
    assert stranger.status_code == 413


@pytest.fixture
def big_report() -> Callable[[int], bytes]:
    """A Word document of so many megabytes."""
    import os
    import zipfile

    def make(megabytes: int) -> bytes:
        buffer = io.BytesIO(sample_report())
        with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr("word/media/image1.png", os.urandom(megabytes * 2**20))
        return buffer.getvalue()

    return make
