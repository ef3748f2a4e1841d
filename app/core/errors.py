"""Refusals in plain words. Raising one rolls the transaction back; an edge turns it into an answer.

`code` is stable English for machines, `message` is Chinese for people, `errors` names every field
that is wrong, all at once.
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong: where, by which rule, and what to tell the person."""

    field: str
    rule: str
    message: str


@dataclass
class HotlineError(Exception):
    """Root of every refusal. Subclasses fix `status` and usually `code`."""

    message: str = "请求无法处理"
    code: str = "INTERNAL"
    errors: list[FieldError] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    status = 500

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def payload(self) -> dict[str, Any]:
        """The body of the answer, without the envelope's request id."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, **self.details}
        if self.errors:
            body["errors"] = [asdict(error) for error in self.errors]
        return body


class Invalid(HotlineError):
    """422: the request is well-formed and wrong; `errors` names each field."""

    status = 422

    def __init__(
        self,
        errors: list[FieldError],
        message: str = "数据校验不通过",
        code: str = "VALIDATION_FAILED",
    ) -> None:
        super().__init__(message, code, errors)


class NotAllowed(HotlineError):
    """403: this person or platform may not do this."""

    status = 403

    def __init__(self, message: str = "您没有权限执行此操作", code: str = "SCOPE_DENIED") -> None:
        super().__init__(message, code)


class NotFound(HotlineError):
    """404: there is no such thing, or not for this caller (the two look the same)."""

    status = 404

    def __init__(self, message: str = "未找到", code: str = "NOT_FOUND") -> None:
        super().__init__(message, code)


class Conflict(HotlineError):
    """409: somebody was faster, or the state has moved on; `details` says who and where."""

    status = 409

    def __init__(
        self,
        message: str = "状态已变化，请刷新后重试",
        code: str = "STATE_CONFLICT",
        **details: Any,
    ) -> None:
        super().__init__(message, code, details=details)


class RateLimited(HotlineError):
    """429: too many requests; `retry_after` is the number of seconds until the next may come."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"请求过于频繁，请在{retry_after}秒后重试",
            "RATE_LIMITED",
            details={"retry_after": retry_after},
        )


class Upstream(HotlineError):
    """502: another system did not answer as agreed."""

    status = 502

    def __init__(
        self, message: str = "对方系统没有正确应答", code: str = "UPSTREAM_FAILED"
    ) -> None:
        super().__init__(message, code)
