"""One JSON line per event with fields (`ticket=… step=… ms=…`), never citizen data."""

import logging
import sys

import structlog


def configure(level: str = "INFO") -> None:
    """Send structlog and the standard library's warnings to stderr as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=12)
            ),
            _without_quotes,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def _without_quotes(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep type and place of an exception, not its text, which may quote what a citizen entered."""
    for link in event.get("exception") or []:
        link.pop("exc_value", None)
        link.pop("exc_notes", None)
        link.pop("syntax_error", None)
    return event


def logger() -> structlog.typing.FilteringBoundLogger:
    """The structured logger."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
