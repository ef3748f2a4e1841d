"""Refusals of the exchange. Their codes are the partner API's own (REQUIREMENTS 4.4)."""

from app.core.errors import Conflict, HotlineError, NotAllowed, NotFound, Upstream


class Unauthenticated(HotlineError):
    """401: we do not know that this request comes from a partner."""

    status = 401


class SignatureInvalid(Unauthenticated):
    """Headers missing, unknown application, or the signature does not match: never said which."""

    def __init__(self, message: str = "签名校验不通过") -> None:
        super().__init__(message, "SIGNATURE_INVALID")


class TimestampSkew(Unauthenticated):
    """The sender's clock and ours differ by more than five minutes, or the message is old."""

    def __init__(self) -> None:
        super().__init__("时间戳与服务器时间相差超过5分钟", "TIMESTAMP_SKEW")


class NonceReplay(Unauthenticated):
    """The same signed request has been accepted before."""

    def __init__(self) -> None:
        super().__init__("随机串已使用过，请求不可重放", "NONCE_REPLAY")


class AppDisabled(Unauthenticated):
    """The partner is switched off."""

    def __init__(self) -> None:
        super().__init__("该应用已停用", "APP_DISABLED")


class IpNotAllowed(NotAllowed):
    """The partner calls from an address outside its list."""

    def __init__(self) -> None:
        super().__init__("来源IP不在许可范围内", "IP_NOT_ALLOWED")


class IdempotencyConflict(Conflict):
    """The same key came with another content."""

    def __init__(self) -> None:
        super().__init__("同一编号已提交过不同内容", "IDEMPOTENCY_CONFLICT")


class RotationOpen(Conflict):
    """Two secrets are live; the old one must be retired first."""

    def __init__(self) -> None:
        super().__init__("已有两个有效密钥，请先停用旧密钥", "ROTATION_OPEN")


class NothingToRetire(Conflict):
    """Only one secret is live."""

    def __init__(self) -> None:
        super().__init__("仅有一个有效密钥，不能停用", "NOTHING_TO_RETIRE")


class UnknownPartner(NotFound):
    """There is no such partner."""

    def __init__(self) -> None:
        super().__init__("未找到该对接平台", "PARTNER_NOT_FOUND")


class UnknownMessage(NotFound):
    """There is no such outgoing message."""

    def __init__(self) -> None:
        super().__init__("未找到该消息", "MESSAGE_NOT_FOUND")


class CallbackRefused(Upstream):
    """The callback host is one we must not call (inner network, wrong scheme) or has no address."""

    def __init__(self, code: str) -> None:
        super().__init__("回调地址不可用", code)
