"""Delivers signed events over connections that are kept open. `URL SECRET COUNT [PER_SECOND]`; prints what it saw."""

import asyncio
import hashlib
import hmac
import json
import statistics
import sys
import time
from urllib.parse import urlsplit

CONNECTIONS = 32


def main():
    url, secret, count = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
    per_second = float(sys.argv[4]) if len(sys.argv) > 4 else None
    requests = [_request(url, secret, f"evt_{time.time_ns()}_{number}") for number in range(count)]
    print(json.dumps(asyncio.run(_deliver(url, requests, per_second))))


def _request(url, secret, event_id):
    """An event about nothing that is copied, of about 1.5 kB, ready to be sent."""
    event = {"id": event_id, "object": "event", "type": "topup.created", "created": 1, "livemode": True}
    body = json.dumps(event | {"data": {"object": {"id": "tu_1", "object": "topup", "note": "x" * 1300}}}).encode()
    at = int(time.time())
    signature = hmac.new(secret, b"%d.%b" % (at, body), hashlib.sha256).hexdigest()
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nStripe-Signature: t={at},v1={signature}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _deliver(url, requests, per_second):
    waiting = iter(enumerate(requests))
    took, statuses, began = [], {}, time.perf_counter()

    async def talk():
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number, request in waiting:
            due = began + number / per_second if per_second else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
            await reader.readexactly(int(length or 0))
            took.append(time.perf_counter() - max(sent, due))
            status = head.split(b" ", 2)[1].decode()
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(talk() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    return {
        "rate": len(took) / seconds,
        "p50": statistics.median(took),
        "p99": statistics.quantiles(took, n=100)[98],
        "statuses": statuses,
    }


if __name__ == "__main__":
    main()
