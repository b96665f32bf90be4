"""Google says "too many requests" with a 403 or a 429; other refusals with a 403 are about permission."""

import json

import pytest

NARROW = json.dumps({name: {"units": 400, "per_seconds": 1} for name in ("user", "project")})


@pytest.mark.parametrize("status", [403, 429])
async def test_limits_in_force(status, mail_sync, mail_copies, google):
    """More than the minute allows: the sync waits, loses nothing, and takes no refusal for an answer."""
    google.load(messages=200)
    google.settings(limits=True, minute=2.0, user={"gmail": 600}, limit_status=status)

    await mail_sync(SYNCLINE_GMAIL_RATE_LIMITS=json.dumps({"user": {"units": 20_000, "per_seconds": 1}}))

    assert [asked for asked in google.requests() if asked["status"] == status]
    mail_copies.hold()


async def test_units_are_counted(mail_sync, mail_copies, google):
    """Within our own count of units Google never has to refuse anything."""
    google.load(messages=100)
    google.settings(limits=True, minute=1.0, user={"gmail": 420}, project={"gmail": 420})

    await mail_sync(SYNCLINE_GMAIL_RATE_LIMITS=NARROW)

    assert {asked["status"] for asked in google.requests()} == {200}
    mail_copies.hold()


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded"])
async def test_reasons_for_slowing_down(reason, mail_sync, mail_copies, google):
    """A refusal with either reason is waited out; nothing becomes unavailable."""
    google.load(messages=30)
    google.fault("error", "users.messages.get", after=5, times=4, status=403, reason=reason, domain="usageLimits")

    await mail_sync()

    assert mail_copies.state()["available"] is True
    mail_copies.hold()


async def test_a_refusal_for_want_of_permission(mail_sync, mail_copies, google):
    """Messages become unavailable and keep their rows, labels go on; once it is permitted again all is made up for."""
    google.load(messages=30)
    await mail_sync()
    before = mail_copies.rows()
    google.delete_message(next(iter(before)))
    google.create_label("Bills")
    for call in ("users.messages.list", "users.messages.get", "users.history.list"):
        google.fault("error", call, times=None, status=403, reason="insufficientPermissions")

    await mail_sync(None, full=True)

    assert mail_copies.rows() == before
    state = mail_copies.state()
    assert state["available"] is False
    assert "permission" in state["unavailable_reason"]
    mail_copies.hold("labels")
    google.lift()
    await mail_sync()
    assert mail_copies.state()["available"] is True
    mail_copies.hold()


async def test_a_scope_that_was_not_granted(mail_sync, mail_copies, mail_connection, google, rows):
    """Without the permission to read, nothing is asked for, every row stays, and both streams say why."""
    google.load(messages=30)
    await mail_sync()
    before = mail_copies.rows()
    compose = "https://www.googleapis.com/auth/gmail.compose"
    rows("UPDATE syncline.connection SET scopes = ARRAY[%s] WHERE id = %s", [compose, mail_connection])
    google.forget_ledger()

    await mail_sync(None)

    assert google.requests("users.messages.list") + google.requests("users.history.list") == []
    assert mail_copies.rows() == before
    for stream in ("messages", "labels"):
        assert "without permission" in mail_copies.state(stream)["unavailable_reason"]


async def test_errors_of_googles_own(mail_sync, mail_copies, google):
    """Errors as HTML, and answers that are cut short, are asked for again; the sync is as if there had been none."""
    google.load(messages=40)
    for kind, after in (("html", 3), ("cut_gzip", 9), ("drop", 15), ("reset_before", 21)):
        google.fault(kind, "users.messages.get", after=after, times=2, status=503)
    google.fault("status", "users.messages.list", status=500)
    google.fault("cut_gzip", "users.labels.list")

    await mail_sync()

    mail_copies.hold()
