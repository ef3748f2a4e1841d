"""What each step of a diagram does, one module a step family. Importing it fills the registry."""

from app.handlers import (
    audit,
    callbacks,
    calls,
    closing,
    delegation,
    delivery,
    extension,
    intake,
    investigation,
    matters,
    returns,
    supplements,
)

__all__ = [
    "audit",
    "callbacks",
    "calls",
    "closing",
    "delegation",
    "delivery",
    "extension",
    "intake",
    "investigation",
    "matters",
    "returns",
    "supplements",
]
