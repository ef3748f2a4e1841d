"""Attachments: take in, attach to a ticket, open for download, sweep what nobody took."""

import base64
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, func, or_, select

from app.config import Settings
from app.core.db import session
from app.core.errors import FieldError, Invalid, NotFound
from app.files import checks, names, storage
from app.files.errors import FileTypeDenied, TooManyFiles
from app.files.models import Attachment
from app.security.principal import Principal

MAX_BYTES = 50 * 2**20
MAX_PER_STEP = 10
MAX_DRAFTS = 3 * MAX_PER_STEP
"""One uploader's drafts for a task: who takes files out of the form again may choose others."""
DRAFT_LIFE = timedelta(hours=24)
TASK_DRAFT_LIFE = timedelta(days=30)
"""Drafts of a task's form live longer: the form's own draft keeps their ids."""


@dataclass(frozen=True)
class Owner:
    """Who uploaded a file: one member of staff or one partner."""

    user_id: int | None = None
    partner_id: int | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Owner":
        """The member of staff."""
        return cls(user_id=principal.user_id)

    def owns(self, attachment: Attachment) -> bool:
        """Whether the file is this uploader's."""
        return (attachment.user_id, attachment.partner_id) == (self.user_id, self.partner_id)


@dataclass(frozen=True)
class Received:
    """A file that was checked and lies on disk; nobody knows of it yet."""

    name: str
    size: int
    media_type: str
    flags: list[str]
    sha256: str
    sm3: str
    storage_name: str


@dataclass(frozen=True)
class Download:
    """What an edge needs to send a file."""

    path: Path
    name: str
    media_type: str
    size: int


def receive(
    stream: BinaryIO, filename: str, declared_type: str | None, *, max_bytes: int = MAX_BYTES
) -> Received:
    """Check an upload and put it on disk. Call it outside any transaction; then `register`.

    Raises FileTooLarge, FileTypeDenied or FileEmpty and leaves nothing behind.
    """
    name = names.display_name(filename)
    extension = names.extension_of(name)
    if extension not in checks.CHECKS or _contradicts(declared_type, extension):
        raise FileTypeDenied(f"不支持该类型的文件，允许的类型：{'、'.join(checks.CHECKS)}")
    root = _root()
    written = storage.write_incoming(root, stream, max_bytes)
    try:
        finding = checks.examine(written.path, extension)
        storage_name = storage.keep(root, written.path)
    finally:
        written.path.unlink(missing_ok=True)
    return Received(
        name,
        written.size,
        finding.media_type,
        finding.flags,
        written.sha256,
        written.sm3,
        storage_name,
    )


def register(
    received: Received,
    *,
    owner: Owner,
    now: datetime,
    purpose: str = "attachments",
    task_id: UUID | None = None,
) -> Attachment:
    """Make a received file a draft of its owner.

    Raises TooManyFiles beyond MAX_DRAFTS of one owner for one task; `attach` takes MAX_PER_STEP.
    """
    if task_id is not None:
        drafts = select(func.count()).where(
            Attachment.task_id == task_id,
            Attachment.user_id.is_not_distinct_from(owner.user_id),
            Attachment.partner_id.is_not_distinct_from(owner.partner_id),
        )
        if (session().scalar(drafts) or 0) >= MAX_DRAFTS:
            raise TooManyFiles(MAX_DRAFTS)
    attachment = Attachment(
        id=f"att_{base64.b32encode(secrets.token_bytes(17)).decode().lower()[:26]}",
        user_id=owner.user_id,
        partner_id=owner.partner_id,
        task_id=task_id,
        purpose=purpose,
        name=received.name,
        size=received.size,
        media_type=received.media_type,
        flags=received.flags,
        sha256=received.sha256,
        sm3=received.sm3,
        storage_name=received.storage_name,
        state="draft",
        created_at=now,
    )
    session().add(attachment)
    session().flush()
    return attachment


def store(
    stream: BinaryIO,
    filename: str,
    declared_type: str | None,
    *,
    owner: Owner,
    now: datetime,
    purpose: str = "attachments",
    task_id: UUID | None = None,
    max_bytes: int = MAX_BYTES,
) -> Attachment:
    """`receive` and `register` in one; the stream is read from its start each time."""
    if stream.seekable():
        stream.seek(0)
    received = receive(stream, filename, declared_type, max_bytes=max_bytes)
    return register(received, owner=owner, now=now, purpose=purpose, task_id=task_id)


def attach(
    ids: Iterable[str],
    ticket_id: int,
    owner: Owner,
    now: datetime,
    *,
    field: str = "attachments",
    task_id: UUID | None = None,
) -> list[Attachment]:
    """Give drafts of this owner to a ticket, all or none; doing it again changes nothing.

    With `task_id` they must have been uploaded for that step. Raises Invalid naming `field[i]` for
    each id that is unknown, another's, another ticket's or another step's.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_PER_STEP:
        raise Invalid([FieldError(field, "count", f"每个环节最多{MAX_PER_STEP}个附件")])
    found = {
        row.id: row
        for row in session().scalars(
            select(Attachment)
            .where(Attachment.id.in_(wanted))
            .order_by(Attachment.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    errors = _problems(wanted, found, ticket_id, owner, field, task_id)
    if errors:
        raise Invalid(errors)
    for row in found.values():
        if row.state == "draft":
            row.state, row.ticket_id, row.attached_at = "attached", ticket_id, now
    session().flush()
    return [found[attachment_id] for attachment_id in wanted]


def attach_problems(
    ids: Iterable[str], ticket_id: int | None, owner: Owner, *, field: str = "attachments"
) -> list[FieldError]:
    """What `attach` would refuse, without changing or locking anything."""
    wanted = list(dict.fromkeys(ids))[:MAX_PER_STEP]
    rows = session().scalars(select(Attachment).where(Attachment.id.in_(wanted)))
    return _problems(wanted, {row.id: row for row in rows}, ticket_id, owner, field, None)


def _problems(
    wanted: list[str],
    found: Mapping[str, Attachment],
    ticket_id: int | None,
    owner: Owner,
    field: str,
    task_id: UUID | None,
) -> list[FieldError]:
    errors = []
    for index, attachment_id in enumerate(wanted):
        row = found.get(attachment_id)
        if row is None or not owner.owns(row):
            errors.append(FieldError(f"{field}[{index}]", "reference", "附件不存在，请重新上传"))
        elif row.ticket_id not in (None, ticket_id):
            errors.append(FieldError(f"{field}[{index}]", "used", "附件已用于其他工单"))
        elif task_id is not None and row.task_id != task_id:
            errors.append(FieldError(f"{field}[{index}]", "step", "请在本环节重新上传附件"))
    return errors


def remove_draft(attachment_id: str, owner: Owner) -> None:
    """Forget a file its uploader took back; what a ticket has, nobody removes."""
    removed = (
        session()
        .execute(
            delete(Attachment)
            .where(
                Attachment.id == attachment_id,
                Attachment.state == "draft",
                Attachment.user_id.is_not_distinct_from(owner.user_id),
                Attachment.partner_id.is_not_distinct_from(owner.partner_id),
            )
            .returning(Attachment.id)
        )
        .all()
    )
    if not removed:
        raise NotFound("附件不存在")


def of_ticket(ticket_id: int) -> list[Attachment]:
    """Attachments of a ticket in the order they were uploaded."""
    return list(
        session().scalars(
            select(Attachment)
            .where(Attachment.ticket_id == ticket_id)
            .order_by(Attachment.created_at, Attachment.id)
        )
    )


def drafts_of_task(task_id: UUID, owner: Owner) -> list[Attachment]:
    """Drafts of one uploader for a task's form."""
    rows = session().scalars(
        select(Attachment)
        .where(Attachment.task_id == task_id, Attachment.state == "draft")
        .order_by(Attachment.created_at, Attachment.id)
    )
    return [row for row in rows if owner.owns(row)]


def open_for(attachment_id: str, may_see: Callable[[Attachment], bool]) -> Download:
    """Open a file for whom `may_see` permits it; a refusal looks like a file that does not exist.

    The edge asks on every download, for the ticket the file belongs to, and writes the access log.
    """
    attachment = session().get(Attachment, attachment_id)
    if attachment is None or not may_see(attachment):
        raise NotFound("附件不存在")
    return download_of(attachment)


def download_of(attachment: Attachment) -> Download:
    """The file of an attachment whose reader was already authorised."""
    path = storage.locate(_root(), attachment.storage_name)
    return Download(path, attachment.name, attachment.media_type, attachment.size)


def sweep_orphans(now: datetime) -> int:
    """Remove files without a row and rows of drafts nobody attached; how many were removed.

    Files go first: the file of a draft removed here goes in the next sweep, when its row is surely
    gone. Young files stay, their rows may be on the way.
    """
    root = _root()
    removed = storage.clear_incoming(root, now - DRAFT_LIFE)
    files = storage.names_before(root, now - DRAFT_LIFE)
    while some := list(islice(files, 500)):
        kept = set(
            session().scalars(
                select(Attachment.storage_name).where(Attachment.storage_name.in_(some))
            )
        )
        for name in set(some) - kept:
            storage.discard(root, name)
            removed += 1
    old = (
        session()
        .execute(
            delete(Attachment)
            .where(
                Attachment.state == "draft",
                Attachment.created_at < now - DRAFT_LIFE,
                or_(Attachment.task_id.is_(None), Attachment.created_at < now - TASK_DRAFT_LIFE),
            )
            .returning(Attachment.id)
        )
        .all()
    )
    return removed + len(old)


def _contradicts(declared_type: str | None, extension: str) -> bool:
    """A browser that says HTML or program about a picture is believed; other types say little."""
    declared = (declared_type or "").partition(";")[0].strip().lower()
    return declared.startswith(("text/html", "application/xhtml", "image/svg")) or declared in (
        "application/x-msdownload",
        "application/javascript",
        "text/javascript",
    )


def _root() -> Path:
    return cast(Settings, current_app.config["SETTINGS"]).files_dir
