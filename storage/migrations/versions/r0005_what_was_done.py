"""Find what was just done without reading everything that was done before: flow runs by their id, events as applied."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("sync_run_flow_run_id_idx", "sync_run", ["flow_run_id"], unique=False, schema="syncline")
    op.create_index(
        "webhook_event_applied_idx",
        "webhook_event",
        ["applied_at"],
        unique=False,
        schema="syncline",
        postgresql_where=sa.text("status = 'applied'"),
    )
