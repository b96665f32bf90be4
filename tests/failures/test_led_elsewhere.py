"""Answers that point somewhere else."""

import asyncio
import base64
import json


async def test_redirects_and_foreign_next_pages(sync, stripe, invariants):
    """A redirect, or the address of a next page, to another host is not followed: not one request goes there."""
    visits = []

    async def visited(reader, writer):
        visits.append(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(visited, "127.0.0.1", 0) as foreign:
        elsewhere = f"http://127.0.0.1:{foreign.sockets[0].getsockname()[1]}/v1/customers"
        stripe.load("customers", 120)
        stripe.load("products", 5)
        invoice = {"id": "in_evil", "object": "invoice", "created": 1_700_000_000}
        for place, url in enumerate((elsewhere, "file:///etc/passwd", "http://169.254.169.254/latest", "//evil.test/")):
            lines = {"object": "list", "data": [{"id": "il_1"}], "has_more": True, "url": url}
            key = f"in_evil{place}"
            stripe.raw("invoices", json.dumps(invoice | {"id": key, "lines": lines}).encode(), id=key)
        redirected = {"customers": 301, "products": 302, "refunds": 307, "charges": 308}
        for stream, status in redirected.items():
            stripe.fault("redirect", f"/v1/{stream}", location=elsewhere, status=status)

        failed = await sync("failed", streams=list(redirected))
        assert failed["error_code"] == "redirected"
        assert "redirect" in failed["error"]
        assert stripe.faults() == []
        page = json.dumps({"object": "list", "data": [], "has_more": False, "url": elsewhere}).encode()
        stripe.fault("body", "/v1/events", body=base64.b64encode(page).decode())
        evil = await sync(None, streams=["invoices", "customers", "products"])

    assert visits == []
    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["customers", "products"])
    assert evil["outcome"] in {"failed", "done"}
    assert invariants.stored(sync.connection_id, "invoices").keys() <= {f"in_evil{place}" for place in range(4)}
