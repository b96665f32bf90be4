"""Postgres has no connection left, or gives none of its own."""


async def test_no_connection_left(sync, stripe, invariants, rows, database_url):
    """With too few connections allowed the sync says so in a sentence, and recovers when there are some."""
    stripe.load("customers", 50)
    name = database_url.split("?")[0].rsplit("/", 1)[1]
    rows("CREATE ROLE few LOGIN CONNECTION LIMIT 1 PASSWORD 'few'")
    try:
        rows(f"GRANT ALL ON DATABASE {name} TO few")
        failed = await sync("failed", streams=["customers"], SYNCLINE_DATABASE_URL=as_role(database_url, "few"))
    finally:
        rows("DROP OWNED BY few")
        rows("DROP ROLE few")

    assert "no free connection left" in failed["error"]
    await sync(streams=["customers"])
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_a_pooler_in_transaction_mode(sync, stripe, rows, transaction_pooler):
    """Where session locks would not hold, a sync does not begin: a sentence says what to set."""
    stripe.load("customers", 50)

    refused = await sync("failed", streams=["customers"], SYNCLINE_DATABASE_URL=transaction_pooler)

    assert "pooler in transaction mode" in refused["error"]
    assert "SYNCLINE_DATABASE_URL" in refused["error"]
    assert rows("SELECT * FROM syncline.sync_run") == []
    assert stripe.requests("/v1/customers") == []


def as_role(url, role):
    """The same database as another user."""
    place = url.split("@", 1)[1]
    return f"postgresql://{role}:{role}@{place}"
