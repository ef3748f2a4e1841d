"""Refusals of the work queue."""

from app.core.errors import Conflict, NotFound


class LeaseLost(Conflict):
    """The lease ran out and another node took the item over; the late result is not written."""

    def __init__(self) -> None:
        super().__init__("该事项已由其他节点接手", "LEASE_LOST")


class NotDead(Conflict):
    """Only a dead item is replayed or settled by a person."""

    def __init__(self, state: str) -> None:
        super().__init__("该事项不在失败队列中", "ITEM_NOT_DEAD", current_state=state)


class UnknownItem(NotFound):
    """There is no such item."""

    def __init__(self) -> None:
        super().__init__("未找到该事项", "ITEM_NOT_FOUND")
