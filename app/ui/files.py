"""Files of the pages: draft upload while a form is filled, and one authorisation per download."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from app.api.http import answer, client_ip
from app.core import clock
from app.core.db import session, transact
from app.core.errors import FieldError, HotlineError, Invalid
from app.engine import queries as engine
from app.engine.models import UserTask
from app.files import responses
from app.files import services as files
from app.files.models import Attachment
from app.matters import queries as matters
from app.security import access
from app.security.principal import Principal
from app.tickets import disclosure
from app.tickets.access import guard
from app.tickets.models import Ticket
from app.tickets.queries import readable_by
from app.ui import present
from app.ui.page import permitted

blueprint = Blueprint("files", __name__)


@blueprint.post("/tasks/<uuid:task_id>/files")
@permitted("attachment.upload")
def upload(principal: Principal, task_id: UUID) -> Any:
    """Take a file in as it is chosen; a form that is refused later keeps it."""
    guard(principal)(engine.task(task_id))
    session().rollback()
    given = request.files.get("file")
    if given is None:
        raise Invalid([FieldError("file", "required", "请选择文件")])
    stored = keep_upload(
        files.Owner.of(principal), task_id, request.form.get("field", "attachments"), given
    )
    return answer(present.file_view(stored), 201)


def take_uploads(
    owner: files.Owner, task_id: UUID, field: str
) -> tuple[list[str], list[FieldError]]:
    """Make drafts of the files that came inside a form; their ids, and what was refused and why.

    The caller has checked that the task is this person's. A file that was taken stays a draft even
    when the form is refused.
    """
    session().rollback()
    kept, refused = [], []
    for given in request.files.getlist(f"{field}-upload"):
        if not given.filename:
            continue
        try:
            kept.append(keep_upload(owner, task_id, field, given).id)
        except HotlineError as error:
            refused.append(FieldError(field, error.code, f"{given.filename}：{error.message}"))
    return kept, refused


def keep_upload(owner: files.Owner, task_id: UUID, field: str, given: FileStorage) -> Attachment:
    """Store one file as a draft of a task or an action, which the caller has checked."""
    stream = cast(BinaryIO, given.stream)
    received = files.receive(stream, given.filename or "", given.mimetype)
    return transact(
        lambda: files.register(
            received,
            owner=owner,
            now=clock.now(),
            purpose=field,
            task_id=task_id,
        )
    )


@blueprint.get("/files/<attachment_id>")
@permitted("attachment.download")
def download(principal: Principal, attachment_id: str) -> Response:
    """Hand a file to who may see its ticket, or to who is still filling the form.

    What came with a sealed ticket, or from those who know its caller, few may have (ANON-02).
    """

    def may_see(file: Attachment) -> bool:
        if file.ticket_id is None:
            return file.user_id == principal.user_id
        ticket = session().scalar(
            select(Ticket).where(Ticket.id == file.ticket_id, readable_by(principal))
        )
        if ticket is None:
            return False
        with_matters = matters.files_for(principal, ticket)
        if file.id in with_matters:
            return with_matters[file.id]
        task = session().get(UserTask, file.task_id) if file.task_id else None
        if task is not None:
            return disclosure.hears(principal, ticket, task.unit_id)
        return present.may_see_files(principal, ticket)

    def work() -> files.Download:
        found = files.open_for(attachment_id, may_see)
        access.record(
            principal, "file.download", "file", attachment_id, ip=client_ip(), now=clock.now()
        )
        return found

    return responses.send(transact(work))
