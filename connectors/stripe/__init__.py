"""Stripe: customers, catalogue, billing and payments of one account, by its secret or restricted API key."""

from connectors.stripe.connector import Stripe

connector = Stripe()
