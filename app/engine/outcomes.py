"""What an action left behind, for its caller and for whoever repeats it."""

from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Outcome:
    """The instance's status, and of each opened task its id, element, name and unit."""

    instance_id: int
    business_key: str
    status: str
    opened: list[dict[str, Any]] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """The form in which a repeat finds it."""
        return dict(vars(self))

    @classmethod
    def from_result(cls, result: dict[str, Any]) -> Self:
        """The first answer, for a repeat."""
        return cls(**result)
