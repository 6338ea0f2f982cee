"""The Graph API as it answers over HTTP (cloud-api.md 1, 2, 3, 8)."""
