"""Processes that all need one access token at the same moment. Run as a script with the connection's id.

For every line on standard input, a number, so many are forked; half of them believe to be on another host. What they
got stands in a line of JSON: how often each access token, and how often each error.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from uuid import UUID

from connectors.errors import ConnectorError
from storage import connections
from storage.database import open_database
from storage.errors import StorageError
from tasks.request_book import RequestBook
from tasks.tokens import credentials_of


def main(connection_id: UUID) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        at = time.time() + 1.0
        ends = [_forked(connection_id, at, place) for place in range(int(line))]
        said: Counter[str] = Counter()
        for end in ends:
            with os.fdopen(end) as reader:
                said[reader.read()] += 1
        print(json.dumps(said), flush=True)


def _forked(connection_id: UUID, at: float, place: int) -> int:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return reader
    try:
        os.environ["SYNCLINE_HOME"] += f"-{place % 2}"
        os.write(writer, asyncio.run(_ask(connection_id, at)).encode())
    finally:
        os._exit(0)


async def _ask(connection_id: UUID, at: float) -> str:
    try:
        async with open_database() as db, RequestBook(db) as book:
            connection = await connections.get(db, connection_id)
            await asyncio.sleep(at - time.time())
            return (await credentials_of(db, book, connection))["access_token"]
    except (ConnectorError, StorageError) as error:
        return f"error: {error.code}"


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    main(UUID(sys.argv[1]))
