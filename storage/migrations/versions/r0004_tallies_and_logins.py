"""Make room for the status page: totals that no retention lowers, logins, and which alerts have been told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

# How long an event took from its receipt to its row: each bucket's upper end in seconds.
LAGS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
LAG = "CASE {} ELSE '+Inf' END".format(" ".join(f"WHEN lag <= {top} THEN '{top}'" for top in LAGS))
ANSWERED = "coalesce(status / 100 || 'xx', 'none')"

# Backends that count the same at the same time take different rows, or they would wait for each other's commit.
FUNCTION = """
    CREATE FUNCTION syncline.{name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WITH {counted}
        INSERT INTO syncline.tally AS t (hour, name, connector, labels, shard, n)
        SELECT date_trunc('hour', now(), 'UTC'), name, connector, labels, mod(pg_backend_pid(), 8), sum(n)
          FROM counted WHERE n > 0 GROUP BY name, connector, labels ORDER BY name, connector, labels
        ON CONFLICT (hour, name, connector, labels, shard) DO UPDATE SET n = t.n + excluded.n;
        RETURN NULL;
    END $$
"""

# By the statement, for very many rows at once. A run that is noted again, as one that applies webhooks is, adds what
# its counts have grown by.
RUNS = """
    ended AS (
        {ended}
    ), counted AS (
        SELECT 'runs' AS name, connector, ARRAY[mode, outcome] AS labels, 1::bigint AS n FROM ended WHERE before IS NULL
         UNION ALL
        SELECT 'records', connector, ARRAY[stream.key, change.key],
               change.value::bigint - coalesce((before #>> ARRAY[stream.key, change.key])::bigint, 0)
          FROM ended CROSS JOIN LATERAL jsonb_each(counts) AS stream
         CROSS JOIN LATERAL jsonb_each_text(stream.value) AS change
    )
"""
RUNS_ADDED = RUNS.format(
    ended="""
        SELECT c.connector, a.mode, a.outcome, a.counts, NULL::jsonb AS before
          FROM added AS a JOIN syncline.connection c ON c.id = a.connection_id WHERE a.outcome IS NOT NULL
    """
)
RUNS_CHANGED = RUNS.format(
    ended="""
        SELECT c.connector, a.mode, a.outcome, a.counts, CASE WHEN b.outcome IS NOT NULL THEN b.counts END AS before
          FROM after AS a JOIN before AS b USING (id) JOIN syncline.connection c ON c.id = a.connection_id
         WHERE a.outcome IS NOT NULL
    """
)
REQUESTS = f"""
    counted AS (
        SELECT 'requests' AS name, connector, 1::bigint AS n,
               ARRAY[CASE WHEN status = 429 OR error = 'rate_limited' THEN '429' ELSE {ANSWERED} END] AS labels
          FROM added
         UNION ALL
        SELECT 'waited_ms', connector, waited_ms, '{{}}' FROM added
    )
"""  # noqa: S608 -- of constants alone
EVENTS_ADDED = """
    counted AS (
        SELECT 'events' AS name, connector, ARRAY['received'] AS labels, 1::bigint AS n FROM added
         UNION ALL
        SELECT 'events', connector, ARRAY[status], 1 FROM added WHERE status <> 'pending'
    )
"""
EVENTS_SETTLED = f"""
    settled AS (
        SELECT a.connector, a.status, extract(epoch FROM a.applied_at - a.received_at) AS lag
          FROM after AS a JOIN before AS b USING (id) WHERE a.status <> b.status AND a.status <> 'pending'
    ), counted AS (
        SELECT 'events' AS name, connector, ARRAY[status] AS labels, 1::bigint AS n FROM settled
         UNION ALL
        SELECT 'lag', connector, ARRAY[{LAG}], 1 FROM settled WHERE status = 'applied'
         UNION ALL
        SELECT 'lag_ms', connector, '{{}}', (lag * 1000)::bigint FROM settled WHERE status = 'applied'
    )
"""  # noqa: S608 -- of constants alone
FUNCTIONS = {
    "tally_runs_added": RUNS_ADDED,
    "tally_runs_changed": RUNS_CHANGED,
    "tally_requests": REQUESTS,
    "tally_events_added": EVENTS_ADDED,
    "tally_events_settled": EVENTS_SETTLED,
}

TRIGGERS = (
    """
    CREATE TRIGGER sync_run_tally_added AFTER INSERT ON syncline.sync_run REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION syncline.tally_runs_added()
    """,
    """
    CREATE TRIGGER sync_run_tally_changed AFTER UPDATE ON syncline.sync_run
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION syncline.tally_runs_changed()
    """,
    """
    CREATE TRIGGER api_request_tally AFTER INSERT ON syncline.api_request REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION syncline.tally_requests()
    """,
    """
    CREATE TRIGGER webhook_event_tally_added AFTER INSERT ON syncline.webhook_event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION syncline.tally_events_added()
    """,
    """
    CREATE TRIGGER webhook_event_tally_settled AFTER UPDATE ON syncline.webhook_event
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION syncline.tally_events_settled()
    """,
)


def upgrade() -> None:
    op.add_column(
        "alert",
        sa.Column(
            "told_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When Prefect was told; null: it is still to be told.",
        ),
        schema="syncline",
    )
    op.add_column(
        "api_request",
        sa.Column(
            "waited_ms",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How long it waited for the rate limit before it was sent.",
        ),
        schema="syncline",
    )
    _make_tallies()
    _make_logins()
    _make_indexes()
    _count_what_is_there()
    for name, counted in FUNCTIONS.items():
        op.execute(FUNCTION.format(name=name, counted=counted))
    for trigger in TRIGGERS:
        op.execute(trigger)


def _make_tallies() -> None:
    op.create_table(
        "tally",
        sa.Column("hour", postgresql.TIMESTAMP(timezone=True), nullable=False, comment="-infinity: all before."),
        sa.Column("name", sa.Text(), nullable=False, comment="What is counted."),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False, comment="So that backends do not wait for each other."),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "name", "connector", "labels", "shard", name="tally_pkey"),
        schema="syncline",
        comment="Counts by the hour, kept by triggers: no retention makes a total fall.",
    )


def _make_logins() -> None:
    op.create_table(
        "login_link",
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False, comment="SHA-256 of the link's secret."),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="login_link_pkey"),
        schema="syncline",
        comment="Links that open the status page once.",
    )
    op.create_table(
        "login_session",
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False, comment="SHA-256 of what the cookie holds."),
        sa.Column(
            "voucher",
            postgresql.BYTEA(),
            nullable=False,
            comment="HMAC of the admin token at login: another token ends the session.",
        ),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="login_session_pkey"),
        schema="syncline",
        comment="Browsers that are logged in to the status page.",
    )
    op.create_table(
        "login_try",
        sa.Column("client", sa.Text(), nullable=False, comment="The address it came from."),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        schema="syncline",
        comment="Tries to log in of the last minutes.",
    )
    op.create_index("login_try_client_at_idx", "login_try", ["client", "at"], unique=False, schema="syncline")


def _make_indexes() -> None:
    """What the page looks for among very many rows."""
    op.create_index(
        "sync_run_started_at_idx",
        "sync_run",
        [sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="syncline",
    )
    op.create_index(
        "webhook_event_failed_idx",
        "webhook_event",
        ["received_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index(
        "action_unknown_idx",
        "action",
        ["created_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("status = 'unknown'"),
    )


def _count_what_is_there() -> None:
    """Totals begin with what the earlier release has kept."""
    op.execute(
        """
        INSERT INTO syncline.tally (hour, name, connector, labels, shard, n)
        SELECT timestamptz '-infinity', 'runs', c.connector, ARRAY[r.mode, r.outcome], 0, count(*)
          FROM syncline.sync_run r JOIN syncline.connection c ON c.id = r.connection_id
         WHERE r.outcome IS NOT NULL GROUP BY c.connector, r.mode, r.outcome
         UNION ALL
        SELECT timestamptz '-infinity', 'records', c.connector, ARRAY[stream.key, change.key], 0,
               sum(change.value::bigint)
          FROM syncline.sync_run r JOIN syncline.connection c ON c.id = r.connection_id
         CROSS JOIN LATERAL jsonb_each(r.counts) AS stream
         CROSS JOIN LATERAL jsonb_each_text(stream.value) AS change
         WHERE r.outcome IS NOT NULL GROUP BY c.connector, stream.key, change.key HAVING sum(change.value::bigint) > 0
         UNION ALL
        SELECT timestamptz '-infinity', 'requests', connector,
               ARRAY[CASE WHEN status = 429 THEN '429' ELSE coalesce(status / 100 || 'xx', 'none') END], 0, count(*)
          FROM syncline.api_request GROUP BY 3, 4
         UNION ALL
        SELECT timestamptz '-infinity', 'events', connector, ARRAY['received'], 0, count(*)
          FROM syncline.webhook_event GROUP BY connector
         UNION ALL
        SELECT timestamptz '-infinity', 'events', connector, ARRAY[status], 0, count(*)
          FROM syncline.webhook_event WHERE status <> 'pending' GROUP BY connector, status
        """
    )
