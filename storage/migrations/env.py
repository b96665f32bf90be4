"""Alembic's entry: runs the revisions on the connection that `storage.migrate` hands over."""

from typing import Any

from alembic import context

from storage.models import SCHEMA, ControlTable


def is_ours(name: str | None, kind: str, parents: Any) -> bool:
    """The tables of streams are made by storage itself; Alembic looks only at the control tables."""
    del parents
    return kind != "schema" or name == SCHEMA


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ControlTable.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=is_ours,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
