"""What each step of a diagram does, one module a step family. Importing it fills the registry."""

from app.handlers import (
    anytime,
    audit,
    callbacks,
    calls,
    closing,
    delegation,
    delivery,
    extension,
    intake,
    investigation,
    links,
    matters,
    recall,
    returns,
    supplements,
    timelimits,
)

__all__ = [
    "anytime",
    "audit",
    "callbacks",
    "calls",
    "closing",
    "delegation",
    "delivery",
    "extension",
    "intake",
    "investigation",
    "links",
    "matters",
    "recall",
    "returns",
    "supplements",
    "timelimits",
]
