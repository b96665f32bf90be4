"""The one path of every request: what is sent, what is tried again, and what is never followed or told."""

import asyncio
import gzip
import logging
import resource
import time
import traceback
import zlib
from dataclasses import replace

import pytest

from connectors import body
from connectors.errors import Broken, Misconfigured, RateLimited, Reconnect, Refused, Unavailable
from connectors.retry import Patience
from tests.connectors.conftest import SECRET, collect, http, page, refusal


async def ask(stripe, client):
    return await collect(stripe.stream("customers").pages(client, {}))


async def test_what_is_sent(client, provider, stripe, throttle):
    """Key, pinned version and page size go with the request, which takes from both of its buckets."""
    await ask(stripe, client)

    (asked,) = provider.asked
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["stripe-version"] == "2026-10-28.endive"
    assert (asked.path, asked.query) == ("/v1/customers", {"limit": "100"})
    assert throttle.taken == [["account", "endpoint-get-v1-customers"]]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["http://127.0.0.1:1/", "file:///etc/passwd", "//169.254.169.254/", "/v1/x"])
async def test_a_redirect_is_not_followed(status, where, client, provider, stripe):
    """Whatever it points at, one request is sent and the sentence says where to look."""
    provider.answer = lambda asked: http(b"", status, location=where)

    with pytest.raises(Broken, match="redirect"):
        await ask(stripe, client)

    assert len(provider.asked) == 1


async def test_no_cookies(client, provider, stripe):
    """A cookie that a provider sets is not sent back."""
    provider.answer = lambda asked: http({"data": [], "has_more": False}, set_cookie="a=b")

    await ask(stripe, client)
    await ask(stripe, client)

    assert all("cookie" not in asked.headers for asked in provider.asked)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 409, 408])
async def test_server_errors_are_tried_again(status, client, provider, stripe, records):
    """One server error costs one more request; each attempt is recorded with its route's template."""
    provider.answer = lambda asked: http(b"<h1>Oops</h1>", status) if len(provider.asked) == 1 else page([])

    await ask(stripe, client)

    assert [(record.status, record.error, record.route) for record in records] == [
        (status, "server_error", "/v1/customers"),
        (200, None, "/v1/customers"),
    ]


async def test_server_errors_end_within_the_budget(client, provider, stripe, records):
    """A provider that stays down costs the budget, not more, and ends in a sentence."""
    provider.answer = lambda asked: http(b"", 503)
    began = time.monotonic()

    with pytest.raises(Unavailable, match="trouble on its side") as caught:
        await ask(stripe, client)

    assert time.monotonic() - began < 5
    assert caught.value.retry
    assert len(records) == len(provider.asked) > 2


async def test_a_server_error_with_retry_after_waits_no_longer_than_the_budget(client, provider, stripe):
    """An hour's Retry-After on a 503 gives up at once."""
    provider.answer = lambda asked: http(b"", 503, retry_after=3600)

    with pytest.raises(Unavailable):
        await ask(stripe, client)

    assert len(provider.asked) == 1


async def test_the_default_patience_is_below_ten_minutes():
    """Budget and a last slow attempt together stay far below 600 s."""
    assert Patience().budget + Patience().attempt <= 300
    assert Patience().attempt <= 60


async def test_a_slow_body_meets_the_deadline(client, provider, stripe, records):
    """One byte now and then keeps no request alive past its deadline."""

    async def drip(asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        for _ in range(200):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    provider.answer = drip
    client._patience = replace(client._patience, attempt=0.5)
    began = time.monotonic()

    with pytest.raises(Unavailable, match="too long"):
        await ask(stripe, client)

    assert time.monotonic() - began < 8
    assert records[0].error == "timeout"
    assert records[0].duration_ms < 4000


async def test_a_reset_is_tried_again(client, provider, stripe, records):
    """A connection that is reset in the middle of a body costs one more request."""

    async def reset_once(asked, writer):
        if len(provider.asked) == 1:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
            await writer.drain()
            writer.transport.abort()
            return None
        return page([])

    provider.answer = reset_once

    await ask(stripe, client)

    assert records[0].error in {"reset", "cut"}
    assert records[1].error is None


async def test_nobody_listens(monkeypatch, stripe, session, records):
    """A refused connection ends in a sentence about the network."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", "http://127.0.0.1:1")

    async with stripe.open(session) as client:
        with pytest.raises(Unavailable, match="could not be reached"):
            await ask(stripe, client)

    assert {(record.status, record.error) for record in records} == {(None, "unreachable")}


async def test_a_name_that_is_not_known(monkeypatch, stripe, session):
    """An unknown host is a network that does not reach it."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", "https://nobody.invalid")

    async with stripe.open(session) as client:
        with pytest.raises(Unavailable, match="could not be reached"):
            await ask(stripe, client)


async def test_no_secure_connection(monkeypatch, stripe, session):
    """A server that speaks no TLS is not spoken to without."""
    heard = []

    async def plain(reader, writer):
        heard.append(await reader.read(5))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", f"https://127.0.0.1:{port}")

    async with stripe.open(session) as client:
        with pytest.raises(Unavailable, match="secure connection"):
            await ask(stripe, client)

    server.close()
    assert {first[0] for first in heard} == {22}  # a TLS handshake, and nothing else


async def test_a_gzip_bomb_is_not_unpacked(client, provider, stripe):
    """A hundred kilobytes that would be a gigabyte end in a sentence and cost little memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024 * 1024)
    bomb = b"".join([packer.compress(zeros) for _ in range(1024)] + [packer.flush()])
    client._patience = replace(client._patience, attempt=30)
    provider.answer = lambda asked: http(bomb, content_encoding="gzip")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(Broken, match="larger than 64 MiB"):
        await ask(stripe, client)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert len(provider.asked) == 1


async def test_a_body_without_end_is_not_read(client, provider, stripe, monkeypatch):
    """A body past the cap is given up, whether it says its length or not."""
    monkeypatch.setattr(body, "CAP", 10_000)

    async def flood(asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 5_000)
            await writer.drain()

    provider.answer = flood

    with pytest.raises(Broken, match="larger"):
        await ask(stripe, client)


async def test_gzip_beyond_the_cap_by_declared_length(client, provider, stripe):
    """A length beyond the cap is believed without reading."""

    async def declare(asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.2)

    provider.answer = declare

    with pytest.raises(Broken, match="larger"):
        await ask(stripe, client)


async def test_a_whole_gzip_of_some_size_is_read(client, provider, stripe):
    """What is below the cap is unpacked to its end."""
    content = b'{"has_more":false,"data":[{"id":"a","x":"' + bytes([120]) * 5_000_000 + b'"}]}'
    provider.answer = lambda asked: http(gzip.compress(content), content_encoding="gzip")

    (found,) = await ask(stripe, client)

    assert len(found.records[0]) > 5_000_000


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("2", 2),
        ("0", 0),
        ("-5", 0),
        ("1.5", 1.5),
        ("Wed, 25 Nov 2026 10:00:07 GMT", 7),
        ("Wed, 25 Nov 2026 11:00:07 +0100", 7),
        ("Wed, 25 Nov 2026 10:00:07", 7),
        ("Wednesday, 25-Nov-26 10:00:07 GMT", 7),
        ("Wed, 25 Nov 2020 10:00:00 GMT", 0),
    ],
)
async def test_retry_after_is_obeyed(said, pause, client, provider, stripe, throttle, records):
    """Seconds and dates pause the buckets for as long as the provider said, by its own clock."""
    provider.answer = lambda asked: http(b"", 429, retry_after=said) if len(provider.asked) == 1 else page([])

    await ask(stripe, client)

    assert throttle.paused == [(["account", "endpoint-get-v1-customers"], pause)]
    assert len(throttle.taken) == 2
    assert [record.error for record in records] == ["rate_limited", None]


@pytest.mark.parametrize("said", ["abc", "", "nan", "inf", "1e9", "٣", "9" * 400, "1;2", None])
async def test_junk_in_retry_after_is_our_own_back_off(said, client, provider, stripe, throttle):
    """What cannot be understood is as good as nothing said."""
    said = None if said is None else said.encode().decode("latin-1")
    provider.answer = lambda asked: http(b"", 429, retry_after=said) if len(provider.asked) == 1 else page([])

    await ask(stripe, client)

    ((_, seconds),) = throttle.paused
    assert 0 <= seconds <= 0.02


async def test_a_date_without_the_answers_own_date_is_junk(client, provider, stripe, throttle):
    """Our clock plays no part in how long we wait."""
    late = http(b"", 429, date=None, retry_after="Wed, 25 Nov 2099 10:00:00 GMT")
    provider.answer = lambda asked: late if len(provider.asked) == 1 else page([])

    await ask(stripe, client)

    assert throttle.paused[0][1] <= 0.02


async def test_a_day_is_too_long(client, provider, stripe, throttle):
    """A pause beyond the session's deadline is told to everybody and ends this read for now."""
    provider.answer = lambda asked: http(b"", 429, retry_after=86400)

    with pytest.raises(RateLimited) as caught:
        await ask(stripe, client)

    assert caught.value.seconds == 86400
    assert throttle.paused == [(["account", "endpoint-get-v1-customers"], 86400)]
    assert len(provider.asked) == 1


async def test_a_throttle_that_gives_up_ends_the_read(client, provider, stripe, throttle):
    """When the throttle cannot serve before the deadline, nothing is sent and nothing is tried again."""
    asked = []

    async def refuse(buckets, deadline):
        asked.append(deadline)
        raise RateLimited("Stripe")

    throttle.take = refuse

    with pytest.raises(RateLimited, match="slow down"):
        await ask(stripe, client)

    assert asked == [client.session.deadline]
    assert provider.asked == []


async def test_limits_without_end_meet_the_deadline(client, provider, stripe, throttle):
    """A provider that always says too many, and come back at once, is left at the session's deadline."""

    async def wait(buckets, seconds):
        await asyncio.sleep(seconds)

    throttle.pause = wait
    client.session = replace(client.session, deadline=time.monotonic() + 0.3)
    provider.answer = lambda asked: http(b"", 429, retry_after=0)

    with pytest.raises(RateLimited):
        await ask(stripe, client)

    assert 2 < len(provider.asked) < 200


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("global-rate", ["account"]),
        ("global-concurrency", ["account"]),
        ("endpoint-rate", ["endpoint-get-v1-customers"]),
        ("endpoint-concurrency", ["endpoint-get-v1-customers"]),
        ("resource-specific", ["account", "endpoint-get-v1-customers"]),
        ("", ["account", "endpoint-get-v1-customers"]),
    ],
)
async def test_the_bucket_that_stripe_names_is_paused(reason, names, client, provider, stripe, throttle):
    """A limit of one endpoint leaves the others alone."""
    limited = http(b"", 429, retry_after=1, stripe_rate_limited_reason=reason)
    provider.answer = lambda asked: limited if len(provider.asked) == 1 else page([])

    await ask(stripe, client)

    assert throttle.paused == [(names, 1)]


async def test_refusals(client, provider, stripe):
    """A key that is not accepted needs its user; one that may not read this leaves the rest alone."""
    provider.answer = lambda asked: refusal(401, "api_key_expired")
    with pytest.raises(Reconnect, match="does not accept this API key"):
        await ask(stripe, client)

    provider.answer = lambda asked: refusal(403, "more_permissions_required")
    with pytest.raises(Refused, match="may not read"):
        await ask(stripe, client)

    provider.answer = lambda asked: refusal(400, "parameter_unknown")
    with pytest.raises(Broken):
        await ask(stripe, client)


@pytest.mark.parametrize("status", [403, 404, 400, 418, 204])
async def test_an_answer_that_is_not_stripes_proves_nothing(status, client, provider, stripe):
    """A page of some proxy is a fault on the way, whatever its status."""
    provider.answer = lambda asked: http(b"<h1>Blocked</h1>" if status != 204 else b"", status)

    with pytest.raises(Unavailable):
        await ask(stripe, client)


@pytest.mark.parametrize("value", ["sk_test_a\r\nHost: evil", "sk_test_a\nb", "sk_test_ä", "sk_test_a\x00"])
async def test_a_key_that_could_smuggle_is_refused(value, stripe, session, provider):
    """Line breaks and accents never reach a header, nor the sentence."""
    with pytest.raises(Reconnect) as caught:
        stripe.open(replace(session, credentials={"api_key": value}))

    assert value not in str(caught.value)


@pytest.mark.parametrize("key", ["pk_test_abc", "whsec_abc", "", "sk_abc", "sk_org_live_abc", " sk_test_abc"])
async def test_a_key_of_another_kind_is_refused(key, stripe, session, provider):
    """Publishable keys and the like are named as what they are not, before any request."""
    with pytest.raises(Reconnect, match="sk_live_"):
        stripe.open(replace(session, credentials={"api_key": key}))


@pytest.mark.parametrize("key", ["../../v1/account", "a/b", "a?b=c", "a#b", "..", ".", "é", "a b", "%2F", "\ud800"])
async def test_a_path_value_stays_one_segment(key, client, provider, stripe):
    """Whatever an id holds, it is one segment of the path."""
    provider.answer = lambda asked: refusal(404, "resource_missing", param="id")
    raw = []
    provider.answer = lambda asked: raw.append(asked.path) or refusal(404, "resource_missing", param="id")

    assert await stripe.stream("customers").read(client, (key,)) is None

    assert raw[0].startswith("/v1/customers/")


async def test_no_secret_and_no_query_in_errors_or_logs(client, provider, stripe, caplog, records):
    """Neither the key nor the query nor the provider's own words stand in what we raise, log or record."""
    caplog.set_level(logging.DEBUG)
    outcomes = [
        refusal(401, "x"),
        refusal(403, "x"),
        refusal(400, "x"),
        http(SECRET.encode()),
        http(b"", 302, location=SECRET),
        http(b"", 500),
        http(SECRET.encode() * 10, 404),
    ]
    told, place = [], "cus_in_query"
    for outcome in outcomes:
        provider.answer = lambda asked, outcome=outcome: outcome
        with pytest.raises((Reconnect, Refused, Broken, Unavailable)) as caught:
            await collect(stripe.stream("customers").pages(client, {"after": place}))
        told.append("".join(traceback.TracebackException.from_exception(caught.value, capture_locals=False).format()))
        assert caught.value.__context__ is None or SECRET not in repr(caught.value.__context__)
    told += [record.getMessage() for record in caplog.records] + [repr(records), repr(client.session), repr(client.api)]

    assert not [text for text in told if SECRET in text or place in text]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "http://example.com",
        "https://user:pw@x.com",
        "https://x.com/path",
        "https://",
        "x",
        "http://[",
    ],
)
async def test_a_wrong_address_is_named_by_its_variable(url, monkeypatch, stripe, session):
    """The sentence names the setting and never its value."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", url)

    with pytest.raises(Misconfigured, match="SYNCLINE_STRIPE_API_URL") as caught:
        stripe.open(session)

    assert url in {"x", "https://"} or url not in str(caught.value)


async def test_a_cancelled_request_is_recorded(client, provider, stripe, records):
    """Whoever stops a read leaves a record of the request that was under way."""

    async def silent(asked, writer):
        await asyncio.sleep(1)

    provider.answer = silent
    task = asyncio.create_task(ask(stripe, client))
    await asyncio.sleep(0.1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.error for record in records] == ["cancelled"]
