"""The database session and the one way to change data: `transact`."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, CursorResult, DateTime, Executable, MetaData, Table, Text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, registry

T = TypeVar("T")

_RETRYABLE = {"40001", "40P01"}
"""Serialisation failure and deadlock: nothing was written, doing it again is right."""
_CLASH = "23505"
"""Two wrote the same at once: a second try sees what the other wrote and says what that means."""
_TRIES = 4


class _Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: DateTime(timezone=True), str: Text(), int: BigInteger()},
    )


db = SQLAlchemy(model_class=_Base)

if TYPE_CHECKING:

    class Model(_Base):
        """Base of all tables."""

        __abstract__ = True
else:
    Model = db.Model


class RecordedFailure(Exception):
    """A failure that must leave a row behind although its transaction is rolled back."""

    def record(self, session: Session) -> None:
        """Write the trace; runs in a transaction of its own after the rollback."""
        raise self


def table_of(model: type[Model]) -> Table:
    """The bare table of a model, for writes of the hot path that need no mapped objects."""
    return cast(Table, model.__table__)


def session() -> Session:
    """The session of this request, command or work item."""
    return db.session()


def send(statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
    """Send a statement of the hot path that was built on tables beforehand.

    Unlike `session().execute` it writes no pending changes of mapped objects first: each such
    flush costs as much as two statements, and the commit makes one of them.
    """
    return session().connection().execute(statement, values)


def transact(work: Callable[[], T]) -> T:
    """Run `work` as one transaction with one commit and return its result.

    Any exception rolls everything back. A deadlock or serialisation failure is tried again, and
    once what clashes with another's row, so `work` must not talk to the network or keep results of
    an earlier try. Only edges call this; services and handlers flush and never commit. A
    `RecordedFailure` writes its trace afterwards.
    """
    current = db.session()
    if current.info.get("transacting"):
        raise RuntimeError("transact() inside transact(): only an edge opens a transaction")
    for attempt in range(1, _TRIES + 1):
        current.info["transacting"] = True
        try:
            result = work()
            current.commit()
            return result
        except RecordedFailure as failure:
            current.rollback()
            if _is_worth_another_try(failure.__cause__, attempt):
                continue
            failure.record(current)
            current.commit()
            raise
        except DBAPIError as error:
            current.rollback()
            if not _is_worth_another_try(error, attempt):
                raise
        except BaseException:
            current.rollback()
            raise
        finally:
            current.info.pop("transacting", None)
    raise AssertionError("unreachable")


def _is_worth_another_try(error: BaseException | None, attempt: int) -> bool:
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return (state in _RETRYABLE and attempt < _TRIES) or (state == _CLASH and attempt == 1)
