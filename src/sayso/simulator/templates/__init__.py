"""Templates: what may be created, their review, and their life (cloud-api.md 3)."""
