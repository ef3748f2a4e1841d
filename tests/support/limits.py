"""What tests have done to the one address they all come from."""

from sqlalchemy import delete

from app.core.db import db, session, transact
from app.exchange.models import RateBucket
from tests.support.journey import World


def forget_failures(world: World) -> None:
    """Let the address call again as if nobody had guessed from it."""
    with world.app.app_context():
        transact(lambda: session().execute(delete(RateBucket).where(RateBucket.key.like("ip:%"))))
        db.session.remove()
