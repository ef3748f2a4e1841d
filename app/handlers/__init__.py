"""What each step of a diagram does, one module a step family. Importing it fills the registry."""

from app.handlers import (
    audit,
    closing,
    delegation,
    delivery,
    intake,
    investigation,
    returns,
)

__all__ = ["audit", "closing", "delegation", "delivery", "intake", "investigation", "returns"]
