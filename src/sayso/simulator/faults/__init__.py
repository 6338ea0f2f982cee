"""Faults on demand: what goes wrong, for which calls or webhooks, how often (cloud-api.md 9)."""
