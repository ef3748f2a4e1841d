"""What each step of a diagram does, one module a step family. Importing it fills the registry."""

from app.handlers import audit, delegation, delivery, intake, investigation

__all__ = ["audit", "delegation", "delivery", "intake", "investigation"]
