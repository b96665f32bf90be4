"""Deliveries as the sandbox's providers make them, with signatures of their own, and what is answered and stored."""

import asyncio
import json
import time
import uuid

import pytest

from tests.fixtures.deliveries import SECRET, signed
from tests.fixtures.site import PREFECT_IS_AWAY
from tests.fixtures.syncing import until

EVENTS = "SELECT * FROM syncline.webhook_event ORDER BY received_at, id"


@pytest.fixture(autouse=True)
def _environment(monkeypatch, provider, slack, web_environment):
    for name, value in {**slack.environment(), "SYNCLINE_STRIPE_API_URL": provider.url}.items():
        web_environment.setenv(name, value)
    web_environment.setenv("SYNCLINE_STRIPE_WEBHOOK_SECRET", "whsec_app_wide")


@pytest.fixture
async def connection(site, provider):
    """A connected Stripe account whose endpoint has a secret of its own."""
    credentials = {"api_key": provider.key, "webhook_secret": SECRET}
    answer = await site.api.post(
        "/connections", json={"connector": "stripe", "user_id": "42", "credentials": credentials}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def event(key="evt_1", **fields):
    made = {"id": key, "object": "event", "type": "customer.updated", "created": 5, "livemode": False}
    return json.dumps(made | {"data": {"object": {"id": "cus_1", "object": "customer"}}} | fields).encode()


def address(connection):
    return f"/webhooks/stripe/{connection['id']}"


async def test_what_stripe_sends_is_stored(site, provider, connection, rows):
    """Real deliveries are answered with 200 and are in the inbox, as they came, of the connection that they are for."""
    provider.webhooks(site.url + address(connection), secret=SECRET)
    made = provider.create("customers", name="Ada")
    provider.update("customers", made["id"], name="Zoë")
    await until(lambda: [d["statuses"] for d in provider.deliveries()] == [[200], [200]], "both deliveries")

    stored = rows(EVENTS)
    by_type = {row["event_type"]: row for row in stored}  # deliveries overtake each other
    assert set(by_type) == {"customer.created", "customer.updated"}
    assert {(str(row["connection_id"]), row["status"], row["attempts"]) for row in stored} == {
        (connection["id"], "pending", 0)
    }
    assert json.loads(by_type["customer.updated"]["body"])["data"]["object"]["name"] == "Zoë"


async def test_the_platforms_endpoint(site, provider, connection, rows):
    """Events of the app-wide endpoint go to the connections of the account they name; of others they are ignored."""
    provider.webhooks(site.url + "/webhooks/stripe", secret="whsec_app_wide", connect=True)
    provider.create("customers", name="Ada")
    await until(lambda: provider.deliveries() and provider.deliveries()[0]["statuses"] == [200], "a delivery")
    strange = event("evt_2", account="acct_strange")
    nobody = event("evt_3")
    for body in (strange, nobody):
        answer = await site.stranger.post("/webhooks/stripe", content=body, headers=signed(body, "whsec_app_wide"))
        assert answer.status_code == 200

    found = [(row["provider_event_id"], row["connection_id"], row["status"]) for row in rows(EVENTS)]
    assert [(str(one), status) for _, one, status in found[:1]] == [(connection["id"], "pending")]
    assert found[1:] == [("evt_2", None, "ignored"), ("evt_3", None, "ignored")]


@PREFECT_IS_AWAY
async def test_while_prefect_is_away(site, connection, rows):
    """With no Prefect to ask for a run a delivery is acknowledged as quickly, and waits for the next run."""
    body = event()
    began = time.monotonic()

    answer = await site.stranger.post(address(connection), content=body, headers=signed(body))

    assert answer.status_code == 200
    assert time.monotonic() - began < 1.5, "the answer has waited for Prefect"
    assert [row["status"] for row in rows(EVENTS)] == ["pending"]


async def test_delivered_again(site, connection, rows):
    """The same event a hundred times is one row, and every delivery is acknowledged."""
    body = event()
    answers = await asyncio.gather(
        *(site.stranger.post(address(connection), content=body, headers=signed(body)) for _ in range(100))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(rows(EVENTS)) == 1


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (400, event(), {}),
        (400, event(), {"Stripe-Signature": "t=1,v1=00"}),
        (400, event(), {"Stripe-Signature": "t=\u00e9,v1=\u00e9"}),
        (400, event(account="acct_other"), "signed"),
        (400, event(livemode=True), "signed"),
        (415, event(), {"Content-Encoding": "gzip"}),
        (415, event(), {"Content-Encoding": "identity"}),
        (413, b"x" * (1 << 20) + b"x", "signed"),
    ],
)
async def test_refused(site, connection, rows, status, body, headers):
    """Unsigned, of another account or mode, encoded or too large: a problem document, and nothing is stored."""
    headers = signed(body) if headers == "signed" else headers
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await site.stranger.post(address(connection), content=body, headers=sent)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows(EVENTS) == []


async def test_the_largest_body(site, connection, rows):
    """One mebibyte is taken, by its length and chunked; a byte more is not, either way."""
    body = event()
    body += b" " * ((1 << 20) - len(body))

    async def chunks(data):
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    whole = await site.stranger.post(address(connection), content=body, headers=signed(body))
    larger = body + b" "
    chunked = await site.stranger.post(address(connection), content=chunks(larger), headers=signed(larger))

    assert (whole.status_code, chunked.status_code) == (200, 413)
    assert [len(row["body"]) for row in rows(EVENTS)] == [1 << 20]


@pytest.mark.parametrize("seconds", [-280, -301, 299, 320])  # a busy machine takes its time; the verifiers are exact
async def test_time(site, connection, seconds):
    """Five minutes either way, and not more."""
    body = event()
    answer = await site.stranger.post(
        address(connection), content=body, headers=signed(body, at=int(time.time()) + seconds)
    )
    assert answer.status_code == (200 if abs(seconds) < 300 else 400)


async def test_signed_nonsense(site, connection, rows):
    """What is signed and makes no sense is kept as it came, failed, and acknowledged: it is not sent for ever."""
    for body in (b"{", b"[]", b'{"id": "evt_x"}', b"\x00\xff", b""):
        answer = await site.stranger.post(address(connection), content=body, headers=signed(body))
        assert answer.status_code == 200
    stored = rows(EVENTS)
    assert {row["status"] for row in stored} == {"failed"}
    assert all(row["error"] for row in stored)
    assert {bytes(row["body"]) for row in stored} == {b"{", b"[]", b'{"id": "evt_x"}', b"\x00\xff", b""}


async def test_addresses_that_lead_nowhere(site, connection, rows):
    """Unknown connectors, unknown, malformed, foreign and disconnected connections: 404, whatever signs."""
    body = event()
    wrong = ["/webhooks/nobody", f"/webhooks/stripe/{uuid.uuid4()}", "/webhooks/stripe/x", "/webhooks/stripe/"]
    wrong += [f"/webhooks/slack/{connection['id']}", f"/webhooks/stripe/{connection['id']}/more"]
    statuses = {(await site.stranger.post(path, content=body, headers=signed(body))).status_code for path in wrong}
    await site.api.delete(f"/connections/{connection['id']}")
    gone = await site.stranger.post(address(connection), content=body, headers=signed(body))

    assert statuses == {404}
    assert gone.status_code == 404
    assert rows(EVENTS) == []


async def test_a_paused_connection(site, connection, rows):
    """What comes while a connection is paused waits in the inbox."""
    await site.api.patch(f"/connections/{connection['id']}", json={"paused": True})
    body = event()
    answer = await site.stranger.post(address(connection), content=body, headers=signed(body))
    assert answer.status_code == 200
    assert [row["status"] for row in rows(EVENTS)] == ["pending"]


async def test_no_secret_is_set(site, web_environment):
    """Without a secret nothing can be verified: 503 and the variable's name, so that the provider comes again."""
    web_environment.delenv("SYNCLINE_STRIPE_WEBHOOK_SECRET")
    answer = await site.stranger.post("/webhooks/stripe", content=event(), headers=signed(event()))
    assert answer.status_code == 503
    assert "SYNCLINE_STRIPE_WEBHOOK_SECRET" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_what_slack_sends(site, slack, rows):
    """The challenge is answered; an event of a workspace that is not connected is ignored, retries are no new event."""
    slack.install(lasting=True)
    slack.webhooks(f"{site.url}/webhooks/slack")
    slack.create_channel("talk")
    slack.post("talk", "hello")
    await until(lambda: len(slack.deliveries()) >= 3 and all(d["statuses"] for d in slack.deliveries()), "deliveries")

    assert {status for one in slack.deliveries() for status in one["statuses"]} == {200}
    stored = rows(EVENTS)
    assert {"channel_created", "message"} <= {row["event_type"] for row in stored}
    assert {(row["connection_id"], row["status"]) for row in stored} == {(None, "ignored")}
    message = next(one for one in slack.deliveries() if one["event_id"] == stored[-1]["provider_event_id"])
    slack.redeliver(message["event_id"], times=5)
    await until(
        lambda: sum(len(one["statuses"]) for one in slack.deliveries()) == len(slack.deliveries()) + 5, "retries"
    )
    assert len(rows(EVENTS)) == len(stored)


async def test_nothing_of_a_delivery_is_told(site, connection, web_log):
    """Neither answers nor logs repeat a body or a signature."""
    body = event("evt_canary_9", name="canary-body")
    for headers in (signed(body), {"Stripe-Signature": "t=1,v1=canary-signature\x1b[31m"}):
        answer = await site.stranger.post(address(connection), content=body, headers=headers)
        assert "canary" not in answer.text
    assert "canary" not in web_log.text
    assert "delivery_refused connector=stripe" in web_log.text
