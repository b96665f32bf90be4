"""A Slack that keeps its data in memory, for the demo and for tests."""
