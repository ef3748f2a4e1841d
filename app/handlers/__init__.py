"""What each step of a diagram does, one module per step family. Importing this fills the registry."""

from app.handlers import audit, delegation, delivery, intake, investigation

__all__ = ["audit", "delegation", "delivery", "intake", "investigation"]
