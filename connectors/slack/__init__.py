"""Slack: channels, users and messages of one workspace, by the app's own token."""

from connectors.slack.connector import Slack

connector = Slack()
