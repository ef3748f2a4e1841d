"""12345's answers (批复): which request one is about, and what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from app.approvals.models import OPEN, Extension, ReturnRequest
from app.core.errors import FieldError, Invalid

Asked = TypeVar("Asked", ReturnRequest, Extension)


def meant(
    asked: Sequence[Asked],
    given: Mapping[str, Any],
    repeats: Callable[[Asked, Mapping[str, Any]], bool],
) -> Asked | None:
    """The one of the requests 12345 was sent that an answer is about; None when there is none.

    Without a number it is the only one, or one answered just so before. Invalid when one of several
    is open: an answer sent a second time by the network would decide a request it never knew.
    """
    number = given.get("request_no")
    if number is not None:
        return next((each for each in asked if each.request_no == number), None)
    if len(asked) > 1 and asked[-1].state == OPEN:
        told = "本工单不止一次申请，须填写所批复的申请编号"
        raise Invalid([FieldError("request_no", "required", told)])
    return next((each for each in asked if each.state == OPEN or repeats(each, given)), None)
