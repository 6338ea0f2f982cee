"""Accounts as Meta changes them from outside, and the webhooks that tell of it (cloud-api.md 4.11, 8)."""
