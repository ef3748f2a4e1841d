"""The matters room's refusals."""

from app.core.errors import Conflict
from app.matters.rules import KINDS


class MatterOpen(Conflict):
    """One of this kind waits for its answer already; staff are told whose."""

    def __init__(self, kind: str, state: str, acted_by: str | None) -> None:
        by = f"（{acted_by}提出）" if acted_by else ""
        told = {"acted_by": acted_by} if acted_by else {}
        super().__init__(
            f"已有待答复的{KINDS[kind]}申请{by}", "MATTER_OPEN", current_state=state, **told
        )
