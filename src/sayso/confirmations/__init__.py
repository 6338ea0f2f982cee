"""A question with a deadline and exactly one outcome."""
