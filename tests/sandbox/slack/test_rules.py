"""What Slack lets whom do, and the words with which it refuses."""

import httpx
import pytest


@pytest.fixture
def bot(slack):
    """The app is installed, without limits in the way; calls are made with its token."""
    slack.unlimited()
    slack.install()
    return slack.call


@pytest.fixture
def general(slack):
    return slack.create_channel("general")["id"]


def ts_of(page):
    return [message["ts"] for message in page["messages"]]


def test_a_call_without_a_good_token(slack, bot):
    """Status 200 all the same."""
    nobody = httpx.get(f"{slack.url}/api/auth.test", trust_env=False, verify=False)

    assert (nobody.status_code, nobody.json()) == (200, {"ok": False, "error": "not_authed"})
    assert bot("auth.test", "xoxb-wrong")["error"] == "invalid_auth"
    assert bot("no.such")["error"] == "unknown_method"


def test_a_token_may_come_in_the_header_or_the_form_but_not_in_json(slack, bot):
    """GET and POST alike."""
    url = f"{slack.url}/api/auth.test"

    assert httpx.get(url, params={"token": slack.token}, trust_env=False, verify=False).json()["ok"]
    assert httpx.post(url, data={"token": slack.token}, trust_env=False, verify=False).json()["ok"]
    assert httpx.post(url, json={"token": slack.token}, trust_env=False, verify=False).json()["error"] == "not_authed"


def test_json_bodies(slack, bot, general):
    """With types of their own; what is no JSON object is refused."""
    headers = {"Authorization": f"Bearer {slack.token}"}
    url = f"{slack.url}/api/chat.postMessage"
    said = {"channel": general, "text": "x", "metadata": {"event_type": "e", "event_payload": {"n": 1}}}

    posted = httpx.post(url, json=said, headers=headers, trust_env=False, verify=False).json()
    array = httpx.post(url, json=[1], headers=headers, trust_env=False, verify=False).json()
    typed = headers | {"Content-Type": "application/json"}
    broken = httpx.post(url, content=b"{", headers=typed, trust_env=False, verify=False).json()

    assert posted["message"]["metadata"]["event_payload"] == {"n": 1}
    assert (array["error"], broken["error"]) == ("json_not_object", "invalid_json")


def test_missing_scopes_are_named(slack):
    """What was needed, and what the token has."""
    slack.unlimited()
    slack.install(scopes=["channels:read"])
    slack.create_channel("general")

    told = slack.call("conversations.list", types="public_channel,private_channel")
    assert (told["error"], told["needed"], told["provided"]) == ("missing_scope", "groups:read", "channels:read")
    assert slack.call("users.list")["needed"] == "users:read"
    assert slack.call("conversations.list")["ok"]


def test_addresses_take_a_scope_of_their_own(slack):
    """Without it a profile has none."""
    slack.unlimited()
    slack.install(scopes=["users:read"])

    assert "email" not in slack.call("users.info", user=slack.owner)["user"]["profile"]
    assert slack.truth("users")[slack.owner]["profile"]["email"] == "owner@example.com"


def test_what_a_bot_may_read(slack, bot):
    """Only channels that it is in; of private ones it does not even know."""
    open_one = slack.create_channel("open", member=False)["id"]
    hidden = slack.create_channel("hidden", private=True, member=False)["id"]

    assert bot("conversations.info", channel=open_one)["channel"]["is_member"] is False
    assert bot("conversations.history", channel=open_one)["error"] == "not_in_channel"
    assert bot("conversations.info", channel=hidden)["error"] == "channel_not_found"
    assert bot("conversations.history", channel=hidden)["error"] == "channel_not_found"
    assert bot("conversations.join", channel=hidden)["error"] == "channel_not_found"
    assert bot("conversations.history", channel="C0")["error"] == "channel_not_found"
    slack.join("hidden")
    assert bot("conversations.history", channel=hidden)["ok"]
    slack.leave("hidden")
    assert bot("conversations.history", channel=hidden)["error"] == "channel_not_found"


def test_archived_channels_can_be_read_and_not_written(slack, bot, general):
    """They stay in the list, unless it is asked to leave them out."""
    slack.post("general")
    slack.archive("general")

    assert len(bot("conversations.history", channel=general)["messages"]) == 1
    assert bot("chat.postMessage", channel=general, text="x")["error"] == "is_archived"
    assert bot("conversations.join", channel=general)["error"] == "is_archived"
    assert bot("conversations.list")["channels"][0]["is_archived"] is True
    assert bot("conversations.list", exclude_archived="true")["channels"] == []


def test_archived_channels_are_left_out_of_pages_that_are_cut_already(slack, bot):
    """So a page may be empty and still not be the last."""
    channels = sorted(slack.create_channel(f"c{n}")["id"] for n in range(4))
    for channel in channels[:2]:
        slack.archive(channel)

    first = bot("conversations.list", exclude_archived="true", limit="2")

    assert first["channels"] == []
    assert first["response_metadata"]["next_cursor"]


def test_deleted_channels_are_gone(slack, bot, general):
    """From the list, by id, and with all that was said in them."""
    slack.post("general")
    slack.delete_channel("general")

    assert bot("conversations.list")["channels"] == []
    assert bot("conversations.history", channel=general)["error"] == "channel_not_found"
    assert slack.truth("messages") == {}


def test_history_within_bounds(slack, bot, general):
    """Both bounds are left out, unless `inclusive` is asked for."""
    slack.settings(fixed=1_700_000_000)
    sent = [slack.post("general", ts=f"17000000{n:02d}.000000")["ts"] for n in range(6)]
    bounds = {"channel": general, "oldest": sent[1], "latest": sent[4]}

    assert ts_of(bot("conversations.history", **bounds)) == [sent[3], sent[2]]
    assert ts_of(bot("conversations.history", **bounds, inclusive="true")) == sent[4:0:-1]
    assert ts_of(bot("conversations.history", channel=general, latest=sent[2], inclusive="1", limit="1")) == [sent[2]]
    assert bot("conversations.history", channel=general, oldest="yesterday")["error"] == "invalid_ts_oldest"
    assert bot("conversations.history", channel=general, limit="-1")["error"] == "invalid_limit"


def test_a_cursor_goes_on_where_the_page_ended_whatever_came_or_went(slack, bot, general):
    """Nothing is met twice, nothing that was there is left out."""
    slack.load(["general"], 10)
    whole = ts_of(bot("conversations.history", channel=general))
    first = bot("conversations.history", channel=general, limit="4")
    slack.post("general", "newer")
    slack.delete("general", ts_of(first)[-1])

    rest = bot("conversations.history", channel=general, cursor=first["response_metadata"]["next_cursor"])

    assert ts_of(first) + ts_of(rest) == whole
    assert bot("conversations.history", channel=general, cursor="bm9uZQ==")["error"] == "invalid_cursor"
    assert bot("users.list", cursor=first["response_metadata"]["next_cursor"])["error"] == "invalid_cursor"


def test_history_shows_parents_and_broadcasts_only(slack, bot, general):
    """A reply is only in its thread; one that was broadcast is in both."""
    parent = slack.post("general")["ts"]
    reply = slack.reply("general", parent)["ts"]
    broadcast = slack.reply("general", parent, broadcast=True)

    assert ts_of(bot("conversations.history", channel=general)) == [broadcast["ts"], parent]
    assert ts_of(bot("conversations.replies", channel=general, ts=parent)) == [parent, reply, broadcast["ts"]]
    assert broadcast["subtype"] == "thread_broadcast"
    assert ts_of(bot("conversations.replies", channel=general, ts=reply)) == [reply]
    assert bot("conversations.replies", channel=general, ts="1.000000")["error"] == "thread_not_found"


def test_a_parent_counts_its_replies(slack, bot, general):
    """Whichever come and go; an edit of a reply changes nothing in it."""
    parent = slack.post("general")["ts"]
    one, two = slack.reply("general", parent, user=slack.owner)["ts"], slack.reply("general", parent)["ts"]

    def counts():
        (message,) = bot("conversations.history", channel=general)["messages"]
        return message.get("reply_count"), message.get("latest_reply")

    assert counts() == (2, two)
    before = slack.truth("messages")[general, parent]
    slack.edit("general", one, "better")
    assert slack.truth("messages")[general, parent] == before
    slack.delete("general", two)
    assert counts() == (1, one)
    slack.delete("general", one)
    assert counts() == (None, None)


def test_a_deleted_parent_leaves_a_tombstone_until_its_last_reply_goes(slack, bot, general):
    """It keeps its timestamp and its counts, and loses its words."""
    parent = slack.post("general", "secret")["ts"]
    reply = slack.reply("general", parent)["ts"]
    slack.delete("general", parent)

    (tombstone,) = bot("conversations.history", channel=general)["messages"]

    assert (tombstone["subtype"], tombstone["ts"], tombstone["user"]) == ("tombstone", parent, "USLACKBOT")
    assert tombstone["reply_count"] == 1
    assert "secret" not in str(tombstone)
    slack.delete("general", reply)
    assert bot("conversations.history", channel=general)["messages"] == []


def test_an_edit_keeps_the_timestamp(slack, bot, general):
    """What changed is the text and `edited`, in whole seconds."""
    before = slack.post("general", "frist", user=slack.owner)

    after = slack.edit("general", before["ts"], "first")

    assert after == before | {"text": "first", "blocks": after["blocks"], "edited": after["edited"]}
    assert after["edited"]["user"] == slack.owner
    assert bot("conversations.history", channel=general)["messages"] == [after]


def test_what_an_app_may_write(slack, bot, general):
    """Into channels that it is in, and its own messages only."""
    slack.create_channel("open", member=False)
    theirs = slack.post("general")["ts"]
    mine = bot("chat.postMessage", channel=general, text="mine")["ts"]

    def refused(method, **arguments):
        return bot(method, **({"channel": general, "text": "x"} | arguments))["error"]

    assert refused("chat.postMessage", channel="open") == "not_in_channel"
    assert refused("chat.postMessage", text="") == "no_text"
    assert refused("chat.postMessage", text="x" * 40_001) == "msg_too_long"
    assert refused("chat.postMessage", blocks="[") == "invalid_blocks_format"
    assert refused("chat.postMessage", metadata="{}") == "invalid_metadata_format"
    assert refused("chat.postMessage", thread_ts="1.000000") == "thread_not_found"
    assert refused("chat.update", ts=theirs) == "cant_update_message"
    assert refused("chat.delete", ts=theirs) == "cant_delete_message"
    assert refused("chat.update", ts="1.000000") == "message_not_found"
    assert bot("chat.delete", channel=general, ts=mine)["ok"]
    assert refused("chat.delete", ts=mine) == "message_not_found"


def test_users_who_were_deactivated_stay_in_the_list(slack, bot):
    """With less said about them; one who is not there is not found."""
    user = slack.add_user("ada", real_name="Ada Lovelace")["id"]
    slack.change_user(user, deleted=True)

    (shown,) = [row for row in bot("users.list")["members"] if row["id"] == user]

    assert shown["deleted"] is True
    assert "tz" not in shown
    assert bot("users.info", user=user)["user"] == shown
    assert bot("users.info", user="U1")["error"] == "user_not_found"


def test_a_renamed_channel_keeps_its_names(slack, bot, general):
    """And says when it was changed, in milliseconds."""
    before = bot("conversations.info", channel=general)["channel"]
    slack.change_channel("general", name="lobby", topic="hello")

    after = bot("conversations.info", channel=general)["channel"]

    assert (after["name"], after["previous_names"], after["topic"]["value"]) == ("lobby", ["general"], "hello")
    assert after["updated"] >= before["updated"] > 1_000_000_000_000


def test_the_truth_is_what_the_api_gives(slack, bot):
    """Byte by byte in what it says: channels, users, and all messages in channels that the bot is in."""
    slack.load(3, 30, replies=4, users=5)
    slack.create_channel("secret", private=True, member=False)
    slack.shake(5, 60)

    met = {}
    channels = bot("conversations.list", limit="999")["channels"]
    for channel in channels:
        if not channel["is_member"]:
            continue
        for message in bot("conversations.history", channel=channel["id"], limit="999")["messages"]:
            met[channel["id"], message["ts"]] = message
            if message.get("reply_count"):
                thread = bot("conversations.replies", channel=channel["id"], ts=message["ts"])["messages"]
                met |= {(channel["id"], reply["ts"]): reply for reply in thread}

    assert met == slack.truth("messages")
    assert {row["id"]: row for row in channels} == slack.truth("channels")
    assert {row["id"]: row for row in bot("users.list")["members"]} == slack.truth("users")
