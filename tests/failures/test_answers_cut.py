"""Bodies that are cut, empty, of another kind or in another charset."""

STREAMS = ["customers", "invoices"]
KINDS = [
    "cut_length",
    "cut_chunked",
    "cut_gzip",
    "cut_close",
    "empty",
    "html_200",
    "charset",
    "array",
    "not_json",
]


async def test_lists_events_and_single_records_that_come_cut(sync, stripe, invariants, rows):
    """Every kind of cut answer, wherever it strikes, is asked for again: nothing is lost, retired or set aside."""
    stripe.load("customers", 1200)
    for kind in KINDS:
        stripe.fault(kind, "/v1/customers")
    full = await sync(streams=STREAMS)
    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
    assert full["streams"]["customers"] == {
        "read": 1200, "written": 1200, "unchanged": 0, "deleted": 0, "rejected": 0, "altered": 0
    }  # fmt: skip

    changed = sorted(stripe.truth("customers"))[: len(KINDS)]
    for key, kind in zip(changed, KINDS, strict=True):
        stripe.update("customers", key, name="Grace Hopper")
        stripe.fault(kind, "/v1/customers/*")
        stripe.fault(kind, "/v1/events")
    incremental = await sync(streams=STREAMS)

    assert stripe.faults() == []
    assert incremental["streams"]["customers"]["written"] == len(KINDS)
    assert incremental["streams"]["customers"]["deleted"] == 0
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
    assert rows("SELECT * FROM syncline.rejected_record") == []


async def test_a_list_that_stays_cut_ends_in_a_sentence(sync, stripe, invariants):
    """Patience ends, what was read is kept, the other streams are done, and the next sync goes on from there."""
    sync.patience |= {"budget": 0.5}
    stripe.load("customers", 350)
    stripe.load("invoices", 30)
    stripe.fault("cut_gzip", "/v1/customers", after=2, times=None)

    failed = await sync("failed", streams=STREAMS)

    assert failed["error_code"] == "unavailable"
    assert "cut short" in failed["error"]
    assert failed["streams"]["invoices"]["written"] == 30
    kept = len(invariants.stored(sync.connection_id, "customers"))
    assert 0 < kept < 350
    stripe.lift()
    rest = await sync(streams=STREAMS)
    assert rest["streams"]["customers"]["written"] == 350 - kept
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
