"""The sandbox beside localstripe, another stateful fake of Stripe: the same calls, the same shapes.

localstripe is under the GPL: it runs as a process of its own. Where the two differ the test says how, and checks that
they still do; for each of these Stripe's documents are on the sandbox's side.
"""

import socket
import subprocess
import sys
import time

import httpx
import pytest

# Its own start-up listens on every interface and keeps its data in /tmp: this does neither.
PROGRAM = """
import sys
from aiohttp import web
from localstripe import resources
resources.Store.dump_to_disk = lambda self: None
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""

DIFFERENCES = {
    "prices": "localstripe has no /v1/prices, and so subscriptions by plan only",
    "order": "localstripe lists the oldest first",
    "total": "localstripe adds total_count to every list, which Stripe gives no more",
    "errors": "localstripe's errors have neither code nor param",
    "deleted": "localstripe has forgotten a deleted customer",
    "large pages": "localstripe takes any limit",
    "urls": "localstripe answers an unknown address with a text",
}
STREAMS = ("customers", "products", "subscriptions", "invoices", "charges", "payment_intents", "refunds", "events")


@pytest.fixture(scope="module")
def localstripe():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", PROGRAM, str(port)])
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", auth=("sk_test_12345", ""), trust_env=False, verify=False
    )
    try:
        _wait_for(client)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(10)


def _wait_for(client):
    end = time.monotonic() + 20
    while True:
        try:
            client.get("/v1/customers").raise_for_status()
        except httpx.TransportError:
            assert time.monotonic() < end, "localstripe did not start within 20 s"
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def both(api, localstripe):
    """The sandbox and localstripe, both empty."""
    localstripe.delete("/_config/data").raise_for_status()
    return api, localstripe


def ask(both, method, path, **more):
    """The same call to both."""
    return [client.request(method, path, **more) for client in both]


def make(both, path, **data):
    answers = ask(both, "POST", path, data=data)
    assert [answer.status_code for answer in answers] == [200, 200]
    return [answer.json() for answer in answers]


def test_a_customer_made_of_the_same_form(both):
    """Equal in every field that both have and that is not drawn by lot."""
    form = {"name": "Ada", "email": "a@example.com", "metadata[a]": "1", "metadata[b]": "2"}

    ours, theirs = make(both, "/v1/customers", **form)

    for name in ("object", "name", "email", "metadata", "description", "livemode"):
        assert ours[name] == theirs[name], name
    assert ours["id"][:4] == theirs["id"][:4] == "cus_"
    assert len(ours["id"]) == len(theirs["id"])
    assert abs(ours["created"] - theirs["created"]) <= 2


def test_other_objects_have_the_same_types(both):
    """Wherever both have a value."""
    pairs = [
        make(both, "/v1/products", name="Club"),
        make(both, "/v1/payment_intents", amount="500", currency="usd"),
    ]

    for ours, theirs in pairs:
        common = [name for name in ours.keys() & theirs.keys() if None not in (ours[name], theirs[name])]
        assert len(common) >= 8
        assert {name: type(ours[name]) for name in common} == {name: type(theirs[name]) for name in common}


@pytest.mark.parametrize("stream", STREAMS)
def test_list_envelopes(both, stream):
    """The same but for `total`."""
    ours, theirs = (answer.json() for answer in ask(both, "GET", f"/v1/{stream}"))

    assert set(theirs) - set(ours) == {"total_count"}, DIFFERENCES["total"]
    assert {name: type(value) for name, value in ours.items()} == {
        name: type(value) for name, value in theirs.items() if name != "total_count"
    }
    assert (ours["object"], ours["url"]) == (theirs["object"], theirs["url"])


def test_pages(both):
    """The same `limit`, `starting_after` and `has_more`; the order is `order`."""
    names = [make(both, "/v1/customers", name=str(number))[0]["name"] for number in range(5)]
    read, more = ([], []), ([], [])
    for page in range(3):
        for side in (0, 1):
            params = {"limit": 2} | ({"starting_after": read[side][-1]["id"]} if page else {})
            answer = both[side].get("/v1/customers", params=params).json()
            read[side].extend(answer["data"])
            more[side].append(answer["has_more"])

    assert more[0] == more[1] == [True, True, False]
    assert [row["name"] for row in read[0]] == names[::-1], DIFFERENCES["order"]
    assert [row["name"] for row in read[1]] == names, DIFFERENCES["order"]


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1/customers/cus_none", {}),
        ("GET", "/v1/subscriptions/sub_none", {}),
        ("GET", "/v1/charges/ch_none", {}),
        ("DELETE", "/v1/customers/cus_none", {}),
        ("POST", "/v1/customers", {"data": {"colour": "red"}}),
        ("POST", "/v1/products", {}),
        ("GET", "/v1/customers?limit=0", {}),
        ("GET", "/v1/customers", {"auth": None, "headers": {"Authorization": ""}}),
    ],
)
def test_refusals(both, method, path, more):
    """The same status and type, in the same place; code and param are ours alone, `errors`."""
    ours, theirs = ask(both, method, path, **more)

    assert ours.status_code == theirs.status_code
    assert ours.json()["error"]["type"] == theirs.json()["error"]["type"]
    assert {"message", "type"} <= set(theirs.json()["error"]) & set(ours.json()["error"])
    assert not {"code", "param"} & set(theirs.json()["error"]), DIFFERENCES["errors"]


def test_a_deletion(both):
    """The same answer; afterwards only Stripe, and the sandbox, still know of it."""
    made = make(both, "/v1/customers", name="Ada")

    paths = [f"/v1/customers/{one['id']}" for one in made]
    deleted = [client.delete(path).json() for client, path in zip(both, paths, strict=True)]
    found = [client.get(path).status_code for client, path in zip(both, paths, strict=True)]

    assert [set(answer) for answer in deleted] == [{"id", "object", "deleted"}] * 2
    assert found == [200, 404], DIFFERENCES["deleted"]


@pytest.mark.parametrize(
    ("difference", "method", "path", "statuses"),
    [
        ("prices", "GET", "/v1/prices", (200, 404)),
        ("large pages", "GET", "/v1/customers?limit=1000", (400, 200)),
        ("urls", "GET", "/v1/nothing", (404, 404)),
    ],
)
def test_what_differs_still_differs(both, difference, method, path, statuses):
    """When this fails, the list of differences is out of date."""
    ours, theirs = ask(both, method, path)

    assert (ours.status_code, theirs.status_code) == statuses, DIFFERENCES[difference]
    if difference == "urls":
        assert "json" not in theirs.headers["content-type"]
        assert ours.json()["error"]["type"] == "invalid_request_error"
