"""Attachments from upload to download, and what is swept."""

import io
import multiprocessing
import os
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core import clock as core_clock
from app.core.db import session, transact
from app.core.errors import Invalid, NotFound
from app.factory import create_app
from app.files import services, storage
from app.files.errors import FileEmpty, FileTooLarge, FileTypeDenied, TooManyFiles
from app.files.models import Attachment
from app.files.services import DRAFT_LIFE, MAX_DRAFTS, MAX_PER_STEP, TASK_DRAFT_LIFE, Owner
from tests.conftest import make_settings
from tests.unit.files import samples


def files_in(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def row(attachment_id: str) -> Attachment | None:
    return session().get(Attachment, attachment_id, populate_existing=True)


def attach(ids: list[str], ticket_id: int, owner: Owner) -> list[str]:
    def work() -> list[str]:
        return [a.id for a in services.attach(ids, ticket_id, owner, core_clock.now())]

    return transact(work)


def test_an_upload_becomes_a_draft_with_its_facts(upload, owner, root):
    attachment = upload(purpose="report_files")

    assert re.fullmatch(r"att_[a-z2-7]{26}", attachment.id)
    assert (attachment.state, attachment.ticket_id) == ("draft", None)
    assert (attachment.user_id, attachment.partner_id) == (owner.user_id, None)
    assert (attachment.name, attachment.media_type) == ("现场照片.png", "image/png")
    assert (attachment.size, attachment.purpose) == (len(samples.PNG), "report_files")
    assert (len(attachment.sha256), len(attachment.sm3)) == (64, 64)
    assert storage.locate(root, attachment.storage_name).read_bytes() == samples.PNG


def test_the_name_on_disk_tells_nothing(upload, root):
    attachment = upload(name="../../王某某举报材料.png")

    assert attachment.name == "王某某举报材料.png"
    assert re.fullmatch(r"[0-9a-f]{32}", attachment.storage_name)
    assert not any("王" in str(path) for path in root.rglob("*"))


@pytest.mark.parametrize(
    ("content", "name", "declared", "error", "status"),
    [
        (samples.EXE, "照片.png", "image/png", FileTypeDenied, 415),
        (samples.EXE, "照片.exe", None, FileTypeDenied, 415),
        (samples.PNG, "照片.png.exe", None, FileTypeDenied, 415),
        (samples.PNG, "照片.exe.png", None, FileTypeDenied, 415),
        (samples.PNG, "照片.png", "text/html; charset=utf-8", FileTypeDenied, 415),
        (samples.bomb(), "照片.zip", "application/zip", FileTypeDenied, 415),
        (b"", "照片.png", "image/png", FileEmpty, 422),
        (samples.PNG + b"\0" * 4096, "照片.png", "image/png", FileTooLarge, 413),
    ],
)
def test_a_refused_upload_leaves_neither_file_nor_row(
    context, clock, owner, root, content, name, declared, error, status
):
    before = files_in(root)
    limit = max(4096, len(content)) if error is not FileTooLarge else 4096

    def work() -> None:
        services.store(
            io.BytesIO(content), name, declared, owner=owner, now=core_clock.now(), max_bytes=limit
        )

    with pytest.raises(error) as refusal:
        transact(work)

    assert refusal.value.status == status
    assert files_in(root) == before
    rows = session().scalars(select(Attachment).where(Attachment.user_id == owner.user_id))
    assert rows.all() == []


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_the_size_limit_is_exact(upload, extra, fits):
    limit = len(samples.PNG) + 100
    content = samples.PNG.ljust(limit + extra, b"\0")

    if fits:
        assert upload(content, max_bytes=limit).size == limit
    else:
        with pytest.raises(FileTooLarge):
            upload(content, max_bytes=limit)


def test_fifty_megabytes_pass_and_one_byte_more_does_not(upload):
    content = samples.PDF.ljust(services.MAX_BYTES, b"\n")

    assert upload(content, "大文件.pdf").size == 50 * 2**20
    with pytest.raises(FileTooLarge) as refusal:
        upload(content + b"\n", "大文件.pdf")
    assert refusal.value.message == "单个文件不能超过50MB"
    assert refusal.value.code == "FILE_TOO_LARGE"


def test_files_chosen_and_taken_out_again_leave_room_for_others(upload, owner, number):
    task_id, ticket_id = uuid.uuid4(), number()
    chosen = [upload(task_id=task_id).id for _ in range(MAX_PER_STEP + 1)]

    with pytest.raises(Invalid):
        attach(chosen, ticket_id, owner)
    attach(chosen[1:], ticket_id, owner)

    assert len(services.of_ticket(ticket_id)) == MAX_PER_STEP


def test_drafts_of_a_task_end_somewhere_and_are_counted_for_each_uploader(upload, number):
    task_id = uuid.uuid4()
    for _ in range(MAX_DRAFTS):
        upload(task_id=task_id)

    with pytest.raises(TooManyFiles):
        upload(task_id=task_id)
    assert upload(task_id=uuid.uuid4())
    assert upload(task_id=task_id, owner=Owner(user_id=number()))


def test_a_stream_is_stored_whole_when_the_transaction_is_tried_again(context, clock, owner):
    stream = io.BytesIO(samples.PNG)

    sizes = [
        transact(
            lambda: services.store(stream, "一.png", None, owner=owner, now=core_clock.now()).size
        )
        for _ in range(2)
    ]

    assert sizes == [len(samples.PNG)] * 2


def test_drafts_go_to_a_ticket_in_the_order_given(upload, owner, number):
    ticket_id, ids = number(), [upload().id for _ in range(3)]

    assert attach([ids[2], ids[0], ids[1]], ticket_id, owner) == [ids[2], ids[0], ids[1]]

    attached = services.of_ticket(ticket_id)
    assert {a.id for a in attached} == set(ids)
    assert {(a.state, a.ticket_id) for a in attached} == {("attached", ticket_id)}
    assert attached[0].attached_at == core_clock.now()


def test_attaching_again_to_the_same_ticket_changes_nothing(upload, owner, number, clock):
    ticket_id, attachment_id = number(), upload().id
    attach([attachment_id], ticket_id, owner)
    first = row(attachment_id).attached_at
    clock.move(minutes=1)

    assert attach([attachment_id, attachment_id], ticket_id, owner) == [attachment_id]

    assert row(attachment_id).attached_at == first


def test_one_wrong_id_and_none_is_attached(upload, owner, number):
    good, taken = upload().id, upload().id
    strange = upload(owner=Owner(user_id=number())).id
    partners = upload(owner=Owner(partner_id=owner.user_id)).id
    attach([taken], number(), owner)

    with pytest.raises(Invalid) as refusal:
        attach([good, "att_unknown", strange, taken, partners], number(), owner)

    assert [(error.field, error.rule) for error in refusal.value.errors] == [
        ("attachments[1]", "reference"),
        ("attachments[2]", "reference"),
        ("attachments[3]", "used"),
        ("attachments[4]", "reference"),
    ]
    assert row(good).state == "draft"


def test_more_than_ten_at_once_are_refused(context, clock, owner, number):
    with pytest.raises(Invalid) as refusal:
        attach([f"att_{n}" for n in range(11)], number(), owner)

    assert refusal.value.errors[0].rule == "count"


def test_no_attachments_are_no_problem(context, clock, owner, number):
    assert attach([], number(), owner) == []


def test_a_draft_can_be_taken_back_by_its_uploader_only(upload, owner, number):
    draft, attached = upload().id, upload().id
    attach([attached], number(), owner)

    for attachment_id, who in ((draft, Owner(user_id=number())), (attached, owner)):
        with pytest.raises(NotFound):
            transact(lambda i=attachment_id, w=who: services.remove_draft(i, w))
    transact(lambda: services.remove_draft(draft, owner))

    assert row(draft) is None
    assert row(attached) is not None


def test_drafts_of_a_task_are_shown_to_their_uploader(upload, owner, number):
    task_id = uuid.uuid4()
    mine = upload(task_id=task_id).id
    upload(task_id=task_id, owner=Owner(user_id=number()))

    assert [a.id for a in services.drafts_of_task(task_id, owner)] == [mine]


def test_a_file_opens_for_whom_the_ticket_does_and_looks_absent_to_others(upload, owner, number):
    attachment_id, ticket_id = upload().id, number()
    attach([attachment_id], ticket_id, owner)

    download = services.open_for(attachment_id, lambda a: a.ticket_id == ticket_id)
    refusals = []
    for wanted, may_see in ((attachment_id, False), ("att_unknown", True)):
        with pytest.raises(NotFound) as refusal:
            services.open_for(wanted, lambda a, yes=may_see: yes)
        refusals.append(str(refusal.value))

    assert download.path.read_bytes() == samples.PNG
    assert (download.name, download.media_type) == ("现场照片.png", "image/png")
    assert refusals[0] == refusals[1]


def sweep() -> int:
    return transact(lambda: services.sweep_orphans(core_clock.now()))


def age(path: Path) -> None:
    """Make the file as old as the clock says it is."""
    then = (core_clock.now() - DRAFT_LIFE - timedelta(minutes=1)).timestamp()
    os.utime(path, (then, then))


def test_a_forgotten_draft_loses_first_its_row_and_then_its_file(upload, owner, root, clock):
    forgotten = upload()
    attachment_id, path = forgotten.id, storage.locate(root, forgotten.storage_name)
    clock.move(hours=23)
    sweep()
    assert row(attachment_id) is not None

    clock.move(hours=2)
    age(path)
    sweep()
    assert row(attachment_id) is None
    assert path.exists()
    sweep()
    assert not path.exists()


def test_drafts_of_a_task_s_form_live_thirty_days(upload, clock):
    attachment_id = upload(task_id=uuid.uuid4()).id

    clock.move(days=29)
    sweep()
    assert row(attachment_id) is not None
    clock.move(seconds=(TASK_DRAFT_LIFE - timedelta(days=29)).total_seconds() + 1)
    sweep()
    assert row(attachment_id) is None


def test_what_a_ticket_has_is_never_swept(upload, owner, number, root, clock):
    kept = upload()
    attachment_id, path = kept.id, storage.locate(root, kept.storage_name)
    attach([attachment_id], number(), owner)

    clock.move(days=4000)
    age(path)
    sweep()

    assert row(attachment_id) is not None
    assert path.exists()


def test_young_files_without_a_row_stay_and_old_ones_go(context, clock, root):
    received = services.receive(io.BytesIO(samples.PNG), "一.png", None)
    broken_off = root / "incoming" / "half"
    broken_off.write_bytes(b"half")
    path = storage.locate(root, received.storage_name)
    now = core_clock.now().timestamp()
    for file in (path, broken_off):
        os.utime(file, (now, now))

    sweep()
    assert path.exists()
    assert broken_off.exists()
    for file in (path, broken_off):
        age(file)
    assert sweep() >= 2
    assert not path.exists()
    assert not broken_off.exists()


def die_before_the_commit(database_url: str, files_dir: Path, user_id: int) -> None:
    """In a process of its own: store a file and be killed with the row not yet committed."""
    app = create_app(make_settings(database_url, files_dir))
    with app.app_context():

        def work() -> None:
            services.store(
                io.BytesIO(samples.PNG),
                "一.png",
                None,
                owner=Owner(user_id=user_id),
                now=core_clock.now(),
            )
            os._exit(9)

        transact(work)


def test_a_crash_leaves_a_file_without_a_row_and_never_the_reverse(
    app, context, clock, server, database, tmp_path, owner
):
    process = multiprocessing.get_context("spawn").Process(
        target=die_before_the_commit, args=(server.url(database), tmp_path, owner.user_id)
    )
    process.start()
    process.join(60)

    assert process.exitcode == 9
    rows = session().scalars(select(Attachment).where(Attachment.user_id == owner.user_id))
    assert rows.all() == []
    (left,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert storage.locate(tmp_path, left.name) == left
    assert left.read_bytes() == samples.PNG


def test_every_row_has_its_file(upload, root):
    upload()

    for name in session().scalars(select(Attachment.storage_name)):
        assert storage.locate(root, name).exists()
