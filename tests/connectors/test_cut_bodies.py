"""A body that is not whole is a fault of the transport: sent again, never an empty page or the end of a list."""

import gzip
import json

import pytest

from connectors.errors import Unavailable
from tests.connectors.conftest import collect, http, page

WHOLE = json.dumps({"object": "list", "data": [{"id": "cus_1", "object": "customer"}], "has_more": False}).encode()
PACKED = gzip.compress(WHOLE)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

CUT = {
    "content-length": HEAD + b"content-length: 500\r\nconnection: close\r\n\r\n" + WHOLE,
    "chunked": HEAD + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n%x\r\n%s\r\n" % (len(WHOLE), WHOLE),
    "gzip": http(PACKED[:-9], content_encoding="gzip"),
    "close-delimited": HEAD + b"connection: close\r\n\r\n" + WHOLE[:-3],
    "gzip close-delimited": HEAD + b"content-encoding: gzip\r\nconnection: close\r\n\r\n" + PACKED[:20],
    "garbled gzip": http(PACKED[:12] + b"xxxx" + PACKED[16:], content_encoding="gzip"),
    "empty": http(b""),
    "html": http(b"<html><body>Welcome</body></html>", content_type="text/html"),
    "wrong charset": http(WHOLE.decode().encode("utf-16"), content_type="application/json; charset=utf-16"),
    "another charset": http(WHOLE, content_type="application/json; charset=iso-8859-1"),
    "array": http(b"[" + WHOLE + b"]"),
    "no end marker": http({"object": "list", "data": []}),
    "end marker of another kind": http({"object": "list", "data": [], "has_more": "false"}),
    "two values": http(WHOLE + WHOLE),
    "null": http(b"null"),
}


@pytest.mark.parametrize("kind", CUT)
async def test_a_cut_body_is_asked_for_again(kind, client, provider, stripe, records):
    """One cut body costs one more request and nothing else."""
    provider.answer = lambda asked: CUT[kind] if len(provider.asked) == 1 else page([{"id": "cus_1"}])

    pages = await collect(stripe.stream("customers").pages(client, {}))

    assert [len(found.records) for found in pages] == [1]
    assert [record.error is None for record in records] == [False, True]


@pytest.mark.parametrize("kind", CUT)
async def test_bodies_that_stay_cut_end_in_a_sentence(kind, client, provider, stripe, records):
    """After its patience the read fails for now; it does not end."""
    provider.answer = lambda asked: CUT[kind]

    with pytest.raises(Unavailable, match="Stripe"):
        await collect(stripe.stream("customers").pages(client, {}))

    assert len(records) > 1
    assert {record.error for record in records} <= {"cut", "garbled", "reset"}


@pytest.mark.parametrize("kind", CUT)
async def test_a_cut_record_is_not_absent(kind, client, provider, stripe):
    """A record that is read by its id is never taken for gone because its body was cut."""
    provider.answer = lambda asked: CUT[kind]

    with pytest.raises(Unavailable):
        await stripe.stream("customers").read(client, ("cus_1",))


async def test_whole_gzip_is_read(client, provider, stripe):
    """Several gzip members after each other are one body."""
    provider.answer = lambda asked: http(gzip.compress(WHOLE[:10]) + gzip.compress(WHOLE[10:]), content_encoding="gzip")

    (found,) = await collect(stripe.stream("customers").pages(client, {}))

    assert [json.loads(record)["id"] for record in found.records] == ["cus_1"]
