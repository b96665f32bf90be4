"""The floor for webhooks: one FastAPI route that verifies an HMAC and inserts one row. `DATABASE_URL SECRET`."""

import hashlib
import hmac
import socket
import sys
from contextlib import asynccontextmanager
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request, Response
from psycopg_pool import AsyncConnectionPool

TABLE = "CREATE TABLE IF NOT EXISTS bare (id text PRIMARY KEY, body bytea NOT NULL, at timestamptz DEFAULT now())"


def main():
    url, secret = sys.argv[1:]
    pool = AsyncConnectionPool(url, min_size=4, max_size=12, open=False, kwargs={"autocommit": True})

    @asynccontextmanager
    async def lifespan(_):
        async with pool:
            async with pool.connection() as conn:
                await conn.execute(TABLE)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhook")
    async def receive(request: Request):
        body = await request.body()
        at, _, given = request.headers["stripe-signature"].partition(",v1=")
        expected = hmac.new(secret.encode(), at.removeprefix("t=").encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, given):
            return Response(status_code=400)
        async with pool.connection() as conn:
            await conn.execute("INSERT INTO bare (id, body) VALUES (%s, %s)", [str(uuid4()), body])
        return Response()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error", ws="none")).run(sockets=[listener])


if __name__ == "__main__":
    main()
