"""May we talk to this person."""
