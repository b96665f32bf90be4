"""Google says "too many requests" with a 403; whoever takes it for a refusal loses data."""

import json


async def test_limits_in_force(calendar_sync, calendar_copies, google, monkeypatch):
    """More than the minute allows: the sync waits, loses nothing, and takes no refusal for an answer."""
    google.load(events=1_500)
    google.settings(limits=True, minute=2.0, user={"calendar": 3})
    wide = json.dumps({name: {"units": 50, "per_seconds": 1} for name in ("user", "project")})

    await calendar_sync(SYNCLINE_GOOGLE_CALENDAR_RATE_LIMITS=wide)

    refused = [asked for asked in google.requests() if asked["status"] in (403, 429)]
    assert refused
    calendar_copies.hold()
