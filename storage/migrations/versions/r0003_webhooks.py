"""Make room for webhooks: the inbox, channels, alerts, and what was read of late."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _make_inbox()
    _make_channels()
    _make_alerts()
    _make_read_pages()


def _make_inbox() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True, comment="Null: of no account that is connected."),
        sa.Column(
            "provider_event_id",
            sa.Text(),
            nullable=False,
            comment="The provider's id of it, or the SHA-256 of its body where it has none.",
        ),
        sa.Column("event_type", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False, comment="pending, applied, failed or ignored."),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True, comment="For people: why it could not be applied."),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "due_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it may be taken: who takes it moves this a minute on.",
        ),
        sa.Column(
            "said",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="What only headers told, as far as it is needed.",
        ),
        sa.Column("body", postgresql.BYTEA(), nullable=False, comment="As received."),
        sa.CheckConstraint(
            "status IN ('pending', 'applied', 'failed', 'ignored')", name=op.f("webhook_event_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="webhook_event_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="webhook_event_pkey"),
        sa.UniqueConstraint(
            "connector",
            "connection_id",
            "provider_event_id",
            name="webhook_event_key",
            postgresql_nulls_not_distinct=True,
        ),
        schema="syncline",
        comment="The inbox: verified deliveries, stored before they were acknowledged.",
    )
    op.create_index(
        "webhook_event_connection_id_idx",
        "webhook_event",
        ["connection_id", sa.literal_column("received_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="syncline",
    )
    op.create_index(
        "webhook_event_due_idx",
        "webhook_event",
        ["due_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("webhook_event_received_at_idx", "webhook_event", ["received_at"], unique=False, schema="syncline")


def _make_channels() -> None:
    op.create_table(
        "push_channel",
        sa.Column("id", sa.Text(), nullable=False, comment="The channel's id at the provider, made here."),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="What is watched; empty: the whole account."),
        sa.Column("address", sa.Text(), nullable=False, comment="Where the provider delivers to."),
        sa.Column(
            "token_hash",
            postgresql.BYTEA(),
            nullable=False,
            comment="SHA-256 of the secret that deliveries must bring.",
        ),
        sa.Column("resource_id", sa.Text(), nullable=True, comment="The provider's own name of it, for stopping it."),
        sa.Column("state", sa.Text(), nullable=False, comment="active, refused, failed or stopped."),
        sa.Column("error", sa.Text(), nullable=True, comment="For people: why nothing is pushed."),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "tried_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last asked for.",
        ),
        sa.CheckConstraint(
            "state IN ('active', 'refused', 'failed', 'stopped')", name=op.f("push_channel_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="push_channel_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="push_channel_pkey"),
        schema="syncline",
        comment="What a provider was asked to push: a channel or a watch, for each subject such as a calendar.",
    )
    op.create_index(
        "push_channel_connection_id_subject_idx",
        "push_channel",
        ["connection_id", "subject"],
        unique=False,
        schema="syncline",
    )
    op.create_index("push_channel_expires_at_idx", "push_channel", ["expires_at"], unique=False, schema="syncline")


def _make_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="Such as push_expiring."),
        sa.Column("service", sa.Text(), nullable=False, comment="The connector concerned."),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.Column("subject", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False, comment="For people: what is wrong and what to do."),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cleared_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="alert_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="alert_pkey"),
        schema="syncline",
        comment="What somebody should look at; open until it is cleared.",
    )
    op.create_index(
        "alert_open_key",
        "alert",
        ["kind", "service", "connection_id", "subject"],
        unique=True,
        schema="syncline",
        postgresql_where=sa.text("cleared_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("alert_raised_at_idx", "alert", ["raised_at"], unique=False, schema="syncline")


def _make_read_pages() -> None:
    op.create_table(
        "read_page",
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False, comment="What it wrote has a change_seq above this."),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="And up to this."),
        sa.Column(
            "keys", postgresql.ARRAY(sa.Text()), nullable=False, comment="Its keys whose rows were equal already."
        ),
        sa.Column(
            "not_before", sa.Double(), nullable=True, comment="When the provider made it, by its own clock: no earlier."
        ),
        sa.Column("not_after", sa.Double(), nullable=True, comment="And no later."),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="read_page_connection_id_fkey", ondelete="CASCADE"
        ),
        schema="syncline",
        comment="Pages and events that were written of late: what they found unchanged, and how old they were.",
    )
    op.create_index("read_page_at_idx", "read_page", ["at"], unique=False, schema="syncline")
    op.create_index(
        "read_page_connection_id_stream_seq_idx",
        "read_page",
        ["connection_id", "stream", "seq"],
        unique=False,
        schema="syncline",
    )
