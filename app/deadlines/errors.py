"""Refusals of the deadlines room. Wrong tables and policies are `Invalid` with named fields."""

from app.core.errors import Conflict, NotFound


class NoClock(NotFound):
    """The ticket has no clock, or it has ended."""

    def __init__(self) -> None:
        super().__init__("该工单没有运行中的时限", "DEADLINE_NOT_OPEN")


class PolicyChanged(Conflict):
    """Somebody else saved this policy meanwhile."""

    def __init__(self, scope: str) -> None:
        super().__init__("时限政策刚被他人修改，请刷新后重试", "POLICY_CHANGED", scope=scope)


class ExtensionTooLate(Conflict):
    """An extension is asked for before the due date, not after it (EX-03)."""

    def __init__(self) -> None:
        super().__init__("已超过可申请延期的时间", "EXTENSION_TOO_LATE")
