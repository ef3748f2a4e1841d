"""`/openapi/v1` as a province's 12345 platform meets it: every error by its code, nothing twice."""

import secrets
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from app.core.db import session
from app.demo import sample_report
from app.exchange import signature
from app.tickets.models import Ticket
from tests.support.journey import World, complaint
from tests.support.people import GUIZHOU, MEITAN, WANZHOU, ZUNYI

COMPLAINTS = "/openapi/v1/complaints"


def signed(
    world: World, body: bytes = b"", path: str = COMPLAINTS, **changed: Any
) -> httpx.Request:
    """A signed request that can be sent again as it is."""
    values = {
        "app_id": world.app_id,
        "secret": world.secret,
        "timestamp": round(time.time() * 1000),
        "nonce": secrets.token_hex(16),
        "body": body,
        **changed,
    }
    method = "POST" if body else "GET"
    headers = signature.sign(method, path, **values)
    return httpx.Request(method, f"{world.address}{quote(path)}", content=body, headers=headers)


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as http:
        return http.send(request)


def tickets(world: World, external_ticket_no: str) -> int:
    """How many tickets a number of this platform has become."""
    with world.app.app_context():
        found = session().scalar(
            select(func.count())
            .select_from(Ticket)
            .where(
                Ticket.partner_id == world.partner_id,
                Ticket.external_ticket_no == external_ticket_no,
            )
        )
        session().rollback()
    return found or 0


def test_a_submission_is_answered_with_the_receipt_of_the_requirements(world: World) -> None:
    sent = complaint(required_completion_date=None)

    answer = world.partner.submit_complaint(sent)

    assert answer.status == 201
    assert (answer.envelope["code"], answer.envelope["message"]) == ("0", "成功")
    assert len(answer.envelope["request_id"]) == 32
    data = answer.data
    assert data["acceptance_no"].startswith("TS520000")
    assert data["external_ticket_no"] == sent["external_ticket_no"]
    assert data["received_at"].endswith("+08:00")
    assert data["due_at"].endswith("T18:00:00+08:00")
    assert len(data["query_code"]) == 6
    assert data["duplicate"] is False
    assert [w["code"] for w in data["warnings"]] == ["DUE_DATE_COMPUTED"]


def test_both_signature_methods_are_accepted(world: World) -> None:
    for method in ("HMAC-SHA256", "HMAC-SM3"):
        body = orjson.dumps(complaint())

        assert send(signed(world, body, sign_method=method)).status_code == 201


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("X-Signature", "0" * 64, "SIGNATURE_INVALID"),
        ("X-Signature", "", "SIGNATURE_INVALID"),
        ("X-App-Id", "nobody", "SIGNATURE_INVALID"),
        ("X-Body-Digest", "0" * 64, "SIGNATURE_INVALID"),
        ("X-Nonce", "short", "SIGNATURE_INVALID"),
        ("X-Nonce", "n" * 65, "SIGNATURE_INVALID"),
        ("X-Nonce", "a" * 32, "SIGNATURE_INVALID"),  # not the signed one
        ("X-Sign-Method", "MD5", "SIGNATURE_INVALID"),
        ("X-Sign-Method", "HMAC-SM3", "SIGNATURE_INVALID"),
        ("X-Timestamp", "1000000000000", "TIMESTAMP_SKEW"),
        ("X-Timestamp", "9999999999999", "TIMESTAMP_SKEW"),
        ("X-Timestamp", "now", "TIMESTAMP_SKEW"),
    ],
)
def test_a_spoilt_signature_is_refused_with_its_code_and_changes_nothing(
    world: World, header: str, value: str, code: str
) -> None:
    sent = complaint()

    answer = world.partner.request(
        "POST", "/complaints", body=orjson.dumps(sent), changed_headers={header: value}
    )

    assert (answer.status, answer.envelope["code"]) == (401, code)
    assert answer.envelope["message"]
    assert answer.envelope["request_id"]
    assert tickets(world, sent["external_ticket_no"]) == 0


def test_a_request_without_any_header_is_refused(world: World) -> None:
    answer = httpx.post(f"{world.address}{COMPLAINTS}", json=complaint(), trust_env=False)

    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_INVALID")


def test_an_identical_signed_request_is_a_replay(world: World) -> None:
    sent = complaint()
    request = signed(world, orjson.dumps(sent))

    assert send(request).status_code == 201
    again = send(request)

    assert (again.status_code, again.json()["code"]) == (401, "NONCE_REPLAY")
    assert tickets(world, sent["external_ticket_no"]) == 1


def test_a_refused_request_may_be_sent_again_as_it_is(world: World) -> None:
    request = signed(world, orjson.dumps(complaint(problem_category=99)))

    assert [send(request).status_code for _ in range(2)] == [422, 422]


@pytest.mark.parametrize(
    ("profile", "status", "code"),
    [
        ({"enabled": False}, 401, "APP_DISABLED"),
        ({"ip_allow_list": ["10.0.0.0/8"]}, 403, "IP_NOT_ALLOWED"),
        ({"sign_methods": ["HMAC-SM3"]}, 401, "SIGNATURE_INVALID"),
    ],
)
def test_the_profile_decides_who_may_call(
    world: World, profile: dict[str, Any], status: int, code: str
) -> None:
    world.settings(**profile)

    for answer in (world.partner.submit_complaint(complaint()), world.partner.divisions()):
        assert (answer.status, answer.envelope["code"]) == (status, code)


def test_an_allowed_address_may_call(world: World) -> None:
    world.settings(ip_allow_list=["127.0.0.0/8"])

    assert world.partner.divisions().ok


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b'"text"', b"12", b"\xff\xfe", b"{", b"[" * 5000, b'{"a":NaN}']
)
def test_what_is_no_json_object_is_malformed(world: World, body: bytes) -> None:
    answer = send(signed(world, body))

    assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED")


def test_a_json_body_of_more_than_a_megabyte_is_too_large(world: World) -> None:
    body = orjson.dumps(complaint(filler="字" * 400_000))

    answer = send(signed(world, body))

    assert (answer.status_code, answer.json()["code"]) == (413, "FILE_TOO_LARGE")


def test_all_wrong_fields_are_named_at_once_in_chinese(world: World) -> None:
    wrong = {"id_card_no": "110105194912310021", "problem_category": 25, "content": "  "}

    answer = world.partner.submit_complaint(complaint(**wrong))

    assert (answer.status, answer.envelope["code"]) == (422, "VALIDATION_FAILED")
    assert answer.envelope["message"] == "数据校验不通过"
    errors = {e["field"]: (e["rule"], e["message"]) for e in answer.envelope["errors"]}
    assert errors == {
        "id_card_no": ("checksum", "身份证号校验位错误"),
        "problem_category": ("code", "取值应为1–24或其中文名称"),
        "content": ("required", "必填"),
    }


def test_an_unknown_division_code_is_an_error_and_an_unknown_place_a_hint(world: World) -> None:
    refused = world.partner.submit_complaint(complaint(division_code="529999999999"))
    assert [(e["field"], e["rule"]) for e in refused.envelope["errors"]] == [
        ("division_code", "unknown")
    ]

    sent = complaint(division_text="黔南州某某村")
    del sent["division_code"]
    accepted = world.partner.submit_complaint(sent)

    assert accepted.status == 201
    (hint,) = [w for w in accepted.data["warnings"] if w["field"] == "division_text"]
    assert hint["code"] == "DIVISION_UNRESOLVED"
    assert "黔南州某某村" in hint["message"]


@pytest.mark.parametrize(
    ("words", "city", "county", "open_question"),
    [
        ("贵州省遵义市湄潭县", ZUNYI, MEITAN, False),
        ("遵义湄潭马山镇", ZUNYI, MEITAN, False),
        ("重庆市万州区", None, WANZHOU, False),
        ("广东省东莞市", "441900000000", None, False),  # has no counties
        ("黔南州某某村", "522700000000", None, True),  # the county is open
        ("贵州省", None, None, True),
        ("火星市某某村", None, None, True),
    ],
)
def test_a_place_in_words_is_found_as_far_as_it_goes(
    world: World, words: str, city: str | None, county: str | None, open_question: bool
) -> None:
    sent = complaint(division_text=words)
    del sent["division_code"]

    answer = world.partner.submit_complaint(sent)

    hints = {w["code"] for w in answer.data["warnings"]}
    assert ("DIVISION_UNRESOLVED" in hints) is open_question
    with world.app.app_context():
        number = answer.data["acceptance_no"]
        ticket = session().scalars(select(Ticket).where(Ticket.acceptance_no == number)).one()
        assert ticket.division_unresolved is open_question
        assert ticket.county_code == county
        if city:
            assert ticket.city_code == city
        session().rollback()


def test_the_same_submission_again_gets_the_same_receipt(world: World) -> None:
    sent = complaint()
    first = world.partner.submit_complaint(sent)
    reordered = dict(reversed(sent.items()))

    for again in (sent, reordered):
        answer = world.partner.submit_complaint(again)
        assert answer.status == 200
        assert answer.data == {**first.data, "duplicate": True}

    assert tickets(world, sent["external_ticket_no"]) == 1


def test_the_same_number_with_another_body_is_a_conflict(world: World) -> None:
    sent = complaint()
    world.partner.submit_complaint(sent)

    answer = world.partner.submit_complaint({**sent, "content": "另一件事，内容完全不同。"})

    assert (answer.status, answer.envelope["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert tickets(world, sent["external_ticket_no"]) == 1


def test_three_identical_submissions_at_once_become_one_ticket(world: World) -> None:
    sent = complaint()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: world.partner.submit_complaint(sent), range(3)))

    assert sorted(a.status for a in answers) == [200, 200, 201]
    receipts = [{**a.data, "duplicate": None} for a in answers]
    assert receipts[0] == receipts[1] == receipts[2]
    assert tickets(world, sent["external_ticket_no"]) == 1


def test_the_same_number_of_two_platforms_is_two_tickets(
    world: World, world_of: Callable[[str], World]
) -> None:
    other, sent = world_of("500000"), complaint()

    one, two = world.partner.submit_complaint(sent), other.partner.submit_complaint(sent)

    assert (one.status, two.status) == (201, 201)
    assert one.data["acceptance_no"] != two.data["acceptance_no"]


def test_a_platform_sees_its_own_tickets_only(
    world: World, world_of: Callable[[str], World]
) -> None:
    number, other = world.submit(), world_of("520000")

    own = world.partner.ticket(number)
    assert own.ok
    assert own.data["status_label"] == "待签收"
    assert not {"caller_name", "contact_phone", "content"} & set(own.data)
    for stranger, wanted in ((other, number), (world, "TS5200002026112300042S"), (world, "x")):
        answer = stranger.partner.ticket(wanted)
        assert (answer.status, answer.envelope["code"]) == (404, "TICKET_NOT_FOUND")


def upload(world: World, content: bytes | None = None, name: str = "照片说明.docx") -> Any:
    return world.partner.upload_attachment(content or sample_report(), name)


def test_an_uploaded_file_goes_with_the_submission(world: World) -> None:
    stored = upload(world)
    assert stored.status == 201
    assert stored.data["name"] == "照片说明.docx"
    assert len(stored.data["sm3"]) == len(stored.data["sha256"]) == 64

    answer = world.partner.submit_complaint(complaint(attachments=[stored.data["attachment_id"]]))

    assert answer.status == 201


def test_files_of_others_unknown_ones_and_used_ones_are_named(
    world: World, world_of: Callable[[str], World]
) -> None:
    own, foreign = upload(world), upload(world_of("500000"))
    used = upload(world).data["attachment_id"]
    world.submit(attachments=[used])
    ids = [own.data["attachment_id"], foreign.data["attachment_id"], "att_none", used]
    sent = complaint(attachments=ids)

    answer = world.partner.submit_complaint(sent)

    assert answer.status == 422
    assert [(e["field"], e["rule"]) for e in answer.envelope["errors"]] == [
        ("attachments[1]", "reference"),
        ("attachments[2]", "reference"),
        ("attachments[3]", "used"),
    ]
    assert tickets(world, sent["external_ticket_no"]) == 0
    assert world.partner.submit_complaint({**sent, "attachments": ids[:1]}).status == 201


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("报告.exe", b"MZ\x90\x00"),
        ("报告.pdf", b"<html>"),
        ("报告", b"%PDF-1.7"),
        ("a.svg", b"<svg/>"),
    ],
)
def test_other_file_types_are_denied(world: World, name: str, content: bytes) -> None:
    answer = upload(world, content, name)

    assert (answer.status, answer.envelope["code"]) == (415, "FILE_TYPE_DENIED")


def test_an_upload_without_a_file_names_the_field(world: World) -> None:
    answer = world.partner.post("/attachments", {"file": "x"})

    assert answer.status == 422
    assert [e["field"] for e in answer.envelope["errors"]] == ["file"]


def test_a_report_link_that_was_changed_or_is_old_opens_nothing(world: World) -> None:
    file_id = upload(world).data["attachment_id"]
    base = f"{world.address}/openapi/v1/attachments/{file_id}/content"

    for query in ("", "?expires=9999999999&signature=00", "?expires=x&signature=%00"):
        answer = httpx.get(base + query, trust_env=False)
        assert answer.status_code == 404


def test_divisions_are_drilled_down_from_the_root(world: World) -> None:
    provinces = world.partner.divisions().data["divisions"]
    assert {"520000000000", "500000000000"} <= {d["division_code"] for d in provinces}
    assert {d["parent_code"] for d in provinces} == {"000000000000"}
    assert world.partner.divisions("000000000000").data["divisions"] == provinces

    path, code = [], GUIZHOU
    while code:
        below = world.partner.divisions(code).data["divisions"]
        path.append([d["division_code"] for d in below])
        code = below[0]["division_code"] if below and below[0]["has_children"] else ""
    assert len(path) == 4  # cities, counties, townships, villages
    names = {
        d["division_code"]: d["division_name"]
        for d in world.partner.divisions(ZUNYI).data["divisions"]
    }
    assert names[MEITAN] == "湄潭县"


@pytest.mark.parametrize("code", ["529999999999", "贵州", "' or 1=1", "5"])
def test_an_unknown_parent_is_not_found(world: World, code: str) -> None:
    answer = world.partner.divisions(code)

    assert (answer.status, answer.envelope["code"]) == (404, "DIVISION_NOT_FOUND")


def test_code_tables_are_there_and_others_are_not(world: World) -> None:
    table = world.partner.code_table("problem_category").data

    assert table["title"] == "问题类别"
    assert [c["code"] for c in table["codes"]] == list(range(1, 25))
    assert table["codes"][17] == {"code": 18, "label": "防返贫监测帮扶：精准识别", "parent": 1}
    answer = world.partner.code_table("secrets")
    assert (answer.status, answer.envelope["code"]) == (404, "CODE_TABLE_NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    ["/tickets/\x00", "/code-tables/\x00", "/attachments/\x00/content", "/tickets/" + "9" * 500],
)
def test_odd_characters_in_an_address_are_no_internal_error(world: World, path: str) -> None:
    assert send(signed(world, path=f"/openapi/v1{path}")).status_code in {400, 404}


def test_bytes_in_a_query_that_are_no_text_are_no_internal_error(app: Flask) -> None:
    headers = dict.fromkeys(("X-App-Id", "X-Nonce"), "n" * 16)

    answer = app.test_client().get(
        "/openapi/v1/divisions", headers=headers, environ_overrides={"QUERY_STRING": "x=\xff"}
    )

    assert (answer.status_code, answer.json["code"]) == (401, "SIGNATURE_INVALID")


def test_a_nul_in_a_query_is_no_internal_error(world: World) -> None:
    answer = world.partner.get("/divisions", {"parent_code": "52\x00"})

    assert answer.status in {400, 404}


def test_an_unknown_address_and_method_are_answered_in_json(world: World) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/complaints", 405)):
        answer = world.partner.request(method, path)
        assert answer.status == status
        assert answer.envelope["code"] in {"NOT_FOUND", "METHOD_NOT_ALLOWED"}


def test_every_answer_carries_the_id_of_its_request(world: World) -> None:
    answer = httpx.get(f"{world.address}/openapi/v1/tickets/x", trust_env=False)

    assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert uuid.UUID(hex=answer.json()["request_id"])
