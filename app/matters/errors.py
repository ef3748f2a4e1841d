"""The matters room's refusals."""

from app.core.errors import Conflict
from app.matters.rules import KINDS


class MatterOpen(Conflict):
    """One of this kind waits for its answer already."""

    def __init__(self, kind: str, state: str) -> None:
        super().__init__(f"已有待答复的{KINDS[kind]}申请", "MATTER_OPEN", current_state=state)
