"""Make the control tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True, comment="Null while it is not yet known."),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False, comment="The path's template: names of values, no values."),
        sa.Column("status", sa.Integer(), nullable=True, comment="Null: there was no answer."),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="api_request_pkey"),
        schema="syncline",
        comment="One request to a provider; never its query, headers or bodies.",
    )
    op.create_index("api_request_at_idx", "api_request", ["at"], unique=False, schema="syncline")
    op.create_index("api_request_connector_at_idx", "api_request", ["connector", "at"], unique=False, schema="syncline")
    op.create_table(
        "connection",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="The host product's own id of the user."),
        sa.Column("external_account_id", sa.Text(), nullable=False, comment="The provider's id of the account."),
        sa.Column("mode", sa.Text(), nullable=False, comment="live or test: some providers have two kinds of keys."),
        sa.Column("account", sa.Text(), nullable=False, comment="The account's name, as people know it."),
        sa.Column("state", sa.Text(), nullable=False, comment="active, paused, needs_reconnect or disconnected."),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column(
            "credentials", sa.Text(), nullable=True, comment="Encrypted, and bound to this row; null: forgotten."
        ),
        sa.Column(
            "epoch",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Raised to fence off earlier runs.",
        ),
        sa.Column(
            "change_seq",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="The last change_seq committed.",
        ),
        sa.Column(
            "full_due",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The next run is to be a full sync.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="For the end user: what is wrong and what to do."),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode IN ('live', 'test')", name=op.f("connection_mode_check")),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'needs_reconnect', 'disconnected')", name=op.f("connection_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name="connection_pkey"),
        sa.UniqueConstraint(
            "connector",
            "user_id",
            "external_account_id",
            "mode",
            name="connection_connector_user_id_external_account_id_mode_key",
        ),
        schema="syncline",
        comment="One user's authorised account with one connector.",
    )
    op.create_table(
        "rate_bucket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "free_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the next block may be asked for.",
        ),
        sa.Column(
            "paused_until",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The provider said to wait until then.",
        ),
        sa.PrimaryKeyConstraint("name", name="rate_bucket_pkey"),
        schema="syncline",
        comment="Whose turn it is at a provider's rate limit, in all processes.",
    )
    op.create_table(
        "full_read",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "start_seq", sa.BigInteger(), nullable=False, comment="The connection's change_seq before the first page."
        ),
        sa.Column(
            "change_cursor",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="The change feed's place before the first page; the next incremental starts there.",
        ),
        sa.Column(
            "confirm_deletes",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A person said that absence is to be believed.",
        ),
        sa.Column("phase", sa.Text(), server_default=sa.text("'reading'"), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("phase IN ('reading', 'retiring')", name=op.f("full_read_phase_check")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="full_read_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="full_read_pkey"),
        sa.UniqueConstraint("connection_id", "stream", name="full_read_connection_id_stream_key"),
        schema="syncline",
        comment="A full read of one stream that is not finished; it may span several runs.",
    )
    op.create_table(
        "read_mark",
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="read_mark_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "stream", "key", name="read_mark_pkey"),
        schema="syncline",
        comment="Reads by id and deletions that changed no row; kept a day, against older pages.",
    )
    op.create_index("read_mark_at_idx", "read_mark", ["at"], unique=False, schema="syncline")
    op.create_index(
        "read_mark_connection_id_stream_seq_idx",
        "read_mark",
        ["connection_id", "stream", "seq"],
        unique=False,
        schema="syncline",
    )
    op.create_table(
        "rejected_record",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True, comment="Null where the record has none."),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column(
            "digest", postgresql.BYTEA(), nullable=False, comment="SHA-256 of the body: the same junk is kept once."
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("first_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="rejected_record_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="rejected_record_pkey"),
        sa.UniqueConstraint(
            "connection_id", "stream", "digest", name="rejected_record_connection_id_stream_digest_key"
        ),
        schema="syncline",
        comment="Records that could not be stored at all, as received, and why.",
    )
    op.create_table(
        "reread",
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="reread_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "stream", "key", name="reread_pkey"),
        schema="syncline",
        comment="Records to be read again by id: somebody else wrote them while they were read.",
    )
    op.create_table(
        "sync_run",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("flow_run_id", sa.UUID(), nullable=True, comment="Prefect's id of the flow run that did it."),
        sa.Column("mode", sa.Text(), nullable=False, comment="full, incremental or webhook."),
        sa.Column("trigger", sa.Text(), nullable=False, comment="schedule, manual, api, cli or webhook."),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="Null while running; done, continued, skipped, needs_confirmation, failed or crashed.",
        ),
        sa.Column(
            "epoch", sa.BigInteger(), nullable=False, comment="The connection's epoch that this run may write under."
        ),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Per stream: read, written, unchanged, deleted, rejected, altered.",
        ),
        sa.Column(
            "progress", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="Per stream, while it runs."
        ),
        sa.Column(
            "notes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="Sentences about this run.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="For the end user: what went wrong and what to do."),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.CheckConstraint("mode IN ('full', 'incremental', 'webhook')", name=op.f("sync_run_mode_check")),
        sa.CheckConstraint(
            "outcome IN ('done', 'continued', 'skipped', 'needs_confirmation', 'failed', 'crashed')",
            name=op.f("sync_run_outcome_check"),
        ),
        sa.CheckConstraint(
            "trigger IN ('schedule', 'manual', 'api', 'cli', 'webhook')", name=op.f("sync_run_trigger_check")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="sync_run_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="sync_run_pkey"),
        schema="syncline",
        comment="One sync of one connection: what it did and how it ended.",
    )
    op.create_index(
        "sync_run_connection_id_idx",
        "sync_run",
        ["connection_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="syncline",
    )
    op.create_index(
        "sync_run_ended_at_idx",
        "sync_run",
        ["ended_at"],
        unique=False,
        schema="syncline",
        postgresql_include=["connection_id", "outcome"],
    )
    op.create_index(
        "sync_run_outcome_idx", "sync_run", ["connection_id", "outcome", "ended_at"], unique=False, schema="syncline"
    )
    op.create_index(
        "sync_run_open_idx",
        "sync_run",
        ["connection_id"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "sync_state",
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="Where the change feed goes on."
        ),
        sa.Column(
            "available",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False: the credentials may not read it; rows stay.",
        ),
        sa.Column("unavailable_reason", sa.Text(), nullable=True),
        sa.Column(
            "last_full_sync",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When everything had last been read.",
        ),
        sa.Column(
            "last_sync",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When it was last known to be up to date.",
        ),
        sa.Column(
            "rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Live rows: those without a tombstone.",
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="sync_state_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "stream", name="sync_state_pkey"),
        schema="syncline",
        comment="How far each stream of a connection has come.",
    )
    op.create_table(
        "full_read_part",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("full_read_id", sa.UUID(), nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["full_read_id"], ["syncline.full_read.id"], name="full_read_part_full_read_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="full_read_part_pkey"),
        schema="syncline",
        comment="A slice of a full read, with its own checkpoint.",
    )
    op.create_index(
        "full_read_part_full_read_id_idx", "full_read_part", ["full_read_id"], unique=False, schema="syncline"
    )
    op.create_table(
        "seen",
        sa.Column("full_read_id", sa.UUID(), nullable=False),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="The connection's change_seq when the page was written."
        ),
        sa.Column(
            "keys",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="The page's keys whose rows were equal already.",
        ),
        sa.ForeignKeyConstraint(
            ["full_read_id"], ["syncline.full_read.id"], name="seen_full_read_id_fkey", ondelete="CASCADE"
        ),
        schema="syncline",
        comment="Keys that a full read saw and found unchanged, a row per page.",
    )
    op.create_index("seen_full_read_id_seq_idx", "seen", ["full_read_id", "seq"], unique=False, schema="syncline")
