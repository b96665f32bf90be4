"""`python -m sandbox`: the fake providers until Ctrl-C; prints where they are as one line of JSON."""

import argparse
import asyncio
import contextlib
import signal
import sys

import orjson

from sandbox.application import Sandbox
from sandbox.http import serve


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Fake providers over real HTTP, for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options.host, options.port))


async def run(host: str, port: int) -> None:
    """Listen, say where, and serve until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox()
    server = await serve(sandbox.answer, host, port)
    base = f"http://{host}:{server.sockets[0].getsockname()[1]}"
    sys.stdout.buffer.write(orjson.dumps(sandbox.addresses(base)) + b"\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()


if __name__ == "__main__":
    main()
