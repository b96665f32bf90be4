"""What the streams say is pushed of them is what their connectors make of it."""

import json
from fnmatch import fnmatch

import pytest

from connectors.registry import get
from connectors.slack.events import meaning_of
from connectors.stripe.hints import read_events
from sandbox.stripe.kinds import KINDS

FIELDS = {
    "channel": "C1",
    "old_channel_id": "C1",
    "new_channel_id": "C2",
    "user": "U1",
    "ts": "1795601007.546145",
    "event_ts": "1795601007.546145",
    "channel_type": "channel",
}


@pytest.mark.parametrize("stream", [stream.name for stream in get("slack").streams])
def test_events_of_slack_lead_to_their_stream(stream):
    """Each event that a stream names touches it, or carries a record of it."""
    for name in get("slack").stream(stream).told_by:
        event = {**FIELDS, "type": name.partition(".")[0]}
        meaning = meaning_of(json.dumps({"type": "event_callback", "event": event}).encode())
        found = {touched for touched, _ in meaning.touched} | {told.stream for told in meaning.told}
        assert found == {stream}, name


@pytest.mark.parametrize("kind", [KINDS[stream.name] for stream in get("stripe").streams], ids=lambda kind: kind.stream)
def test_events_of_stripe_lead_to_their_stream(kind):
    """What the provider calls a change of an object is a name that the object's stream says, and touches it."""
    event = {"id": "evt_1", "created": 1, "data": {"object": {"id": "x_1", "object": kind.object}}}
    (read,) = read_events([json.dumps(event).encode()])

    assert read.touches[0] == (kind.stream, "x_1")
    assert any(fnmatch(f"{kind.event}.updated", one) for one in get("stripe").stream(kind.stream).told_by)
