"""How requests for more time read in the timeline of a ticket (延期)."""

from collections.abc import Callable, Sequence

from app.approvals.models import AGREED, LAPSED, Extension
from app.core.clock import BEIJING
from app.engine.models import ProcessEvent

Hears = Callable[[int | None], bool]
"""Whether a reader may have the words of a unit; of None, those of 12345."""
PENDING = "延期审批中"
"""More time was asked for in time; until it is decided nothing is overdue."""


def extension_line(
    event: ProcessEvent, requests: Sequence[Extension], hears: Hears
) -> tuple[str, str] | None:
    """(title, text) of a message about one of these requests; None of anything else.

    `hears` says of whose words the reader may have more than the decision.
    """
    named = (event.decision or {}).get("extension_id")
    request = next((each for each in requests if each.id == named), None)
    if event.kind != "message" or request is None:
        return None
    if event.element_name == "request.extension":
        return "申请延期", " · ".join(
            [f"{request.days}天", *([request.reason] if hears(request.unit_id) else [])]
        )
    if request.state == LAPSED:
        return "延期申请失效", "已办理完毕或已改派，不再需要延期"
    return "12345 批复延期申请", answer_text(request, whole=hears(None))


def answer_text(request: Extension, *, whole: bool = True) -> str:
    """What was decided, by whom, until when, and on the `whole` why."""
    agreed = request.state == AGREED
    by = f"（{request.decided_by}）" if request.decided_by else ""
    until = f"延至 {request.due_after.astimezone(BEIJING):%Y-%m-%d}" if request.due_after else ""
    parts = ("同意" if agreed else "不同意", by, f" · {until}" if agreed else "")
    return "".join(parts) + (f" · {request.opinion}" if whole else "")
