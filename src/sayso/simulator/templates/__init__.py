"""Templates: what may be created, their review and life, and how one is filled when sent (cloud-api.md 3, 2.6)."""
