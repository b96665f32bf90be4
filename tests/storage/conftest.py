"""Connections as a person would have made them."""

import pytest

from storage import connections


@pytest.fixture
def connect(db):
    """`await connect(account=…)`: an active connection of that account."""

    async def connect(*, connector="stripe", user_id="user-1", account="acct_1", mode="test", api_key="key-1"):
        connection, _ = await connections.upsert(
            db,
            connector=connector,
            user_id=user_id,
            account=account,
            name=f"Account {account}",
            mode=mode,
            scopes=["read"],
            credentials={"api_key": api_key},
        )
        return connection

    return connect


@pytest.fixture
async def connection(connect):
    """An active connection."""
    return await connect()
