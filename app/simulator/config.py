"""What the simulator needs to know."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SimulatorConfig:
    """Whom it plays and whom it talks to; one secret signs both directions."""

    platform_url: str
    """Where the 12317 platform answers, without `/openapi/v1`."""
    app_id: str
    secret: str = field(repr=False)
    journal: Path
    """The JSONL file that survives restarts."""
    sign_method: str = "HMAC-SHA256"
    province_code: str | None = None
    """Offer only this province's samples; None offers all."""
    name: str = "贵州省12345政务服务便民热线"
    ticket_prefix: str = "GZ12345"
    """Begins our ticket numbers and receipt numbers."""
