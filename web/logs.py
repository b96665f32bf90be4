"""What the application writes down: one line for each event, without anything that only some may know."""

import logging
import sys
import time

from deployments.words import visible

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
TALKATIVE = ("uvicorn.access", "httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy")
"""Their lines hold whole addresses, and in them codes, states and the secrets of links."""


class Line(logging.Formatter):
    """One line, whatever is in it: a proxy's word for who asks is whatever somebody sent it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the library's name
        return visible(super().formatMessage(record))


def write_lines() -> None:
    """Lines go to stderr, with times in UTC."""
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def keep_addresses_out() -> None:
    """What those loggers say is dropped. By a filter: Prefect's own set-up resets their levels and handlers."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if _drop not in logger.filters:
            logger.addFilter(_drop)


def _drop(_: logging.LogRecord) -> bool:
    return False
