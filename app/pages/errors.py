"""Refusals of the page invocation."""

from app.core.errors import HotlineError


class PageSessionExpired(HotlineError):
    """410: no such session, opened too late, or filled in for too long; all look the same."""

    status = 410

    def __init__(self) -> None:
        super().__init__("页面链接无效或已过期，请在12345系统中重新打开", "PAGE_SESSION_EXPIRED")


class PageSessionUsed(HotlineError):
    """410: the address was opened before, and this is not the browser that did."""

    status = 410

    def __init__(self) -> None:
        super().__init__(
            "该链接只能打开一次，已在其他窗口使用；请在12345系统中重新打开", "PAGE_SESSION_USED"
        )
