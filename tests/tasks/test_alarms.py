"""Prefect hears of every alert, once, also when it was away at first."""

import asyncio
import time

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import automations
from storage import alerts, connections
from tasks.alarms import look_around, tell


@pytest.fixture
async def connection(db):
    found, _ = await connections.upsert(
        db,
        connector="stripe",
        user_id="42",
        account="acct_1",
        name="Acme",
        mode="test",
        scopes=[],
        credentials={"api_key": "x"},
    )
    return found


def events_of(prefect_api, alert_id):
    """What Prefect has stored of that alert."""
    found = prefect_api.call("POST", "/events/filter", filter={"id": {"id": [alert_id]}}).json()["events"]
    return [(event["event"], event["resource"]["prefect.resource.id"], event["payload"]) for event in found]


async def heard(prefect_api, alert_id):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := await asyncio.to_thread(events_of, prefect_api, alert_id):
            return found
        await asyncio.sleep(0.2)
    pytest.fail("Prefect has not heard of it")


async def test_prefect_hears_of_each_once(db, connection, prefect_api):
    """An alert becomes one event of its kind, of its connection, with the sentence; telling again tells nothing."""
    await alerts.raise_once(db, "push_expiring", "stripe", connection.id, "Look at it.")
    [alert] = await alerts.open_alerts(db)

    told = await asyncio.gather(*(tell(db) for _ in range(4)))

    [(event, about, payload)] = await heard(prefect_api, alert["id"])
    assert (event, about) == ("syncline.alert.push_expiring", f"syncline.connection.{connection.id}")
    assert payload["sentence"] == "Look at it."
    assert sum(told) == 1
    assert await tell(db) == 0
    assert len(await heard(prefect_api, alert["id"])) == 1


async def test_what_prefect_did_not_hear_it_hears_later(db, connection, prefect_api):
    """With Prefect away an alert stands in the database all the same; Prefect hears of it when it is back."""
    await alerts.raise_once(db, "push_expiring", "stripe", connection.id, "Look at it.")
    [alert] = await alerts.open_alerts(db)

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert await tell(db) == 0
    assert await tell(db) == 1

    assert await heard(prefect_api, alert["id"])


async def test_whoever_looks_around_tells(db, connection, prefect_api):
    """A connection that was left behind is found and told of in one go."""
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.connection SET signed_in_at = now() - interval '1 day'")

    assert await look_around(db) == 1
    assert await look_around(db) == 0

    [alert] = await alerts.open_alerts(db)
    assert alert["kind"] == "stale"
    [(event, _, _)] = await heard(prefect_api, alert["id"])
    assert event == "syncline.alert.stale"


async def test_the_automation(prefect_api, monkeypatch):
    """Deploying makes an automation that sends alerts on by the block that is named, and changes it in place; a block
    that is not there is named in a sentence.
    """
    from prefect.client.orchestration import get_client

    from deployments.errors import ProblemError

    async def made():
        async with get_client() as client:
            await automations.put_automations(client, ["incremental-sync"], update=False)
            return await client.read_automations_by_name(automations.ALERTS)

    [silent] = await made()
    assert silent.actions[0].type == "do-nothing"

    monkeypatch.setenv("SYNCLINE_ALERT_BLOCK", "slack-webhook/nobody")
    with pytest.raises(ProblemError, match="Prefect has no such block") as refused:
        await made()
    assert "docs/alerts.md" in refused.value.action

    wanted = {"slug": {"any_": ["slack-webhook"]}}
    [kind] = prefect_api.call("POST", "/block_types/filter", block_types=wanted).json()
    [schema] = prefect_api.call(
        "POST", "/block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind["id"]]}}
    ).json()[:1]
    document = prefect_api.call(
        "POST",
        "/block_documents/",
        name="nobody",
        data={"url": "http://127.0.0.1:9/hook"},
        block_schema_id=schema["id"],
        block_type_id=kind["id"],
    ).json()

    [speaking] = await made()
    assert speaking.id == silent.id
    assert str(speaking.actions[0].block_document_id) == document["id"]
