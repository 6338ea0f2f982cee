"""The control API under ``/_sim``."""
