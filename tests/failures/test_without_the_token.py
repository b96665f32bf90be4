"""Cases 62 and 63: the REST API for whoever has not the admin token, or asks for what does not exist."""

import asyncio
import statistics
import time
import uuid

import pytest

from tests.fixtures.site import ADMIN_TOKEN

NOBODY = "00000000-0000-0000-0000-000000000000"
WRONG = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer x y"},
    {"Authorization": f"Bearer {ADMIN_TOKEN[:-1]}"},
    {"Authorization": f"Bearer {ADMIN_TOKEN}x"},
    {"Authorization": f"Bearer {ADMIN_TOKEN.upper()}"},
    {"Authorization": f"Basic {ADMIN_TOKEN}"},
    {"Authorization": ADMIN_TOKEN},
    {"Authorization": "Bearer " + "x" * 8000},
    {"Authorization": b"Bearer \xff\xfe"},
    {"Cookie": f"token={ADMIN_TOKEN}; session={ADMIN_TOKEN}; syncline_browser={ADMIN_TOKEN}"},
]


async def _routes(site):
    document = (await site.stranger.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method in methods:
            yield method.upper(), path


@pytest.mark.parametrize("headers", WRONG, ids=range(len(WRONG)))
async def test_every_route_asks_for_it(site, headers):
    """Without exactly the admin token as a bearer every route is 401, before the address or the body is looked at."""
    routes = [one async for one in _routes(site)]
    assert len(routes) >= 11
    for method, path in [*routes, ("GET", "/api/v1/nothing"), ("POST", "/api/v1/"), ("TRACE", "/api/v1/status")]:
        answer = await site.stranger.request(method, path, headers=headers, content=b"{" if method != "GET" else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_it_counts_nowhere_but_in_its_header(site):
    """The token in the query or in a body opens nothing."""
    for params in ({"token": ADMIN_TOKEN}, {"access_token": ADMIN_TOKEN}):
        assert (await site.stranger.get("/api/v1/status", params=params)).status_code == 401
    assert (await site.stranger.post("/api/v1/connections", data={"access_token": ADMIN_TOKEN})).status_code == 401


async def test_two_tokens_are_none(site):
    """A request with two Authorization headers is refused, be one of them right."""
    right = ("Authorization", f"Bearer {ADMIN_TOKEN}")

    answer = await site.stranger.get("/api/v1/status", headers=[right, ("Authorization", "Bearer x")])

    assert answer.status_code == 401


async def test_unknown_ids_are_all_the_same(site):
    """Every route below a connection answers an unknown id with the same 404, whatever the id."""
    other = str(uuid.uuid4())
    async for method, path in _routes(site):
        if "{connection_id}" not in path:
            continue
        answers = [await _ask(site, method, path, id_) for id_ in (NOBODY, other)]
        said = {answer.text.replace(id_, "ID") for answer, id_ in zip(answers, (NOBODY, other), strict=True)}
        assert [answer.status_code for answer in answers] == [404, 404], (method, path, answers[0].text)
        assert len(said) == 1


async def test_what_is_no_id(site):
    """Junk where an id stands is a problem document and never a server error."""
    async for method, path in _routes(site):
        for junk in ("x", "..%2F..%2Fetc", "%00", "' or 1=1 --", "9" * 300):
            if "{connection_id}" in path:
                answer = await _ask(site, method, path, junk)
                assert answer.status_code in {404, 422}, (method, path, junk, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"


async def test_a_right_caller_is_never_locked_out(site):
    """A thousand wrong tokens from one place change nothing for who has the right one."""
    wrong = [site.stranger.get("/api/v1/status", headers={"Authorization": f"Bearer {n}"}) for n in range(300)]

    refused, let_in = await asyncio.gather(asyncio.gather(*wrong), site.api.get("/status"))

    assert {answer.status_code for answer in refused} == {401}
    assert let_in.status_code == 200


def test_comparing_takes_as_long_for_any_token():
    """How much of a token is right cannot be told from the time that refusing it takes."""
    from starlette.requests import Request

    from deployments.web_settings import Web
    from web.guards import refusal

    web = Web("http://127.0.0.1:8000", frozenset(), ADMIN_TOKEN, ())

    def took(token: str) -> float:
        headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", f"Bearer {token}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/v1/status", "headers": headers, "scheme": "http"}
        request = Request(scope | {"query_string": b"", "server": ("127.0.0.1", 8000)})
        since = time.perf_counter_ns()
        assert refusal(request, web).status == 401
        return time.perf_counter_ns() - since

    near, far = ADMIN_TOKEN[:-1] + "X", "X" * len(ADMIN_TOKEN)
    pairs = [(took(near), took(far)) for _ in range(10_000)]
    means = [statistics.median(times) for times in zip(*pairs, strict=True)]
    print(f"median of 10,000 refusals: nearly right {means[0]:.0f} ns, all wrong {means[1]:.0f} ns")
    assert abs(means[0] - means[1]) < 0.1 * max(means)


async def _ask(site, method, path, connection_id):
    where = path.removeprefix("/api/v1").replace("{connection_id}", connection_id).replace("{action}", "x.y")
    body = {"PATCH": {"paused": True}, "POST": {"mode": "full"}}.get(method)
    query = {"calendar_id": "a", "time_min": "2026-01-01T00:00:00Z", "time_max": "2026-01-02T00:00:00Z"}
    params = query if "occurrences" in path else {}
    return await site.api.request(method, where, json=body, params=params, headers={"Idempotency-Key": "k"})
