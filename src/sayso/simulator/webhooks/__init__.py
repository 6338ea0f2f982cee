"""Webhooks: who subscribed, what is told, how it gets there (cloud-api.md 4)."""
