"""A new encryption key under load: at no moment is there a row that a reader cannot decrypt.

1. The new key goes in front of the old ones in the file (a key from SYNCLINE_ENCRYPTION_KEYS stands there already).
2. Everybody who had looked at the keys before that has committed.
3. Rows are encrypted anew one by one, each only if it is still what was read.
4. When no row needs an old key, the file keeps the new one alone.

Killed between any two steps it can be run again: every key that a row needs is still there.
"""

from uuid import UUID

from storage import keys
from storage.credentials import is_newest, seal, unseal
from storage.database import Database
from storage.errors import KeysUnusable
from storage.locks import keys_left, one_rotation

SEALED = "SELECT id, credentials FROM syncline.connection WHERE credentials IS NOT NULL ORDER BY id"
REPLACE = "UPDATE syncline.connection SET credentials = %s WHERE id = %s AND credentials = %s"


async def rotate(db: Database) -> int:
    """All stored credentials are encrypted with the first key; how many had to be encrypted anew.

    KeysUnusable, with every key still in its place, when there are credentials that no key opens.
    """
    async with db.session() as session:
        await one_rotation(session)
        await _refuse_unreadable(db)
        if keys.are_kept_here():
            keys.write_file([keys.generate(), *(keys.read_file() if keys.exist() else [])])
        async with db.transaction() as conn:
            await keys_left(conn)
        count = 0
        while old := [row for row in await _sealed(db) if not is_newest(row[1])]:
            for connection_id, ciphertext in old:
                count += await _encrypt_anew(db, connection_id, ciphertext)
        if keys.are_kept_here():
            keys.write_file(keys.read_file()[:1])
        return count


async def _refuse_unreadable(db: Database) -> None:
    unreadable = [row[0] for row in await _sealed(db) if not _opens(*row)]
    if unreadable:
        raise KeysUnusable(
            f"No key here opens the credentials of {len(unreadable)} connection(s), {unreadable[0]} among them.",
            "Put the missing key back, or reconnect or disconnect them; then rotate again.",
        )


def _opens(connection_id: UUID, ciphertext: str) -> bool:
    try:
        unseal(connection_id, ciphertext)
    except KeysUnusable:
        return False
    return True


async def _sealed(db: Database) -> list[tuple[UUID, str]]:
    async with db.connection() as conn:
        return [(row["id"], row["credentials"]) async for row in await conn.execute(SEALED)]


async def _encrypt_anew(db: Database, connection_id: UUID, ciphertext: str) -> int:
    """1, or 0 when somebody has replaced the row since: then it is new enough, or looked at again."""
    async with db.connection() as conn:
        anew = seal(connection_id, unseal(connection_id, ciphertext))
        return (await conn.execute(REPLACE, [anew, connection_id, ciphertext])).rowcount
