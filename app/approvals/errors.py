"""The approvals room's refusals."""

from app.core.errors import Conflict


class RequestNotOpen(Conflict):
    """Nothing waits for this decision, or it has been decided otherwise (EX-01)."""

    def __init__(self, current_state: str) -> None:
        super().__init__("没有待批复的申请", "REQUEST_NOT_OPEN", current_state=current_state)
