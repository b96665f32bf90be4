"""`python -m sandbox`: the fake providers until Ctrl-C; prints where they are as one line of JSON."""

import argparse
import asyncio
import contextlib
import sys

import orjson

from sandbox.application import Sandbox
from sandbox.serving import run


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Fake providers over real HTTP, for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options.host, options.port, tell))


def tell(sandbox: Sandbox, base: str) -> None:
    """One line of JSON is on stdout."""
    sys.stdout.buffer.write(orjson.dumps(sandbox.addresses(base)) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
