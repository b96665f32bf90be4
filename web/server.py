"""`python -m web.server --host … --port …`: the web application of `syncline up`.

It imports everything while other parts start, waits for its word, and says so as soon as it listens. Without a
supervisor (`--alone`) it starts at once; such replicas take PREFECT_API_URL from the environment.
"""

import argparse
import asyncio
import os
import socket
import sys

import uvicorn

from deployments.channel import Channel
from deployments.errors import ProblemError
from deployments.prefect_server import origin
from deployments.web_settings import PORT, load
from storage.database import open_database
from storage.errors import StorageError
from web.app import create_app
from web.logs import write_lines

STOP_SECONDS = 3
IDLE_SECONDS = 15


class Server(uvicorn.Server):
    """Says that it listens."""

    def __init__(self, config: uvicorn.Config, channel: Channel | None, address: str) -> None:
        super().__init__(config)
        self._channel, self._address = channel, address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._channel:
            self._channel.send({"listening": self._address})


def main() -> None:
    asked = _asked()
    channel = None if asked.alone else Channel()
    if channel:
        channel.wait()
    try:
        serve(asked.host, asked.port, channel)
    except (ProblemError, StorageError) as error:
        _tell(error, channel)
        sys.exit(1)


def serve(host: str, port: int, channel: Channel | None) -> None:
    """Answers until SIGTERM."""
    os.umask(0o077)
    address = origin(host, port)
    web = load(address)
    asyncio.run(_look_at_database())
    write_lines()
    config = uvicorn.Config(
        create_app(web),
        host=host,
        port=port,
        access_log=False,  # it would show queries; the doorway writes a line of its own
        log_config=None,
        server_header=False,
        proxy_headers=bool(web.trusted_proxies),
        forwarded_allow_ips=list(web.trusted_proxies),
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="on",
        ws="none",
    )
    Server(config, channel, address).run()


async def _look_at_database() -> None:
    """StorageError, which is told in a sentence, before uvicorn would tell it in a traceback."""
    async with open_database(max_size=1):
        pass


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m web.server", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--alone", action="store_true", help="start at once, without a supervisor")
    return parser.parse_args()


def _tell(error: ProblemError | StorageError, channel: Channel | None) -> None:
    detail = error.detail if isinstance(error, ProblemError) else error.sentence
    if channel:
        channel.send({"error": {"code": error.code, "detail": detail, "action": error.action}})
    else:
        sys.stderr.write(f"error: {detail} {error.action}\n")


if __name__ == "__main__":
    main()
