"""The sandbox is never what a measurement measures."""

import time

from sandbox.ledger import Ledger
from sandbox.slack.apps import BOT_SCOPES, App, Registry
from sandbox.slack.arguments import Arguments
from sandbox.slack.calls import Call
from sandbox.slack.loading import load
from sandbox.slack.reading import history
from sandbox.slack.workspace import Workspace


def test_a_page_of_a_long_history_costs_next_to_nothing():
    """20,000 messages, 100 a page: well under a millisecond each, and loaded within seconds."""
    workspace = Workspace("T1", "Acme", Ledger(), seed=1)
    registry = Registry()
    found = registry.install(App("1", "s", "s", "A1", "App"), workspace, BOT_SCOPES)
    channel = workspace.new_channel("general")
    channel.members[found.bot_user] = None
    began = time.process_time()
    load(workspace, [channel], 20_000)
    loading = time.process_time() - began
    token = registry.token(found)

    began, cursor = time.process_time(), ""
    for _ in range(200):
        page = history(Call(registry, token, Arguments(channel=channel.id, limit="100", cursor=cursor)))
        cursor = page.rpartition(b'"next_cursor":"')[2].partition(b'"')[0].decode()
    each = (time.process_time() - began) / 200

    print(f"loading {loading:.2f} s, a page {each * 1000:.3f} ms")
    assert b'"has_more":false' in page
    assert each < 0.001
    assert loading < 20
