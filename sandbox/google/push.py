"""Calendar channels and Gmail watches, and what is delivered by them.

https://developers.google.com/workspace/calendar/api/guides/push
https://developers.google.com/workspace/gmail/api/guides/push
"""

import base64
import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.courier import Courier, checked
from sandbox.google.accounts import Account, Announced
from sandbox.google.calendars import VIRTUAL
from sandbox.google.errors import Failed, required
from sandbox.google.signing import ISSUER, sign

if TYPE_CHECKING:
    from sandbox.google.calls import Call, World

LONGEST_CHANNEL = 30 * 86_400
USUAL_CHANNEL = 7 * 86_400
WATCH_SECONDS = 7 * 86_400
ONE_A_SECOND = 1.0
"""Gmail notifies of one user at most so often; what comes sooner is dropped."""


@dataclass(slots=True)
class Channel:
    """One channel of the Calendar API."""

    id: str
    email: str
    calendar_id: str | None
    """None: the list of calendars."""
    address: str
    token: str
    resource_id: str
    resource_uri: str
    expires_at: float
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)


@dataclass(slots=True)
class Topic:
    """A Pub/Sub topic, and the push subscription to it."""

    name: str
    url: str = ""
    audience: str = ""
    service_account: str = "push@sandbox.iam.gserviceaccount.com"


class Push:
    """Everything that this Google pushes."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.channels: dict[str, Channel] = {}
        self.watches: dict[str, float] = {}
        """Until when each mailbox is watched."""
        self.topic = Topic("projects/sandbox/topics/mail")
        self.lifetime: float | None = None
        """How long a channel or watch lives, if less than Google's own."""
        self._told: dict[str, float] = {}

    def announced(self, account: Account, what: Announced) -> None:
        """Something of an account's has changed."""
        if what.service == "gmail":
            self._mail(account)
            return
        calendar_id = what.id.partition(" ")[0] if what.stream == "events" else None
        now = account.clock.now()
        for channel in list(self.channels.values()):
            of_list = calendar_id is None and channel.calendar_id is None and channel.email == account.email
            if (of_list or (calendar_id and channel.calendar_id == calendar_id)) and channel.expires_at > now:
                self._tell(channel, "exists")

    def open(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        self._tell(channel, "sync")

    def _tell(self, channel: Channel, state: str) -> None:
        number = next(channel.numbers) + 1
        headers = {
            "X-Goog-Channel-Id": channel.id,
            "X-Goog-Channel-Token": channel.token,
            "X-Goog-Channel-Expiration": formatdate(channel.expires_at, usegmt=True),
            "X-Goog-Resource-Id": channel.resource_id,
            "X-Goog-Resource-URI": channel.resource_uri,
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(number),
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        }
        self.courier.send(channel.email, f"{channel.id}:{number}", channel.address, b"", sign=lambda _: headers)

    def _mail(self, account: Account) -> None:
        now = account.clock.now()
        if self.watches.get(account.email, 0.0) <= now or now - self._told.get(account.email, 0.0) < ONE_A_SECOND:
            return
        self._told[account.email] = now
        self.notify(account.email, account.mailbox.history_id)

    def notify(self, email: str, history_id: int | str) -> None:
        """The mailbox has come to that place in its history."""
        if not self.topic.url:
            return
        data = orjson.dumps({"emailAddress": email, "historyId": int(history_id)})
        message_id = str(secrets.randbelow(10**16))
        told = {"data": base64.b64encode(data).decode(), "messageId": message_id, "message_id": message_id}
        told |= {"publishTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        body = orjson.dumps({"message": told, "subscription": "projects/sandbox/subscriptions/mail"})

        def headers(_: int) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {self._identity()}", "Content-Type": "application/json"}

        self.courier.send(email, message_id, self.topic.url, body, sign=headers)

    def _identity(self) -> str:
        now, email = int(time.time()), self.topic.service_account
        claims = {"aud": self.topic.audience or self.topic.url, "azp": "1", "email": email, "email_verified": True}
        return sign(claims | {"iss": ISSUER, "sub": "1", "iat": now, "exp": now + 3600})


def watch_events(call: "Call") -> bytes:
    """`events.watch`."""
    calendar = call.world.calendars.find(call.account, call.path["calendarId"])
    if calendar.id.endswith(VIRTUAL):
        message = "Push notifications are not supported by this resource."
        raise Failed(400, "pushNotSupportedForRequestedResource", message)
    return _watch(call, calendar.id, f"calendars/{calendar.id}/events")


def watch_list(call: "Call") -> bytes:
    """`calendarList.watch`."""
    return _watch(call, None, "users/me/calendarList")


def _watch(call: "Call", calendar_id: str | None, resource: str) -> bytes:
    push, body = call.world.push, call.body
    for name in ("id", "address", "type"):
        if not body.get(name):
            raise required(name)
    if body["type"] not in ("web_hook", "webhook"):
        raise Failed(400, "channelTypeInvalid", "Unknown channel type.")
    if body["id"] in push.channels:
        raise Failed(400, "channelIdNotUnique", f"Channel id {body['id']} not unique")
    now = call.account.clock.now()
    wanted = float(body.get("expiration") or (now + USUAL_CHANNEL) * 1000) / 1000
    longest = now + (push.lifetime or LONGEST_CHANNEL)
    channel = Channel(
        id=str(body["id"]),
        email=call.account.email,
        calendar_id=calendar_id,
        address=checked(str(body["address"])),
        token=str(body.get("token") or ""),
        resource_id=secrets.token_urlsafe(18),
        resource_uri=f"https://www.googleapis.com/calendar/v3/{resource}?alt=json",
        expires_at=min(wanted, longest),
    )
    push.open(channel)
    told = {"kind": "api#channel", "id": channel.id, "resourceId": channel.resource_id}
    told |= {"resourceUri": channel.resource_uri, "token": channel.token}
    return orjson.dumps(told | {"expiration": str(int(channel.expires_at * 1000))})


def stop(call: "Call") -> bytes:
    """`channels.stop`."""
    found = call.world.push.channels.get(call.body.get("id") or "")
    if found is None or found.resource_id != call.body.get("resourceId") or found.email != call.account.email:
        raise Failed(404, "channelUnknown", f"Channel '{call.body.get('id')}' not found for project")
    del call.world.push.channels[found.id]
    return b""


def watch_mail(call: "Call") -> bytes:
    """`users.watch`."""
    push, account = call.world.push, call.account
    if call.body.get("topicName") != push.topic.name:
        raise Failed(400, "invalidArgument", "Invalid topicName does not match projects/sandbox/topics/*")
    expires_at = account.clock.now() + (push.lifetime or WATCH_SECONDS)
    push.watches[account.email] = expires_at
    if push.topic.url:
        push.notify(account.email, account.mailbox.history_id)
    return orjson.dumps({"historyId": str(account.mailbox.history_id), "expiration": str(int(expires_at * 1000))})


def stop_mail(call: "Call") -> bytes:
    """`users.stop`."""
    call.world.push.watches.pop(call.account.email, None)
    return b""


def control(world: "World", account: Account, call: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """`webhooks {url?, audience?, service_account?, lifetime?}`, `webhooks/channels`, and what a courier is told."""
    push = world.push
    if call == "webhooks":
        topic = push.topic
        topic.url = checked(body["url"]) if body.get("url") else topic.url
        topic.audience = body.get("audience", topic.audience)
        topic.service_account = body.get("service_account", topic.service_account)
        push.lifetime = body.get("lifetime", push.lifetime)
        return {"topic": topic.name, "service_account": topic.service_account}
    if call == "webhooks/channels":
        mine = [one for one in push.channels.values() if one.email == account.email]
        shown = [{"id": one.id, "calendar": one.calendar_id, "expires_at": one.expires_at} for one in mine]
        return {"items": shown, "watched_until": push.watches.get(account.email)}
    return push.courier.control(account.email, call.removeprefix("webhooks/"), body)
