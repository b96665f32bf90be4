"""Each way in which an answer can break, seen as the bytes that really come over a socket."""

import json
import socket
import zlib
from urllib.parse import urlsplit

import httpx
import pytest


def fetch(provider, path="/v1/customers?limit=100", *, at_most=None):
    """The head and the body exactly as they came, and how the connection ended: closed or reset."""
    target = urlsplit(provider.url)
    with socket.create_connection((target.hostname, target.port), timeout=10) as sock:
        request = f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {provider.key}\r\n\r\n"
        sock.sendall(request.encode())
        received, ended = b"", "closed"
        try:
            while (part := sock.recv(65536)) and (at_most is None or len(received) < at_most):
                received += part
        except ConnectionResetError:
            ended = "reset"
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode().lower(), body, ended


@pytest.fixture
def page(provider):
    """The true page, of 20 customers."""
    provider.load("customers", 20)
    return httpx.get(
        f"{provider.url}/v1/customers?limit=100", headers=auth(provider), trust_env=False, verify=False
    ).content


def auth(provider):
    return {"Authorization": f"Bearer {provider.key}"}


def get(provider):
    return httpx.get(
        f"{provider.url}/v1/customers?limit=100", headers=auth(provider), trust_env=False, verify=False, timeout=10
    )


def test_a_body_shorter_than_its_length(provider, page):
    """Content-Length promises the page and half of it comes; httpx notices."""
    provider.fault("cut_length", times=2)

    head, body, _ = fetch(provider)

    assert f"content-length: {len(page)}" in head
    assert body == page[: len(page) // 2]
    with pytest.raises(httpx.RemoteProtocolError):
        get(provider)


def test_a_chunked_body_without_its_last_chunk(provider, page):
    """A chunk comes and the end never does; httpx notices."""
    provider.fault("cut_chunked", times=2)

    head, body, _ = fetch(provider)

    assert "transfer-encoding: chunked" in head
    assert not body.endswith(b"0\r\n\r\n")
    assert page[: len(page) // 2] in body
    with pytest.raises(httpx.RemoteProtocolError):
        get(provider)


def test_a_gzip_stream_that_ends_early(provider, page):
    """The framing is right and the stream inside is not at its end; httpx hands out half a page as if it were whole."""
    provider.fault("cut_gzip", times=2)

    head, body, _ = fetch(provider)

    assert "content-encoding: gzip" in head
    assert f"content-length: {len(body)}" in head
    unpacker = zlib.decompressobj(wbits=31)
    assert unpacker.decompress(body) == page[: len(page) // 2]
    assert not unpacker.eof
    assert get(provider).content == page[: len(page) // 2]


def test_a_close_delimited_body_that_ends_early(provider, page):
    """Neither length nor chunks: httpx hands out half a page as if it were whole."""
    provider.fault("cut_close", times=2)

    head, body, ended = fetch(provider)

    assert "content-length" not in head
    assert "transfer-encoding" not in head
    assert (body, ended) == (page[: len(page) // 2], "closed")
    assert get(provider).content == page[: len(page) // 2]


def test_a_close_delimited_body_that_is_whole(provider, page):
    """The same framing with nothing missing."""
    provider.fault("close_delimited")

    assert fetch(provider)[1:] == (page, "closed")


def test_a_reset_in_the_middle_of_a_body(provider, page):
    """Half of it comes, then a reset."""
    provider.fault("reset")

    _, body, ended = fetch(provider)

    assert (body, ended) == (page[: len(page) // 2], "reset")


def test_a_reset_instead_of_an_answer(provider, page):
    """Nothing comes but a reset."""
    provider.fault("reset_before")

    assert fetch(provider) == ("", b"", "reset")


def test_a_connection_that_ends_without_an_answer(provider, page):
    """Nothing comes, and the connection ends in good order."""
    provider.fault("drop")

    assert fetch(provider) == ("", b"", "closed")


def test_a_slow_body(provider, page):
    """So few bytes a second that each read succeeds and the whole never comes in time."""
    provider.fault("slow", bytes_per_second=20)

    with pytest.raises(httpx.ReadTimeout), httpx.Client(trust_env=False, verify=False, timeout=0.05) as client:
        client.get(f"{provider.url}/v1/customers", headers=auth(provider))


def test_a_body_with_a_pause_in_it(provider, page):
    """Half, silence, the rest: whole in the end."""
    provider.fault("pause", seconds=0.2)

    answer = get(provider)

    assert answer.content == page
    assert answer.elapsed.total_seconds() >= 0.2


def test_silence(provider, page):
    """No answer for as long as was asked."""
    provider.fault("hang", seconds=0.3)

    assert get(provider).elapsed.total_seconds() >= 0.3


def test_a_small_body_that_unpacks_to_a_large_one(provider):
    """A gzip body a thousandth of what it unpacks to."""
    provider.fault("bomb", bytes=64 * 1024**2)

    head, body, _ = fetch(provider)

    assert "content-encoding: gzip" in head
    assert len(body) < 100_000


def test_a_page_of_any_size(provider, page):
    """The page followed by white space, which is still the page."""
    provider.fault("big", bytes=20 * 1024**2)

    answer = get(provider)

    assert len(answer.content) >= 20 * 1024**2 - 65536
    assert answer.json() == json.loads(page)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("empty", lambda page: b""),
        ("array", lambda page: b"[" + page + b"]"),
        ("charset", lambda page: page.decode().encode("utf-16")),
        ("not_json", lambda page: page[: len(page) // 2]),
    ],
)
def test_a_200_with_another_body(provider, page, kind, content):
    """The status is fine and the body is not."""
    provider.fault(kind)

    answer = get(provider)

    assert answer.status_code == 200
    assert answer.content == content(page)


def test_a_200_with_html(provider, page):
    """A proxy's page where JSON should be."""
    provider.fault("html_200")

    answer = get(provider)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html"


def test_a_proper_gzip_body(provider, page):
    """Compression alone is no fault."""
    provider.fault("gzip")

    answer = get(provider)

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == page


def test_two_requests_over_one_connection(provider, page):
    """Connections are kept, and the ledger tells them apart."""
    provider.forget()
    with httpx.Client(trust_env=False, verify=False, headers=auth(provider)) as client:
        client.get(f"{provider.url}/v1/customers")
        client.get(f"{provider.url}/v1/customers")
    get(provider)

    first, second, third = (row["connection"] for row in provider.requests())

    assert first == second != third
