"""The approvals room's refusals."""

from app.core.errors import Conflict, FieldError, Invalid


class RequestNotOpen(Conflict):
    """Nothing waits for this decision, or it has been decided otherwise, by `acted_by` (EX-01)."""

    def __init__(self, current_state: str, acted_by: str | None = None) -> None:
        by = f"（已由{acted_by}批复）" if acted_by else ""
        told = {"acted_by": acted_by} if acted_by else {}
        super().__init__(
            f"没有待批复的申请{by}", "REQUEST_NOT_OPEN", current_state=current_state, **told
        )


class ExtensionOpen(Conflict):
    """One request for more time is being decided already, of whom `acted_by` says."""

    def __init__(self, current_state: str, acted_by: str) -> None:
        super().__init__(
            f"已有延期申请正在审批（{acted_by}提出）",
            "EXTENSION_OPEN",
            current_state=current_state,
            acted_by=acted_by,
        )


class ExtensionRefused(Invalid):
    """No more time can be asked for; `code` says why, the form shows the message (EX-03)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__([FieldError("extension_days", code.lower(), message)], message, code)
