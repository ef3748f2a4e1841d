"""How matters beside the flow read in the timeline of a ticket (随时事项)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.engine.models import ProcessEvent
from app.matters import queries
from app.matters.models import Matter
from app.matters.rules import KINDS, REASONS
from app.matters.services import LAPSE
from app.security.principal import Principal
from app.tickets.models import Ticket

HIDDEN = "（内容涉及匿名或保密诉求人，不予显示）"


def said(principal: Principal, ticket: Ticket, matter: Matter) -> str:
    """What was said, or the place of it: who knows it can be asked."""
    text = queries.text_for(principal, ticket, matter)
    if text is not None:
        return text
    if matter.partner_id is not None:
        return HIDDEN
    return f"（上级有{KINDS[matter.kind]}，内容不予显示，请联系省级）"


@dataclass(frozen=True)
class MatterLines:
    """(title, text) of each matter by its id, and of the recalls (收回) in order."""

    by_id: Mapping[int, tuple[str, str]]
    recalls: Iterator[tuple[str, str]]

    def line(self, event: ProcessEvent) -> tuple[str, str] | None:
        """What a message about one of them means; None of anything else."""
        if event.kind != "message":
            return None
        if event.element_name == "recall.ticket":
            return next(self.recalls, None)
        line = self.by_id.get((event.decision or {}).get("matter_id", 0))
        if line is not None and event.element_name == LAPSE:
            return f"{line[0]}失效", "不再需要"
        return line


def matter_lines(principal: Principal, ticket: Ticket) -> MatterLines:
    """The matters of a ticket as this person may read them."""
    found: dict[int, tuple[str, str]] = {}
    recalls = []
    for matter in queries.of_ticket(ticket.id):
        sender = "12345 " if matter.partner_id is not None else ""
        text = said(principal, ticket, matter)
        reason = REASONS[matter.kind].label(matter.reason_code) if matter.kind in REASONS else ""
        files = f"附件{len(matter.attachments)}个" if matter.attachments else ""
        via = f"经并入的工单{matter.via}" if matter.via else ""
        line = (
            f"{sender}{KINDS[matter.kind]}",
            " · ".join(part for part in (matter.number, reason, text, files, via) if part),
        )
        found[matter.id] = line
        if matter.kind == "recall":
            recalls.append(line)
    return MatterLines(found, iter(recalls))
