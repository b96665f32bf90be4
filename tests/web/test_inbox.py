"""The inbox and what was set aside through the REST API."""

import uuid

import pytest

from storage import inbox, tables
from storage.inbox import Arrival
from tasks.stream_tables import tables_of


@pytest.fixture
async def events(site, db, provider, web_environment):
    """Five events of a connection: one applied, one failed, two pending, and one of nobody."""
    web_environment.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    credentials = {"api_key": provider.key}
    asked = {"connector": "stripe", "user_id": "42", "credentials": credentials}
    connection = uuid.UUID((await site.api.post("/connections", json=asked)).json()["id"])
    arrivals = [
        Arrival("stripe", None if key == "nobody" else connection, key, "customer.updated", b"{}", status=status)
        for key, status in (
            ("a", "pending"),
            ("b", "failed"),
            ("c", "pending"),
            ("d", "pending"),
            ("nobody", "ignored"),
        )
    ]
    for arrival in arrivals:
        assert await inbox.store(db, [arrival]) == [True]
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.webhook_event SET status = 'applied' WHERE provider_event_id = 'd'")
    return connection


async def test_listed(site, events):
    """Newest first, a part at a time, and by status, connection and connector."""
    first = (await site.api.get("/webhook-events", params={"limit": 3})).json()
    rest = (await site.api.get("/webhook-events", params={"limit": 3, "cursor": first["next"]})).json()
    failed = (await site.api.get("/webhook-events", params={"status": "failed"})).json()["items"]
    of_it = (await site.api.get("/webhook-events", params={"connection_id": str(events)})).json()["items"]

    assert [one["provider_event_id"] for one in first["items"] + rest["items"]] == ["nobody", "d", "c", "b", "a"]
    assert rest["next"] is None
    assert [one["provider_event_id"] for one in failed] == ["b"]
    assert len(of_it) == 4
    assert "body" not in of_it[0]


async def test_replayed(site, events):
    """A failed event waits again; one of nobody cannot, and an unknown one is not there."""
    every = {one["provider_event_id"]: one for one in (await site.api.get("/webhook-events")).json()["items"]}

    done = await site.api.post(f"/webhook-events/{every['b']['id']}/replay")
    nobody = await site.api.post(f"/webhook-events/{every['nobody']['id']}/replay")
    unknown = await site.api.post(f"/webhook-events/{uuid.uuid4()}/replay")

    assert (done.status_code, done.json()) == (202, {"id": every["b"]["id"], "status": "pending"})
    assert (nobody.status_code, unknown.status_code) == (409, 404)
    waiting = (await site.api.get("/webhook-events", params={"status": "pending"})).json()["items"]
    assert {one["provider_event_id"] for one in waiting} == {"a", "b", "c"}


@pytest.mark.parametrize(
    "params", [{"status": "lost"}, {"connection_id": "x"}, {"cursor": "x"}, {"limit": 0}, {"connector": ""}]
)
async def test_malformed(site, params):
    """A parameter that makes no sense is a problem document."""
    answer = await site.api.get("/webhook-events", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_is_let_in_without_the_token(site):
    """The admin token is asked for before anything is looked up."""
    for method, path in (
        ("GET", "/api/v1/webhook-events"),
        ("POST", f"/api/v1/webhook-events/{uuid.uuid4()}/replay"),
        ("GET", "/api/v1/rejected-records"),
        ("POST", f"/api/v1/rejected-records/{uuid.uuid4()}/retry"),
    ):
        assert (await site.stranger.request(method, path)).status_code == 401


async def test_rejected_records(site, events, db):
    """What was set aside is listed, and tried again on request; one that still cannot be stored says so."""
    query = """
        INSERT INTO syncline.rejected_record (connection_id, connector, stream, reason, body, digest)
        VALUES (%s, 'stripe', 'customers', 'it has no id', '[]', '\\x00') RETURNING id
    """
    async with db.connection() as conn:
        await tables.ensure(conn, list(tables_of("stripe").values()))
        row = await (await conn.execute(query, [events])).fetchone()
    listed = (await site.api.get("/rejected-records")).json()
    retried = await site.api.post(f"/rejected-records/{row['id']}/retry")

    assert [(one["id"], one["reason"], one["beginning"]) for one in listed["items"]] == [
        (str(row["id"]), "it has no id", "[]")
    ]
    assert (retried.status_code, retried.json()) == (202, {"id": str(row["id"]), "stored": False})
    assert (await site.api.post(f"/rejected-records/{uuid.uuid4()}/retry")).status_code == 404
