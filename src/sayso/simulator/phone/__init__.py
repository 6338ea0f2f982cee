"""What a person does on the phone (cloud-api.md 4.8)."""
