"""Why an uploaded file is refused."""

from app.core.errors import HotlineError


class FileTooLarge(HotlineError):
    """413: larger than one file may be."""

    status = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"单个文件不能超过{max_bytes // 2**20 or 1}MB", "FILE_TOO_LARGE")


class FileTypeDenied(HotlineError):
    """415: not a permitted type, or not what its name says, or dangerous to open."""

    status = 415

    def __init__(self, message: str) -> None:
        super().__init__(message, "FILE_TYPE_DENIED")


class FileEmpty(HotlineError):
    """422: nothing in it."""

    status = 422

    def __init__(self) -> None:
        super().__init__("文件是空的，请重新选择", "FILE_EMPTY")


class TooManyFiles(HotlineError):
    """422: one step takes so many files and no more."""

    status = 422

    def __init__(self, most: int) -> None:
        super().__init__(f"每个环节最多上传{most}个附件", "TOO_MANY_FILES")
