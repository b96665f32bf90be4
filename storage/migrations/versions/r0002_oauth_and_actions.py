"""Make room for OAuth and actions: connect sessions, actions, grants, and what of a stream cannot be read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _widen()
    _make()


def _widen() -> None:
    op.add_column(
        "connection",
        sa.Column(
            "grant_key",
            sa.Text(),
            nullable=True,
            comment="What a revocation would end: connections that share it rest on one grant.",
        ),
        schema="syncline",
    )
    op.add_column(
        "connection",
        sa.Column(
            "renewal_failed_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When the access token could last not be renewed; it is not asked for at once again.",
        ),
        schema="syncline",
    )
    op.add_column(
        "connection",
        sa.Column(
            "signed_in_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When its user last gave what opens the account.",
        ),
        schema="syncline",
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "coverage",
            postgresql.JSONB(),
            nullable=True,
            comment="What is left out: complete_from, backlog, and what cannot be read, with sentences.",
        ),
        schema="syncline",
    )
    op.add_column(
        "full_read",
        sa.Column(
            "covered",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
            comment="Scopes, such as channels, that were read whole.",
        ),
        schema="syncline",
    )


def _make() -> None:
    op.create_table(
        "connect_session",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False, comment="SHA-256 of the link's secret."),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.UUID(), nullable=True, comment="The connection to be made anew."),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "browser_hash", postgresql.BYTEA(), nullable=True, comment="The browser that pressed the button first."
        ),
        sa.Column(
            "state_hash",
            postgresql.BYTEA(),
            nullable=True,
            comment="SHA-256 of the state under way; gone when it is used.",
        ),
        sa.Column("verifier", sa.Text(), nullable=True, comment="Encrypted; for the exchange of the code."),
        sa.Column("redirect_uri", sa.Text(), nullable=True),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True, comment="connected, denied or failed; null while it is open."),
        sa.Column("error", sa.Text(), nullable=True, comment="For the user: why it failed."),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("result_connection_id", sa.UUID(), nullable=True, comment="The connection that came of it."),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="connect_session_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="connect_session_pkey"),
        sa.UniqueConstraint("state_hash", name="connect_session_state_hash_key"),
        sa.UniqueConstraint("token_hash", name="connect_session_token_hash_key"),
        schema="syncline",
        comment="A single-use link with which a user connects an account.",
    )
    op.create_index(
        "connect_session_expires_at_idx", "connect_session", ["expires_at"], unique=False, schema="syncline"
    )
    op.create_table(
        "action",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "idempotency_key_hash",
            postgresql.BYTEA(),
            nullable=False,
            comment="SHA-256 of the key: remembered for ever.",
        ),
        sa.Column(
            "fingerprint",
            postgresql.BYTEA(),
            nullable=False,
            comment="SHA-256 of the body: the same key is for the same body.",
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="sending, succeeded, failed or unknown."),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True, comment="For the end user: why it failed, or what is not known."),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("memo", postgresql.JSONB(), nullable=True, comment="What finding out needs, such as a draft's id."),
        sa.Column("sender", sa.Text(), nullable=True, comment="Who is sending it."),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('sending', 'succeeded', 'failed', 'unknown')", name=op.f("action_status_check")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["syncline.connection.id"], name="action_connection_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="action_pkey"),
        sa.UniqueConstraint(
            "connection_id", "name", "idempotency_key_hash", name="action_connection_id_name_idempotency_key_hash_key"
        ),
        schema="syncline",
        comment="One write to a provider, at most once for each idempotency key.",
    )
    op.create_index("action_created_at_idx", "action", ["created_at"], unique=False, schema="syncline")
    op.create_index(
        "action_open_idx",
        "action",
        ["sent_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index(
        "action_kept_idx",
        "action",
        ["ended_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("result IS NOT NULL OR memo IS NOT NULL"),
    )
