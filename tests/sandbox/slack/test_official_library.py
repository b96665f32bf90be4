"""Slack's own SDK speaks to the sandbox as it speaks to Slack."""

import itertools

import pytest
from slack_sdk.errors import SlackApiError


def ids(pages, name):
    return list(itertools.chain.from_iterable([row.get("ts") or row["id"] for row in page[name]] for page in pages))


def test_who_the_token_speaks_for(web, slack):
    """The bot, in its workspace."""
    told = web.auth_test()

    assert (told["team_id"], told["team"]) == (slack.team, "Acme")
    assert told["bot_id"].startswith("B")
    assert 0 < told["expires_in"] <= 12 * 3600


def test_paging_through_history_meets_every_message_once_newest_first(web, slack, general):
    """With the cursors that the SDK follows by itself."""
    slack.load(["general"], 57)

    met = ids(web.conversations_history(channel=general, limit=10), "messages")

    assert met == sorted((ts for _, ts in slack.truth("messages")), reverse=True)


def test_paging_through_a_thread_meets_every_reply_once_oldest_first(web, slack, general):
    """The parent stands at the head of every page."""
    parent = slack.post("general")["ts"]
    sent = [slack.reply("general", parent, f"number {n}")["ts"] for n in range(25)]

    pages = [page["messages"] for page in web.conversations_replies(channel=general, ts=parent, limit=10)]

    assert {page[0]["ts"] for page in pages} == {parent}
    assert [row["ts"] for page in pages for row in page[1:]] == sent


def test_what_is_posted_is_found(web, slack, general):
    """With its metadata only for those who ask for it."""
    metadata = {"event_type": "sent", "event_payload": {"key": "k1"}}
    sent = web.chat_postMessage(channel=general, text="Hello <world>", metadata=metadata)

    (plain,) = web.conversations_history(channel=general)["messages"]
    (full,) = web.conversations_history(channel=general, include_all_metadata=True)["messages"]

    assert plain["ts"] == sent["ts"]
    assert "metadata" not in plain
    assert full == sent["message"]
    assert full["metadata"] == metadata


def test_update_and_delete(web, slack, general):
    """An edit keeps the timestamp; what was deleted is not listed."""
    ts = web.chat_postMessage(channel="#general", text="first")["ts"]

    changed = web.chat_update(channel=general, ts=ts, text="second")
    (shown,) = web.conversations_history(channel=general)["messages"]
    web.chat_delete(channel=general, ts=ts)

    assert (changed["text"], shown["text"], shown["ts"]) == ("second", "second", ts)
    assert shown["edited"]["ts"].endswith(".000000")
    assert web.conversations_history(channel=general)["messages"] == []


def test_lists_of_channels_and_users(web, slack):
    """Page by page, private channels only for members."""
    names = [slack.create_channel(f"c{n}")["id"] for n in range(7)]
    names += [slack.create_channel("hers", private=True, member=True)["id"]]
    slack.create_channel("secret", private=True, member=False)
    users = [slack.add_user(f"user{n}")["id"] for n in range(5)]

    found = ids(web.conversations_list(types="public_channel,private_channel", limit=3), "channels")
    people = ids(web.users_list(limit=2), "members")

    assert sorted(found) == sorted(names)
    assert set(users) < set(people)
    assert len(people) == len(set(people)) == len(slack.truth("users"))


def test_joining_a_channel(web, slack):
    """A second time is a warning, no error; Slack says in the channel who came."""
    channel = slack.create_channel("open", member=False)["id"]
    with pytest.raises(SlackApiError, match="not_in_channel"):
        web.conversations_history(channel=channel)

    assert web.conversations_join(channel=channel)["channel"]["is_member"] is True
    assert web.conversations_join(channel=channel)["warning"] == "already_in_channel"
    (said,) = web.conversations_history(channel=channel)["messages"]
    assert said["subtype"] == "channel_join"
    assert web.auth_test()["user_id"] in web.conversations_members(channel=channel)["members"]


def test_revoking_a_token(web, slack):
    """Once only; afterwards it opens nothing."""
    assert web.auth_revoke()["revoked"] is True

    with pytest.raises(SlackApiError, match="token_revoked"):
        web.auth_test()
    assert [row["good"] for row in slack.tokens()] == [False]


def test_uninstalling_the_app(web, slack):
    """Every token ends, and the bot is deactivated."""
    bot = web.auth_test()["user_id"]

    web.apps_uninstall(client_id=slack.app["client_id"], client_secret=slack.app["client_secret"])

    with pytest.raises(SlackApiError, match="account_inactive"):
        web.auth_test()
    assert slack.truth("users")[bot]["deleted"] is True
