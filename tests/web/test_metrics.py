"""Figures for Prometheus."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from storage import connections, retention, runs
from storage.requests import ApiRequest, store

ROOT = Path(__file__).parents[2]
SHOWN = ("deployments/grafana/syncline.json", "deployments/prometheus/alerts.yaml", "docs/alerts.md")
NAMES = {
    "syncline_sync_runs": ("connector", "mode", "outcome"),
    "syncline_records": ("connector", "stream", "change"),
    "syncline_rejected_records": ("connector", "stream"),
    "syncline_api_requests": ("connector", "status_class"),
    "syncline_rate_limit_wait_seconds": ("connector",),
    "syncline_webhook_events": ("connector", "outcome"),
    "syncline_webhook_oldest_unapplied_seconds": (),
    "syncline_webhook_apply_seconds": ("connector",),
    "syncline_connections": ("connector", "state"),
    "syncline_oldest_success_age_seconds": ("connector",),
    "syncline_alerts": ("kind", "connector"),
    "syncline_build_info": ("version",),
}


async def told(site):
    """Every sample by its name and labels."""
    answer = await site.stranger.get("/metrics", headers={"Authorization": site.api.headers["authorization"]})
    assert answer.status_code == 200, answer.text
    families = list(text_string_to_metric_families(answer.text))
    return answer.text, {family.name: family for family in families}


async def fill(db):
    connection, _ = await connections.upsert(
        db,
        connector="stripe",
        user_id="user-canary",
        account="account-canary",
        name="name-canary",
        mode="live",
        scopes=[],
        credentials={"api_key": "x"},
    )
    async with runs.take_run(db, connection.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "done", {"customers": {"read": 5, "written": 4, "deleted": 1}})
    at = datetime.now(UTC) - timedelta(days=40)
    await store(db, [ApiRequest("stripe", connection.id, "GET", "/v1/x", 200, 3, None, at, waited_ms=1500)] * 3)
    await connections.needs_reconnect(db, connection.id, "reconnect", "Reconnect.")
    return connection


async def test_what_there_is_to_tell(site, db):
    """Every figure has its name and its labels, and no user, account or connection is in any of them."""
    connection = await fill(db)
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.rejected_record (connection_id, connector, stream, reason, body, digest)"
            " VALUES (%s, 'stripe', 'customers', 'r', 'b', 'd')",
            [connection.id],
        )

    text, families = await told(site)

    assert set(families) == set(NAMES)
    for name, family in families.items():
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(NAMES[name]), sample
    for canary in ("user-canary", "account-canary", "name-canary", str(connection.id)):
        assert canary not in text
    assert 'syncline_sync_runs_total{connector="stripe",mode="full",outcome="done"} 1.0' in text
    assert 'syncline_records_total{change="written",connector="stripe",stream="customers"} 4.0' in text
    assert 'syncline_rate_limit_wait_seconds_total{connector="stripe"} 4.5' in text
    assert 'syncline_connections{connector="stripe",state="needs_reconnect"} 1.0' in text
    assert 'syncline_alerts{connector="stripe",kind="needs_reconnect"} 1.0' in text


async def test_forgetting_lowers_no_total(site, db):
    """What retention deletes stays counted."""
    await fill(db)
    before, _ = await told(site)

    gone = await retention.prune(db)

    after, _ = await told(site)
    line = 'syncline_api_requests_total{connector="stripe",status_class="2xx"} 3.0'
    assert gone["api_request"] == 3
    assert line in before
    assert line in after


async def test_only_with_the_token(site):
    """Without the admin token there are no figures; a cookie is none."""
    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": "syncline_session=x"}):
        assert (await site.stranger.get("/metrics", headers=headers)).status_code == 401


def test_what_is_drawn_and_ruled_exists():
    """The dashboard, the rules and the documents name figures that there are, and the documents name all of them."""
    for path in SHOWN:
        text = (ROOT / path).read_text()
        named = {name for name in re.findall(r"\bsyncline_[a-z_]+", text) if name != "syncline_admin_token"}
        known = {re.sub(r"_(total|bucket)$", "", name) for name in named}
        assert known <= set(NAMES), path
    assert known == set(NAMES)
    rules = yaml.safe_load((ROOT / SHOWN[1]).read_text())["groups"][0]["rules"]
    assert all({"alert", "expr", "annotations"} <= set(rule) for rule in rules)


def test_every_alert_has_a_runbook():
    """Each kind of alert has its place in the documents, and no other has."""
    from storage.alerts import KINDS

    runbook = (ROOT / "docs/alerts.md").read_text().partition("## Runbook")[2].partition("## Metrics")[0]

    assert set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE)) == set(KINDS)
