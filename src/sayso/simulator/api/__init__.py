"""The simulator in Python: what tests say to it and ask of it."""
