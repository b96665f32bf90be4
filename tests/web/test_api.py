"""The REST API as the host product's server uses it."""

import uuid

import pytest

from storage import connections
from storage.runs import end, take_run
from tests.fixtures.site import PREFECT_IS_AWAY


@pytest.fixture(autouse=True)
def _stripe(monkeypatch, provider):
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", provider.url)


@pytest.fixture
async def connection(site, provider):
    """A connected account."""
    answer = await site.api.post("/connections", json=_with(provider.key))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_connected_and_listed(site, connection, provider):
    """What is connected is found in the list and at its own address, without its key."""
    listed = await site.api.get("/connections")
    one = await site.api.get(f"/connections/{connection['id']}")

    assert connection["external_account_id"] == provider.account
    assert listed.json() == {"items": [connection], "next": None}
    assert one.json() == connection
    assert provider.key not in listed.text + one.text


async def test_the_same_account_again_is_the_same_connection(site, connection, provider):
    """Connecting an account that is connected already, or was, answers 200 with the id that it had."""
    again = await site.api.post("/connections", json=_with(provider.another_key()))
    await site.api.delete(f"/connections/{connection['id']}")
    back = await site.api.post("/connections", json=_with(provider.key))

    assert (again.status_code, back.status_code) == (200, 200)
    assert {again.json()["id"], back.json()["id"]} == {connection["id"]}
    assert back.json()["state"] == "active"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"credentials": {"api_key": "sk_test_wrong"}}, "key_refused"),
        ({"credentials": {"api_key": "sk_test_\u0000\n"}}, "wrong_key"),
        ({"credentials": {}}, "malformed_request"),
        ({"credentials": {"api_key": ""}}, "malformed_request"),
        ({"credentials": {"api_key": "sk_test_x", "more": "1"}}, "malformed_request"),
        ({"connector": "nobody"}, "unknown_connector"),
        ({"connector": None}, "malformed_request"),
        ({"user_id": ""}, "malformed_request"),
        ({"user_id": "a\u0000b"}, "malformed_request"),
        ({"user_id": "a\nb"}, "malformed_request"),
        ({"user_id": "x" * 256}, "malformed_request"),
        ({"user_id": 42}, "malformed_request"),
        ({"mode": "live"}, "malformed_request"),
    ],
)
async def test_what_cannot_be_connected_is_refused(site, provider, change, code):
    """A key that the provider refuses, and every kind of junk, is 422 with a sentence; nothing is kept of it."""
    answer = await site.api.post("/connections", json=_with(provider.key) | change)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")
    assert (await site.api.get("/connections")).json()["items"] == []


async def test_a_provider_that_is_away_is_no_refusal(site, provider, monkeypatch):
    """Where the key could not be tried the answer is 503 with the time after which to ask again."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", "http://127.0.0.1:9")

    answer = await site.api.post("/connections", json=_with(provider.key))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_list_in_parts(site, db):
    """Following `next` brings every connection once, the oldest first, filtered as asked."""
    made = [(await _stored(db, user=str(n % 2), account=f"acct_{n}"))[0] for n in range(7)]

    async def ids(**query):
        found, cursor = [], None
        while True:
            said = (await site.api.get("/connections", params=query | ({"cursor": cursor} if cursor else {}))).json()
            found += [one["id"] for one in said["items"]]
            cursor = said["next"]
            if cursor is None:
                return found

    assert await ids(limit=3) == [str(one.id) for one in made]
    assert await ids(limit=2, user_id="1") == [str(one.id) for one in made[1::2]]
    assert await ids(limit=7) == [str(one.id) for one in made]
    assert await ids(connector="stripe", user_id="nobody") == []


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "2026-01-01", "é", "MjAyNi0wMS0wMSAx"])
async def test_a_cursor_of_nobody(site, cursor):
    """A cursor that no list gave is 422."""
    answer = await site.api.get("/connections", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_cursor")


async def test_paused_and_resumed(site, connection):
    """A paused connection starts no sync and says why; resumed it is active again."""
    here = f"/connections/{connection['id']}"

    paused = await site.api.patch(here, json={"paused": True})
    refused = await site.api.post(f"{here}/sync", json={"mode": "full"})
    resumed = await site.api.patch(here, json={"paused": False})

    assert paused.json()["state"] == "paused"
    assert (refused.status_code, refused.json()["code"]) == (409, "connection_not_active")
    assert resumed.json() == connection
    assert (await site.api.patch(here, json={})).json() == connection


async def test_what_is_disconnected_cannot_be_paused(site, connection):
    """Pausing or resuming what only its user can make active is 409."""
    await site.api.delete(f"/connections/{connection['id']}")

    answer = await site.api.patch(f"/connections/{connection['id']}", json={"paused": False})

    assert (answer.status_code, answer.json()["code"]) == (409, "connection_not_active")


async def test_disconnected_and_purged(site, connection):
    """DELETE keeps the connection, disconnected; with purge it is gone for good."""
    here = f"/connections/{connection['id']}"

    kept = await site.api.delete(here)
    gone = await site.api.delete(here, params={"purge": "true"})

    assert (kept.status_code, kept.json()["state"]) == (200, "disconnected")
    assert (gone.status_code, gone.json()["id"]) == (200, connection["id"])
    assert (await site.api.get(here)).status_code == 404
    assert (await site.api.delete(here)).status_code == 404


@PREFECT_IS_AWAY
async def test_a_sync_without_prefect(site, connection):
    """While Prefect is away a sync is 503 with Retry-After, within seconds, and the connection stands."""
    answer = await site.api.post(f"/connections/{connection['id']}/sync", json={"mode": "incremental"})

    assert (answer.status_code, answer.json()["code"]) == (503, "prefect_unreachable")
    assert int(answer.headers["retry-after"]) > 0
    assert connection["state"] == "active"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"mode": "full", "streams": ["custumers"]}, "unknown_stream"),
        ({"mode": "webhook"}, "malformed_request"),
        ({}, "malformed_request"),
        ({"mode": "full", "confirm_deletes": "please"}, "malformed_request"),
    ],
)
async def test_a_sync_that_cannot_be_meant(site, connection, asked, code):
    """An unknown stream or mode is 422 before anything is started."""
    answer = await site.api.post(f"/connections/{connection['id']}/sync", json=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_runs_newest_first(site, db, connection):
    """The runs of a connection in parts, the newest first, with their counts."""
    id_ = uuid.UUID(connection["id"])
    for _ in range(3):
        async with take_run(db, id_, mode="full", trigger="api") as run:
            await end(db, run, "done", {"customers": {"read": 1}})

    first = (await site.api.get(f"/connections/{id_}/runs", params={"limit": 2})).json()
    rest = (await site.api.get(f"/connections/{id_}/runs", params={"limit": 2, "cursor": first["next"]})).json()

    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    assert rest["next"] is None
    started = [run["started_at"] for run in first["items"] + rest["items"]]
    assert started == sorted(started, reverse=True)
    assert first["items"][0]["streams"] == {"customers": {"read": 1}}


async def test_status_and_health(site, connection):
    """Status shows every stream of the connection, health every connector."""
    (standing,) = (await site.api.get("/status")).json()["connections"]
    health = (await site.api.get("/health")).json()["items"]

    assert standing["id"] == connection["id"]
    assert standing["connected"] is True
    assert len(standing["streams"]) == 8
    assert {"service", "status", "last_success", "last_failure", "error_rate_24h", "runs_24h"} == set(health[0])
    assert "stripe" in {service["service"] for service in health}


def _with(key, user="42"):
    return {"connector": "stripe", "user_id": user, "credentials": {"api_key": key}}


async def _stored(db, *, user, account):
    return await connections.upsert(
        db,
        connector="stripe",
        user_id=user,
        account=account,
        name=account,
        mode="test",
        scopes=[],
        credentials={"api_key": "sk_test_canary"},
    )
