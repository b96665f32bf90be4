"""A Stripe-like list server that is never what a measurement waits for: customers of about 1 kB, no state, no limits.

    python -m benchmarks.page_server RECORDS [SECONDS OF LATENCY]

Prints its address. Ids and `created` are computed from the record's number, so any page is one formatting of bytes.
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qsl

FIRST = 1_700_000_000
STEP = 60  # seconds between two records
PAGE = 100
CUSTOMER = {
    "id": "cus_%014d",
    "object": "customer",
    "address": {
        "city": "Zürich",
        "country": "CH",
        "line1": "Street 1",
        "line2": None,
        "postal_code": "8000",
        "state": None,
    },
    "balance": 0,
    "created": 1_234_567_890,
    "currency": "usd",
    "default_source": None,
    "delinquent": False,
    "description": "A customer that is here to be counted",
    "discount": None,
    "email": "customer%d@example.com",
    "invoice_prefix": "7FE1103",
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": True,
    "metadata": {"plan": "gold", "note": "x" * 250},
    "name": "Customer %d",
    "next_invoice_sequence": 1,
    "phone": "+41 44 000 00 00",
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}
RECORD = json.dumps(CUSTOMER, ensure_ascii=False).replace("1234567890", "%d").encode()


class Pages:
    """So many customers; number 0 is the oldest."""

    def __init__(self, count):
        self.count = count
        self.page = b",".join([RECORD] * PAGE)

    def listing(self, params):
        limit = int(params.get("limit", 10))
        low, high = 0, self.count
        for name, value in params.items():
            number = int(value) - FIRST if name.startswith("created") else 0
            if name == "created[gte]":
                low = max(low, -(-number // STEP))
            elif name == "created[gt]":
                low = max(low, number // STEP + 1)
            elif name == "created[lt]":
                high = min(high, -(-number // STEP))
            elif name == "created[lte]":
                high = min(high, number // STEP + 1)
        if "starting_after" in params:
            high = min(high, int(params["starting_after"].removeprefix("cus_")))
        count = max(0, min(limit, high - low))
        return self.body(high - 1, count), high - low > count

    def body(self, newest, count):
        """Records from *newest* down: id, created, email and name of each."""
        pattern = self.page if count == PAGE else b",".join([RECORD] * count)
        values = []
        for number in range(newest, newest - count, -1):
            values += (number, FIRST + number * STEP, number, number)
        return pattern % tuple(values)


class Protocol(asyncio.Protocol):
    """One connection; as little HTTP as httpx, requests and curl need."""

    def __init__(self, pages, latency, seen):
        self.pages, self.latency, self.seen = pages, latency, seen
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4 :]
            answer = self.answer(head)
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.transport.write, answer)
            else:
                self.transport.write(answer)

    def answer(self, request):
        path, _, query = request.split(b" ", 2)[1].decode().partition("?")
        if path == "/_seen":
            body = json.dumps(self.seen).encode()
            self.seen.clear()
        elif path == "/v1/account":
            key = request.partition(b"sk_live_")[2].split(b"\r")[0].decode()  # every key is an account of its own
            body = json.dumps({"id": f"acct_1{key}", "object": "account", "email": "bench@example.com"}).encode()
        else:
            self.seen.setdefault("first", time.time())
            self.seen["last"] = time.time()
            self.seen["requests"] = self.seen.get("requests", 0) + 1
            params = dict(parse_qsl(query))
            data, more = self.pages.listing(params) if path == "/v1/customers" else (b"", False)
            flag = b"true" if more else b"false"
            body = b'{"object":"list","data":[%s],"has_more":%s,"url":"%s"}' % (data, flag, path.encode())
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body


async def main(count, latency):
    pages, seen = Pages(count), {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(pages, latency, seen), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
