"""Faults on demand: what goes wrong, for whom, how often."""
