"""The world of the stories, for single queries."""

from tests.journeys.conftest import world, world_of

__all__ = ["world", "world_of"]
