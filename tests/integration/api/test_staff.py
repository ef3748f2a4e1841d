"""`/api/v1`: deploy, start, work through, message, retry; each route with its refusals."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.core.db import db, transact
from app.organisations import queries as organisations
from app.security.tokens import create_token
from tests.integration.api.conftest import Ask
from tests.integration.engine.flows import (
    CAUSES,
    catch,
    line,
    new_key,
    raising,
    service,
    user,
)
from tests.support.people import GUIYANG, GUIZHOU, ZUNYI, Person

pytestmark = pytest.mark.usefixtures("registered")

NO_TASK = "0f0e0d0c-0b0a-4908-8706-050403020100"
ROUTES = (
    ("POST", "/process-definitions", "diagram.deploy"),
    ("POST", "/process-instances", "process.start"),
    ("GET", "/process-instances/1", "process.view"),
    ("GET", "/tasks", "task.view"),
    ("GET", f"/tasks/{NO_TASK}", "task.view"),
    ("POST", f"/tasks/{NO_TASK}/claim", "task.claim"),
    ("POST", f"/tasks/{NO_TASK}/unclaim", "task.claim"),
    ("POST", f"/tasks/{NO_TASK}/complete", "task.complete"),
    ("POST", "/messages", "message.send"),
    ("GET", "/incidents", "incident.view"),
    ("POST", "/incidents/1/retry", "incident.retry"),
)


@pytest.fixture
def analyst(hired: Callable[..., Person]) -> Person:
    return hired(GUIZHOU, "process_analyst")


@pytest.fixture
def operator(hired: Callable[..., Person]) -> Person:
    return hired(ZUNYI)


@pytest.fixture
def outsider(hired: Callable[..., Person]) -> Person:
    """Somebody of the city next door, with the same role."""
    return hired(GUIYANG)


def three_tasks(key: str) -> bytes:
    """Three user tasks of a city's operators, on a unit that a variable names."""
    words = {"role": "city_operator", "unit": "city_unit_id"}
    return line(key, *(user(f"step_{n}", f"第{n}步", **words) for n in (1, 2, 3)), title="三步")


@pytest.fixture
def started(staff: Ask, analyst: Person, operator: Person) -> str:
    """A running case of three tasks in 遵义; its business key."""
    key, case = new_key(), new_key("case")
    deployed = staff("POST", "/process-definitions", analyst, data=three_tasks(key))
    assert deployed.status_code == 201, deployed.text
    body = {
        "definition": key,
        "business_key": case,
        "variables": {"city_unit_id": operator.principal.unit_id},
    }
    assert staff("POST", "/process-instances", analyst, json=body).status_code == 201
    return case


def only_task(staff: Ask, person: Person, case: str) -> dict[str, Any]:
    (task,) = staff("GET", "/tasks", person, query_string={"business_key": case}).json["tasks"]
    return task


def complete(staff: Ask, person: Person, task_id: str, **body: Any) -> Any:
    return staff("POST", f"/tasks/{task_id}/complete", person, json=body)


def test_a_diagram_of_three_tasks_is_deployed_started_and_completed(
    staff: Ask, analyst: Person, operator: Person
) -> None:
    key, case = new_key(), new_key("case")

    deployed = staff(
        "POST",
        "/process-definitions",
        analyst,
        data=three_tasks(key),
        content_type="application/xml",
    )
    assert deployed.status_code == 201
    assert {k: deployed.json[k] for k in ("process_key", "version", "status")} == {
        "process_key": key,
        "version": 1,
        "status": "published",
    }
    body = {
        "definition": key,
        "business_key": case,
        "variables": {"city_unit_id": operator.principal.unit_id},
    }
    begun = staff("POST", "/process-instances", analyst, json=body)
    assert begun.status_code == 201
    instance_id = begun.json["instance_id"]
    assert [t["element_id"] for t in begun.json["opened"]] == ["step_1"]

    for number in (1, 2, 3):
        task = only_task(staff, operator, case)
        assert (task["element_id"], task["name"]) == (f"step_{number}", f"第{number}步")
        assert task["unit_id"] == operator.principal.unit_id
        answer = complete(
            staff, operator, task["id"], variables={f"n{number}": number}, version=task["version"]
        )
        assert answer.status_code == 200

    assert answer.json["status"] == "completed"
    seen = staff("GET", f"/process-instances/{instance_id}", analyst).json
    assert (seen["status"], seen["open_tasks"], seen["definition_version"]) == ("completed", [], 1)
    people = [e for e in seen["events"] if e["kind"] == "user"]
    assert [(e["element_id"], e["decision"]) for e in people] == [
        (f"step_{n}", {f"n{n}": n}) for n in (1, 2, 3)
    ]
    assert {e["actor"] for e in people} == {operator.principal.display_name}
    assert [e["seq"] for e in seen["events"]] == list(range(1, len(seen["events"]) + 1))


def test_the_same_diagram_again_keeps_its_version_and_another_gets_the_next(
    staff: Ask, analyst: Person
) -> None:
    key = new_key()
    files = [(io.BytesIO(three_tasks(key)), "main.bpmn")]

    first = staff("POST", "/process-definitions", analyst, data={"file": files[0]})
    again = staff(
        "POST",
        "/process-definitions",
        analyst,
        data={"file": (io.BytesIO(three_tasks(key)), "main.bpmn")},
    )
    other = staff("POST", "/process-definitions", analyst, data=line(key, user("one")))

    assert [a.json["version"] for a in (first, again, other)] == [1, 1, 2]
    assert first.json["digest"] == again.json["digest"] != other.json["digest"]


@pytest.mark.parametrize(("method", "path", "action"), ROUTES)
def test_every_route_wants_a_valid_token(
    staff: Ask, app: Flask, method: str, path: str, action: str
) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic dTpw"},
        {"Authorization": "Bearer "},
    ):
        answer = app.test_client().open(f"/api/v1{path}", method=method, headers=headers, json={})
        assert answer.status_code == 401
        assert answer.json["code"] == "TOKEN_INVALID"
        assert answer.json["message"]
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_ends(staff: Ask, app: Flask, operator: Person, clock: Any) -> None:
    with app.app_context():
        token = transact(lambda: create_token(operator.principal, "短", clock(), 1))
        db.session.remove()
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/tasks", headers=headers).status_code == 200

    clock.move(days=1, seconds=1)

    assert app.test_client().get("/api/v1/tasks", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "action"), [r for r in ROUTES if not r[2].startswith("task.")]
)
def test_operators_may_not_touch_diagrams_messages_and_incidents(
    staff: Ask, operator: Person, method: str, path: str, action: str
) -> None:
    answer = staff(method, path, operator, json={})

    assert (answer.status_code, answer.json["code"]) == (403, "SCOPE_DENIED")


@pytest.mark.parametrize(("method", "path", "action"), [r for r in ROUTES if r[2][:5] == "task."])
def test_analysts_may_not_do_citizens_business(
    staff: Ask, analyst: Person, method: str, path: str, action: str
) -> None:
    assert staff(method, path, analyst, json={}).status_code == 403


def test_the_outsider_is_refused_everywhere(
    staff: Ask, started: str, operator: Person, outsider: Person
) -> None:
    task = only_task(staff, operator, started)

    listed = staff("GET", "/tasks", outsider, query_string={"business_key": started})
    assert listed.json["tasks"] == []
    whole = staff("GET", "/tasks", outsider, query_string={"limit": 200}).json["tasks"]
    assert all(row["business_key"] != started for row in whole)
    for method, path in (
        ("GET", ""),
        ("POST", "/claim"),
        ("POST", "/unclaim"),
        ("POST", "/complete"),
    ):
        answer = staff(method, f"/tasks/{task['id']}{path}", outsider, json={})
        assert (answer.status_code, answer.json["code"]) == (404, "TASK_NOT_FOUND")

    assert only_task(staff, operator, started)["version"] == task["version"]


def test_another_role_of_the_same_unit_is_refused(
    staff: Ask, started: str, operator: Person, hired: Callable[..., Person]
) -> None:
    supervisor, task = hired(ZUNYI, "supervisor"), only_task(staff, operator, started)

    for path in ("/claim", "/complete"):
        answer = staff("POST", f"/tasks/{task['id']}{path}", supervisor, json={})
        assert (answer.status_code, answer.json["code"]) == (403, "ROLE_REQUIRED")


def test_claim_and_unclaim(
    staff: Ask, started: str, operator: Person, hired: Callable[..., Person]
) -> None:
    colleague, task = hired(ZUNYI), only_task(staff, operator, started)
    path = f"/tasks/{task['id']}"

    claimed = staff("POST", f"{path}/claim", operator)
    assert claimed.json["assignee_name"] == operator.principal.display_name
    assert claimed.json["version"] == 2
    for person, action in ((colleague, "claim"), (colleague, "complete"), (colleague, "unclaim")):
        answer = staff("POST", f"{path}/{action}", person, json={})
        assert (answer.status_code, answer.json["code"]) == (409, "TASK_CLAIMED")
        assert answer.json["claimed_by"] == operator.principal.display_name
    mine = {"scope": "mine", "business_key": started}
    assert len(staff("GET", "/tasks", operator, query_string=mine).json["tasks"]) == 1
    assert staff("GET", "/tasks", colleague, query_string=mine).json["tasks"] == []
    stale = complete(staff, operator, task["id"], version=1)
    assert (stale.status_code, stale.json["code"]) == (409, "STALE_VERSION")
    released = staff("POST", f"{path}/unclaim", operator)

    assert (released.json["assignee_id"], released.json["version"]) == (None, 3)


def test_a_repeated_completion_gets_the_first_answer_and_another_learns_who_did_it(
    staff: Ask, started: str, operator: Person, hired: Callable[..., Person]
) -> None:
    colleague, task = hired(ZUNYI), only_task(staff, operator, started)
    action = {"action_id": str(uuid.uuid4())}

    first = complete(staff, operator, task["id"], **action)
    again = complete(staff, operator, task["id"], **action)
    late = complete(staff, colleague, task["id"])

    assert first.json == again.json
    assert (late.status_code, late.json["code"]) == (409, "TASK_ALREADY_DONE")
    assert late.json["acted_by"] == operator.principal.display_name
    assert f"已由{operator.principal.display_name}办理" in late.json["message"]


def test_lists_go_on_where_they_stopped(staff: Ask, analyst: Person, operator: Person) -> None:
    key = new_key()
    staff("POST", "/process-definitions", analyst, data=three_tasks(key))
    for _ in range(5):
        body = {
            "definition": key,
            "business_key": new_key("case"),
            "variables": {"city_unit_id": operator.principal.unit_id},
        }
        staff("POST", "/process-instances", analyst, json=body)
    pages, after = [], ""
    while after is not None:
        query = {"process_key": key, "limit": 2, **({"after": after} if after else {})}
        answer = staff("GET", "/tasks", operator, query_string=query).json
        pages.append([t["id"] for t in answer["tasks"]])
        after = answer["next"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({i for page in pages for i in page}) == 5
    wrong = staff("GET", "/tasks", operator, query_string={"after": "不是"})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "after")


@pytest.mark.parametrize("limit", ["0", "-5", "100000", "many", ""])
def test_an_odd_limit_is_brought_into_its_bounds(staff: Ask, operator: Person, limit: str) -> None:
    answer = staff("GET", "/tasks", operator, query_string={"limit": limit})

    assert answer.status_code == 200
    assert len(answer.json["tasks"]) <= 200


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/process-instances", {}, {"definition", "business_key"}),
        (
            "/process-instances",
            {"definition": "x", "business_key": "", "action_id": "1", "variables": []},
            {"business_key", "action_id", "variables"},
        ),
        ("/process-instances", {"definition": "x", "business_key": "y" * 65}, {"business_key"}),
        ("/messages", {}, {"message_id", "name", "business_key"}),
        (
            "/messages",
            {"message_id": "short", "name": 1, "business_key": None, "payload": 3},
            {"message_id", "name", "business_key", "payload"},
        ),
    ],
)
def test_a_wrong_body_is_named_field_by_field(
    staff: Ask, analyst: Person, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    answer = staff("POST", path, analyst, json=body)

    assert (answer.status_code, answer.json["code"]) == (422, "VALIDATION_FAILED")
    assert {e["field"] for e in answer.json["errors"]} == fields
    assert all(e["message"] for e in answer.json["errors"])


def test_a_completion_names_wrong_fields_and_variables(
    staff: Ask, started: str, operator: Person
) -> None:
    task = only_task(staff, operator, started)

    shape = complete(staff, operator, task["id"], version="1", action_id="x", variables=1)
    assert {e["field"] for e in shape.json["errors"]} == {"version", "action_id", "variables"}
    nested = complete(staff, operator, task["id"], variables={"people": [{"name": "李某某"}]})
    assert (nested.status_code, nested.json["errors"][0]["field"]) == (422, "people")
    assert "李某某" not in nested.text


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff"])
@pytest.mark.parametrize("path", ["/process-instances", "/messages"])
def test_what_is_no_json_object_is_malformed(
    staff: Ask, analyst: Person, path: str, raw: bytes
) -> None:
    answer = staff("POST", path, analyst, data=raw, content_type="application/json")

    assert (answer.status_code, answer.json["code"]) == (400, "MALFORMED")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/process-instances/999999999", None, "INSTANCE_NOT_FOUND"),
        ("POST", "/incidents/999999999/retry", None, "INCIDENT_NOT_FOUND"),
        (
            "POST",
            "/process-instances",
            {"definition": "nothing", "business_key": "x"},
            "DEFINITION_NOT_FOUND",
        ),
        ("GET", "/nothing", None, "NOT_FOUND"),
        ("GET", "/tasks/not-a-uuid", None, "NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_not_found(
    staff: Ask, analyst: Person, method: str, path: str, body: Any, code: str
) -> None:
    answer = staff(method, path, analyst, json=body)

    assert (answer.status_code, answer.json["code"]) == (404, code)


@pytest.mark.parametrize("odd", ["\x00", "9" * 40, "'; drop table users; --"])
def test_odd_values_are_no_internal_error(staff: Ask, analyst: Person, odd: str) -> None:
    body = {"definition": "ticket_transfer", "business_key": odd, "variables": {"x": odd}}
    message = {"message_id": odd.ljust(8, "x"), "name": odd, "business_key": odd}
    answers = (
        staff("POST", "/messages", analyst, json=message),
        staff("GET", "/process-instances/" + "9" * 40, analyst),
        staff("POST", "/incidents/" + "9" * 40 + "/retry", analyst),
    )
    assert all(a.status_code < 500 for a in answers), [a.text for a in answers]
    assert staff("POST", "/process-instances", analyst, json=body).json["code"] != "x"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "MALFORMED"),
        (b"no xml", 400, "MALFORMED"),
        (b"<a/>", 400, "MALFORMED"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', 400, "MALFORMED"),
        (b"x" * (3 * 1024 * 1024), 413, "FILE_TOO_LARGE"),
    ],
)
def test_what_is_no_diagram_is_refused(
    staff: Ask, analyst: Person, raw: bytes, status: int, code: str
) -> None:
    answer = staff("POST", "/process-definitions", analyst, data=raw)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_an_unsafe_diagram_is_refused_element_by_element(staff: Ask, analyst: Person) -> None:
    bad = line(new_key(), service("call", "os.system"), user("who", role="nobody"))

    answer = staff("POST", "/process-definitions", analyst, data=bad)

    assert (answer.status_code, answer.json["code"]) == (422, "DIAGRAM_REFUSED")
    assert {(e["field"], e["rule"]) for e in answer.json["errors"]} == {
        ("call", "handler_unknown"),
        ("who", "role_unknown"),
    }


def test_a_message_is_delivered_once(staff: Ask, analyst: Person) -> None:
    key, case = new_key(), new_key("case")
    xml = line(key, catch("wait", "tests.fact"), user("then"), messages=("tests.fact",))
    staff("POST", "/process-definitions", analyst, data=xml)
    message = {"message_id": uuid.uuid4().hex, "name": "tests.fact", "business_key": case}

    early = staff("POST", "/messages", analyst, json=message)
    begun = staff(
        "POST", "/process-instances", analyst, json={"definition": key, "business_key": case}
    )
    again = staff("POST", "/messages", analyst, json=message)

    assert [a.json["state"] for a in (early, again)] == ["pending", "delivered"]
    assert [t["element_id"] for t in begun.json["opened"]] == ["then"]


def test_an_incident_is_listed_and_retried(staff: Ask, analyst: Person) -> None:
    key, case = new_key(), new_key("case")
    xml = line(key, service("break", "tests.fragile"), user("then"))
    staff("POST", "/process-definitions", analyst, data=xml)
    CAUSES[case] = raising(RuntimeError("李某某"))

    broken = staff(
        "POST", "/process-instances", analyst, json={"definition": key, "business_key": case}
    )
    assert (broken.status_code, broken.json["code"]) == (500, "INTERNAL")
    assert "李某某" not in broken.text
    listed = staff("GET", "/incidents", analyst)
    (incident,) = [i for i in listed.json["incidents"] if i["business_key"] == case]
    assert "李某某" not in listed.text
    path = f"/incidents/{incident['id']}/retry"
    assert staff("POST", path, analyst).status_code == 500
    del CAUSES[case]
    settled = staff("POST", path, analyst)
    assert (settled.json["state"], settled.json["attempts"]) == ("resolved", 2)

    assert staff("POST", path, analyst).json["code"] == "INCIDENT_RESOLVED"


def test_a_start_is_done_once(staff: Ask, analyst: Person, operator: Person) -> None:
    key, case = new_key(), new_key("case")
    staff("POST", "/process-definitions", analyst, data=three_tasks(key))
    unit = {"city_unit_id": operator.principal.unit_id}
    body = {"definition": key, "business_key": case, "variables": unit}
    body["action_id"] = str(uuid.uuid4())

    first = staff("POST", "/process-instances", analyst, json=body)
    again = staff("POST", "/process-instances", analyst, json=body)
    other = staff("POST", "/process-instances", analyst, json={**body, "action_id": None})

    assert first.json == again.json
    assert (other.status_code, other.json["code"]) == (409, "INSTANCE_EXISTS")


def test_the_units_of_these_tests_are_neighbours(
    app: Flask, operator: Person, outsider: Person
) -> None:
    with app.app_context():
        units = [organisations.unit(p.principal.unit_id) for p in (operator, outsider)]
        assert units[0].parent_id == units[1].parent_id
        assert units[0].id != units[1].id
        db.session.remove()
