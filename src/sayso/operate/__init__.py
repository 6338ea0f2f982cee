"""What an operator sees: figures, alerts, and what to do."""
