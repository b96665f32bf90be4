"""A workspace is copied into Postgres, and stays what it is there."""

LOOKED = "SELECT coverage, cursor FROM syncline.sync_state WHERE stream = 'messages'"


async def test_in_full_and_then_what_changed(slack, slack_sync, copies, rows):
    """Channels, people, messages and replies; then edits, deletions and late replies; an idle sync writes nothing."""
    slack.load(3, 40, replies=3, seed=1, spread=86_400)
    slack.create_channel("secret", private=True)
    slack.post("secret")

    full = await slack_sync()
    copies.hold(slack_sync.connection_id)
    assert full["streams"]["messages"]["written"] == len(copies.truth("messages"))

    for seed in range(4):
        slack.shake(seed=seed, times=10)
        await slack_sync()
        copies.hold(slack_sync.connection_id)
    idle = await slack_sync()
    assert all(not counts["written"] and not counts["deleted"] for counts in idle["streams"].values())
    [state] = rows(LOOKED)
    assert (state["coverage"]["backlog"], state["coverage"]["complete_from"]) == (0, None)

    again = await slack_sync(full=True)
    copies.hold(slack_sync.connection_id)
    assert all(not counts["written"] and not counts["deleted"] for counts in again["streams"].values())
