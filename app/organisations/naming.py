"""What generated units are called: the one place for it, as the bureau's name has changed (D15)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Naming:
    """Names of units; `{name}` is the division's. Existing units are not renamed by a change."""

    national: str = "农业农村部12317热线"
    province: str = "{name}农业农村厅"
    municipality: str = "{name}农业农村委员会"
    city: str = "{name}农业农村局"
    county: str = "{name}农业农村局"


DEFAULT_NAMING = Naming()
