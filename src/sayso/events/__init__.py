"""What we tell the assistant."""
