"""The change feed no longer reaches back to where the last sync stopped."""

DAY = 86_400
STREAMS = ["customers", "products"]


async def test_thirty_days_later(sync, stripe, invariants, rows):
    """The next sync reads in full by itself, says so in its run, and finds what happened in the gap."""
    stripe.load("customers", 250)
    stripe.load("products", 20)
    await sync(streams=STREAMS)
    customers = sorted(stripe.truth("customers"))
    stripe.update("customers", customers[0], name="Ada Lovelace")
    stripe.delete("customers", customers[1])
    stripe.create("products")
    stripe.settings(skew=30 * DAY + 60)

    result = await sync(streams=STREAMS)

    assert result["streams"]["customers"] | {"unchanged": 0} == {
        "read": 249, "written": 1, "unchanged": 0, "deleted": 1, "rejected": 0, "altered": 0
    }  # fmt: skip
    [run] = rows("SELECT mode, notes FROM syncline.sync_run ORDER BY started_at DESC LIMIT 1")
    assert any("has to be read in full" in note for note in run["notes"])
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
    stripe.update("customers", customers[2], name="Grace Hopper")
    assert (await sync(streams=STREAMS))["streams"]["customers"]["read"] == 1
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)


async def test_one_stream_that_was_left_behind(sync, stripe, invariants, rows):
    """Only the stream whose cursor is too old is read in full; the others go on by their changes."""
    stripe.load("customers", 120)
    stripe.load("products", 120)
    await sync(streams=STREAMS)
    rows("""
        UPDATE syncline.sync_state
           SET cursor = jsonb_build_object('at', (cursor->>'at')::bigint - 2592000, 'seen', '{}'::jsonb)
         WHERE stream = 'products'
    """)
    stripe.update("customers", min(stripe.truth("customers")), name="Ada Lovelace")
    stripe.update("products", min(stripe.truth("products")), event=False, name="Left behind")

    result = await sync(streams=STREAMS)

    assert (result["streams"]["customers"]["read"], result["streams"]["products"]["read"]) == (1, 120)
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
