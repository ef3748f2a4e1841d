"""Refusals of the notifications room."""

from app.core.errors import NotFound


class UnknownHook(NotFound):
    """The unit has no hook."""

    def __init__(self) -> None:
        super().__init__("该单位未设提醒通道", "HOOK_NOT_FOUND")


class UnknownNotification(NotFound):
    """There is none of that number, it is somebody else's, or its ticket is no longer theirs."""

    def __init__(self) -> None:
        super().__init__("未找到该提醒", "NOTIFICATION_NOT_FOUND")
