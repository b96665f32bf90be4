"""The doors for people and machines: connecting accounts, and the REST API."""
