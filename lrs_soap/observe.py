"""The log: one line an event, with names and references but never a learner's details or an OrgPassword."""

import logging
import sys

from lrs_soap.logs import structlog
from lrs_soap.settings import Settings


def configure(settings: Settings) -> None:
    """Sends the log to standard error, as JSON or as text, from the level the settings say."""
    if settings.log_format == "json":
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.WriteLoggerFactory(file=_StandardError()),
        cache_logger_on_first_use=True,
    )


class _StandardError:
    """Standard error as it is when a line is written, so that whoever replaces sys.stderr is heard."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
