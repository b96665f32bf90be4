"""The floor: what reading pages and keeping them in Postgres costs by hand, with no framework and no promises.

    python -m benchmarks.floor API_URL DATABASE_URL

httpx fetches the next page while the last is written: its bytes are one jsonb parameter, exploded by one statement.
Prints when it was done.
"""

import asyncio
import json
import sys
import time

import httpx
import psycopg

TABLE = """
CREATE TABLE IF NOT EXISTS customers (
    id text PRIMARY KEY, email text, name text, currency text, balance bigint, created timestamptz, raw jsonb NOT NULL)
"""
WRITE = """
INSERT INTO customers
SELECT row->>'id', row->>'email', row->>'name', row->>'currency', (row->>'balance')::bigint,
       to_timestamp((row->>'created')::bigint), row
FROM jsonb_array_elements(%s::jsonb->'data') AS row
ON CONFLICT (id) DO UPDATE
SET email = excluded.email, name = excluded.name, currency = excluded.currency, balance = excluded.balance,
    created = excluded.created, raw = excluded.raw
WHERE customers.raw IS DISTINCT FROM excluded.raw
"""
PAGES_PER_COMMIT = 20


async def fetch(api_url, queue):
    async with httpx.AsyncClient(base_url=api_url, headers={"Authorization": "Bearer sk_live_bench"}) as client:
        after, more = None, True
        while more:
            params = {"limit": 100} | ({"starting_after": after} if after else {})
            body = (await client.get("/v1/customers", params=params)).content
            # The last id and the flag, without parsing the page: a floor knows what it reads.
            start = body.rindex(b'"id": "cus_') + 7
            after = body[start : body.index(b'"', start)].decode()
            more = b'"has_more":true' in body[-100:]
            await queue.put(body)
    await queue.put(None)


async def write(database_url, queue):
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        await conn.execute(TABLE)
        await conn.commit()
        pages = 0
        while (body := await queue.get()) is not None:
            await conn.execute(WRITE, (body.decode(),))
            pages += 1
            if pages % PAGES_PER_COMMIT == 0:
                await conn.commit()
        await conn.commit()


async def main(api_url, database_url):
    queue = asyncio.Queue(8)
    await asyncio.gather(fetch(api_url, queue), write(database_url, queue))
    print(json.dumps({"done": time.time()}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
