"""Google's signing keys on a real socket, and tokens that Pub/Sub might have signed with them, or somebody else."""

import asyncio
import base64
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import KeySet, RSAKey

AUDIENCE, EMAIL = "https://app.example.com/webhooks/gmail", "push@project.iam.gserviceaccount.com"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
ANOTHER = RSAKey.generate_key(2048, {"kid": "one"}, private=True)


@dataclass
class Keys:
    """Answers with `answer`, the bytes of a whole answer or a coroutine that is given the writer; `asked` counts."""

    url: str = ""
    asked: int = 0
    answer: object = None
    paths: list = field(default_factory=list)

    async def talk(self, reader, writer):
        self.paths.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
        self.asked += 1
        try:
            if callable(self.answer):
                await self.answer(writer)
            else:
                writer.write(self.answer)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def served(*keys, status=b"200 OK", body=None):
    """An answer with the public halves of these keys, or with any body."""
    body = json.dumps(KeySet(keys).as_dict(private=False)).encode() if body is None else body
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


@asynccontextmanager
async def google_keys(monkeypatch):
    """They are served, and the settings lead to them."""
    keys = Keys(answer=served(KEY))
    server = await asyncio.start_server(keys.talk, "127.0.0.1", 0)
    keys.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("SYNCLINE_GOOGLE_JWKS_URL", f"{keys.url}/certs")
    yield keys
    server.close()


def claims(**others):
    """What Google says of a service account; one that is None is left out."""
    now = int(time.time())
    usual = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": EMAIL, "email_verified": True}
    return {k: v for k, v in (usual | {"iat": now, "exp": now + 600} | others).items() if v is not None}


def signed(said=None, key=KEY, **header):
    """A token with these claims, or with any text in their place."""
    start = f"{part({'alg': 'RS256', 'kid': 'one', 'typ': 'JWT'} | header)}.{part(claims() if said is None else said)}"
    return f"{start}.{part(key.private_key.sign(start.encode(), PKCS1v15(), SHA256()))}"


def part(value):
    """One part of a token."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
