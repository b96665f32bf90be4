"""What the application writes down: one line for each event, without anything that only some may know."""

import logging
import sys
import time

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
TALKATIVE = ("uvicorn.access", "httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy")
"""Their lines hold whole addresses, and in them codes, states and the secrets of links."""


def write_lines() -> None:
    """Lines go to stderr, with times in UTC."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format=LINE, stream=sys.stderr, force=True)


def keep_addresses_out() -> None:
    """What those loggers say is dropped. By a filter: Prefect's own set-up resets their levels and handlers."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if _drop not in logger.filters:
            logger.addFilter(_drop)


def _drop(_: logging.LogRecord) -> bool:
    return False
