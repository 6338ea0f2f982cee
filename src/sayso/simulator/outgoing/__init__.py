"""What a business may send: every type, checked as Meta checks it, templates filled (cloud-api.md 2)."""
