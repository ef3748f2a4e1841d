"""The world of the stories, and people at their browsers."""

from tests.journeys.conftest import world, world_of

__all__ = ["world", "world_of"]
