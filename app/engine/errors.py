"""The engine's refusals, and the failure that becomes an incident."""

from app.core.errors import Conflict, Invalid, NotFound
from app.engine.models import UserTask
from app.engine.registry import HeldTask


class TaskAlreadyDone(Conflict):
    """Somebody else was faster; the message says who completed the task, or took it away.

    `current_state` is the task's; of a ticket's task, edges put the ticket's in its place.
    """

    def __init__(self, task: UserTask | HeldTask) -> None:
        name = task.closed_by_name if task.closed_by is not None else None
        what = "办理" if task.state == "done" else "终止"
        self.business_key = task.business_key
        self.who = f"已由{name}{what}" if name else "该环节已结束"
        super().__init__(
            f"{self.who}，请刷新后查看最新状态",
            "TASK_ALREADY_DONE",
            current_state=task.state,
            acted_by=name,
        )


class TaskClaimed(Conflict):
    """The task is in somebody else's hands."""

    def __init__(self, name: str | None) -> None:
        super().__init__(f"已由{name or '其他人'}认领", "TASK_CLAIMED", claimed_by=name)


class StaleVersion(Conflict):
    """The form was opened before the task last changed hands."""

    def __init__(self) -> None:
        super().__init__("待办已被其他人更新，请刷新后重试", "STALE_VERSION")


class ActionIdReused(Conflict):
    """The id belongs to an action already done on something else; this one was not done."""

    def __init__(self) -> None:
        super().__init__("action_id 已用于其他操作，请换新的重试", "ACTION_ID_REUSED")


class InstanceExists(Conflict):
    """One instance per process and business key."""

    def __init__(self, business_key: str) -> None:
        super().__init__(f"“{business_key}”已有流程", "INSTANCE_EXISTS")


class UnknownTask(NotFound):
    """No such task, or not for this caller."""

    def __init__(self) -> None:
        super().__init__("没有这项待办", "TASK_NOT_FOUND")


class UnknownDefinition(NotFound):
    """No published diagram of this name."""

    def __init__(self, key: str) -> None:
        super().__init__(f"没有已发布的流程“{key}”", "DEFINITION_NOT_FOUND")


class DefinitionRefused(Invalid):
    """The publish gate found problems; `errors` holds one per element."""
