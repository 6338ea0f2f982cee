"""What a business may send: every outgoing type, checked as Meta checks it (cloud-api.md 2)."""
