"""All fake providers, served until a signal comes."""

import asyncio
import signal
from collections.abc import Callable

from sandbox.application import Sandbox
from sandbox.http import serve


async def run(host: str, port: int, tell: Callable[[Sandbox, str], None]) -> None:
    """Listen, have *tell* say where, and serve until SIGTERM or Ctrl-C. OSError if the port cannot be had."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox()
    server = await serve(sandbox.answer, host, port)
    tell(sandbox, f"http://{host}:{server.sockets[0].getsockname()[1]}")
    await stop.wait()
    server.close()
