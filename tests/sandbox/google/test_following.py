"""A plain client that follows the documented rules ends with what is there, whatever happens meanwhile."""

import random

import pytest

SEEDS = range(4)


def merge(known, event):
    """The event over what was known; of a cancelled series the exceptions are cancelled too."""
    if event["status"] != "cancelled":
        known[event["id"]] = event
        return
    known.pop(event["id"], None)
    for key in [key for key, found in known.items() if found.get("recurringEventId") == event["id"]]:
        del known[key]


@pytest.mark.parametrize("seed", SEEDS)
def test_sync_tokens_lead_to_the_truth(calendar, google, seed):
    """With changes between any two requests."""
    rng = random.Random(seed)
    known, token = {}, None
    for round_ in range(5):
        page, params = {}, {"syncToken": token} if token else {"showDeleted": True}
        while "nextSyncToken" not in page:
            google.shake(seed * 100 + rng.randrange(10**6), rng.randrange(4) if round_ < 4 else 0, service="calendar")
            asked = params | {"pageToken": page.get("nextPageToken")}
            page = calendar.events().list(calendarId="primary", maxResults=3, **asked).execute()
            for event in page["items"]:
                merge(known, event)
        token = page["nextSyncToken"]

    page = calendar.events().list(calendarId="primary", maxResults=3, syncToken=token).execute()
    assert page["items"] == []
    assert known == {key: event for (_, key), event in google.truth("events", cancelled=False).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_history_leads_to_the_truth(gmail, google, seed):
    """From the profile's history id before the first page, with changes between any two requests."""
    rng = random.Random(seed)
    google.load(messages=10, seed=seed)
    since = gmail.users().getProfile(userId="me").execute()["historyId"]
    known, page = {}, {}

    def shake(most):
        google.shake(seed * 100 + rng.randrange(10**6), rng.randrange(most), service="gmail")

    while not page or "nextPageToken" in page:
        shake(4)
        asked = {"includeSpamTrash": True, "maxResults": 3, "pageToken": page.get("nextPageToken")}
        page = gmail.users().messages().list(userId="me", **asked).execute()
        known |= {row["id"]: None for row in page.get("messages", [])}
    for last in (False, False, True):
        if not last:
            shake(6)
        page = {}
        while not page or "nextPageToken" in page:
            asked = {"startHistoryId": since, "maxResults": 2, "pageToken": page.get("nextPageToken")}
            page = gmail.users().history().list(userId="me", **asked).execute()
            for record in page.get("history", []):
                known |= {row["message"]["id"]: None for row in record.get("messagesAdded", [])}
                for row in record.get("messagesDeleted", []):
                    known.pop(row["message"]["id"], None)
        since = page["historyId"]

    assert set(known) == set(google.truth("messages"))
