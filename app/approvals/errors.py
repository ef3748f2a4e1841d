"""The approvals room's refusals."""

from app.core.errors import Conflict, FieldError, Invalid


class RequestNotOpen(Conflict):
    """Nothing waits for this decision, or it has been decided otherwise (EX-01)."""

    def __init__(self, current_state: str) -> None:
        super().__init__("没有待批复的申请", "REQUEST_NOT_OPEN", current_state=current_state)


class ExtensionRefused(Invalid):
    """No more time can be asked for; `code` says why, the form shows the message (EX-03)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__([FieldError("extension_days", code.lower(), message)], message, code)
